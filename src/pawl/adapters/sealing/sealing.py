"""AES-256-GCM under a key of each value's own, which the key in the file wraps."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pawl.adapters.sealing.keys import KEY_BYTES, add_key, read_keys, read_or_make_keys
from pawl.core.model.errors import InfrastructureError, PawlError

_VERSION = "v1"
_NONCE = 12
_HINT = "bring back the key that belongs to this database"


class FileSealing:
    """`Sealing` under the keys of a file.

    A sealed value is `v1:KEY:WRAPPED:HIDDEN`: which key of the file, under it the value's own key, and under
    that the value; the last two with their nonces, in base64. The scope is authenticated with both.
    """

    def __init__(self, path: Path) -> None:
        """Take the file; it is made where it is not there.

        Raises:
            UsageError: others can read it, or it holds no key.
            InfrastructureError: it cannot be read or made.
        """
        self._path = path
        self._ciphers: dict[str, AESGCM] = {}
        self._newest = ""
        self._take(read_or_make_keys(path))

    def seal(self, value: str, scope: str) -> str:
        """Return a value sealed; see the port."""
        own = os.urandom(KEY_BYTES)
        hidden = _encrypt(AESGCM(own), value.encode("utf-8", "surrogatepass"), _bound("value", scope))
        return ":".join((_VERSION, self._newest, self._wrapped(own, scope), hidden))

    def open(self, sealed: str, scope: str) -> str:
        """Return the value; see the port."""
        own, hidden = self._unwrapped(sealed, scope)
        opened = _decrypt(AESGCM(own), hidden, _bound("value", scope))
        return opened.decode("utf-8", "surrogatepass")

    def rotate(self, sealed: str, scope: str) -> str:
        """Return the value sealed under the newest key; see the port. The value's own key stays."""
        own, hidden = self._unwrapped(sealed, scope)
        if sealed.split(":")[1] == self._newest:
            return sealed
        return ":".join((_VERSION, self._newest, self._wrapped(own, scope), hidden))

    def renew(self) -> None:
        """Have a new key, as the port says; the file keeps the old ones behind it."""
        self._take(add_key(self._path))

    def _take(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_name(key): AESGCM(key) for key in keys}
        self._newest = _name(keys[0])

    def _wrapped(self, own: bytes, scope: str) -> str:
        return _encrypt(self._ciphers[self._newest], own, _bound(self._newest, scope))

    def _unwrapped(self, sealed: str, scope: str) -> tuple[bytes, str]:
        version, *parts = sealed.split(":")
        if version != _VERSION or len(parts) != 3:
            raise InfrastructureError("a sealed value is of a form that this version does not know")
        name, wrapped, hidden = parts
        own = _decrypt(self._cipher(name), wrapped, _bound(name, scope))
        return own, hidden

    def _cipher(self, name: str) -> AESGCM:
        if name not in self._ciphers:
            # Another server that has the same file may have added one.
            try:
                self._take(read_keys(self._path))
            except (PawlError, OSError) as error:
                raise InfrastructureError("a value was sealed under another key", hint=_HINT) from error
        if name not in self._ciphers:
            raise InfrastructureError("a value was sealed under another key", hint=_HINT)
        return self._ciphers[name]


def _name(key: bytes) -> str:
    return hashlib.sha256(b"pawl key name\0" + key).hexdigest()[:16]


def _bound(what: str, scope: str) -> bytes:
    return f"{_VERSION}\0{what}\0{scope}".encode("utf-8", "surrogatepass")


def _encrypt(cipher: AESGCM, content: bytes, bound: bytes) -> str:
    nonce = os.urandom(_NONCE)
    return base64.b64encode(nonce + cipher.encrypt(nonce, content, bound)).decode()


def _decrypt(cipher: AESGCM, hidden: str, bound: bytes) -> bytes:
    try:
        content = base64.b64decode(hidden, validate=True)
        return cipher.decrypt(content[:_NONCE], content[_NONCE:], bound)
    except (InvalidTag, binascii.Error, ValueError):
        raise InfrastructureError("a sealed value was changed, or belongs elsewhere", hint=_HINT) from None
