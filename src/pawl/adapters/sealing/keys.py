"""The key that secrets are sealed under: a file that its owner alone can read."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from pawl.core.model.errors import InfrastructureError, UsageError

KEY_BYTES = 32


def read_or_make_key(path: Path) -> bytes:
    """Return the key in a file; where there is no such file it is made, with mode 0600.

    Raises:
        UsageError: others can read the file, or it holds no key.
        InfrastructureError: it cannot be read or made.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise InfrastructureError(f"the key {path} cannot be read: {error.strerror}") from error
    try:
        _make(path)
        return _read(path)
    except OSError as error:
        raise InfrastructureError(f"the key {path} cannot be made: {error.strerror}") from error


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise UsageError(f"others can read the key {path}", hint=f"run `chmod 600 {path}`")
        text = file.read(1000)
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES or len(set(key)) < KEY_BYTES // 4:
        raise UsageError(
            f"{path} holds no key: {KEY_BYTES} random bytes in base64 are wanted",
            hint="bring the file back from where it is kept; what was sealed under another cannot be opened",
        )
    return key


def _make(path: Path) -> None:
    """Make the file whole or not at all; another process may be doing the same."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(partial, path)
        except FileExistsError:
            return
    finally:
        partial.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
