"""AES-256-GCM: one random nonce a value, the scope authenticated beside it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pawl.core.model.errors import InfrastructureError

_VERSION = "v1"
_NONCE = 12
_HINT = "bring back the key that belongs to this database"


class FileSealing:
    """`Sealing` under one key. A sealed value is `v1:KEY:BASE64`, where KEY says which key it was."""

    def __init__(self, key: bytes) -> None:
        """Take the key: 32 bytes."""
        self._cipher = AESGCM(key)
        self._name = hashlib.sha256(b"pawl key name\0" + key).hexdigest()[:16]

    def seal(self, value: str, scope: str) -> str:
        """Return a value sealed; see the port."""
        nonce = os.urandom(_NONCE)
        hidden = self._cipher.encrypt(nonce, value.encode("utf-8", "surrogatepass"), self._bound(scope))
        return f"{_VERSION}:{self._name}:{base64.b64encode(nonce + hidden).decode()}"

    def open(self, sealed: str, scope: str) -> str:
        """Return the value; see the port."""
        version, _, rest = sealed.partition(":")
        name, _, text = rest.partition(":")
        if version != _VERSION:
            raise InfrastructureError("a sealed value is of a form that this version does not know")
        if name != self._name:
            raise InfrastructureError("a value was sealed under another key", hint=_HINT)
        try:
            hidden = base64.b64decode(text, validate=True)
            opened = self._cipher.decrypt(hidden[:_NONCE], hidden[_NONCE:], self._bound(scope))
        except (InvalidTag, binascii.Error, ValueError):
            raise InfrastructureError(
                "a sealed value was changed, or belongs elsewhere", hint=_HINT
            ) from None
        return opened.decode("utf-8", "surrogatepass")

    def rotate(self, sealed: str, scope: str) -> str:
        """Return the value sealed under this key: it is the only one there is."""
        self.open(sealed, scope)
        return sealed

    def _bound(self, scope: str) -> bytes:
        return f"{_VERSION}\0{self._name}\0{scope}".encode("utf-8", "surrogatepass")
