"""The keys that secrets are sealed under: a file that its owner alone can read, the newest key first."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from pawl.core.model.errors import InfrastructureError, UsageError

KEY_BYTES = 32
_MOST_BYTES = 65_536


def read_or_make_keys(path: Path) -> tuple[bytes, ...]:
    """Return the keys in a file; where there is no such file it is made with one, mode 0600.

    Raises:
        UsageError: others can read the file, or a line of it is no key.
        InfrastructureError: it cannot be read or made.
    """
    try:
        return read_keys(path)
    except FileNotFoundError:
        pass
    try:
        _put(path, [_made()], over=False)
        return read_keys(path)
    except OSError as error:
        raise InfrastructureError(f"the key {path} cannot be made: {error.strerror}") from error


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Return the keys in a file, the newest first.

    Raises:
        UsageError, InfrastructureError: as `read_or_make_keys`.
        FileNotFoundError: there is no such file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
                raise UsageError(f"others can read the key {path}", hint=f"run `chmod 600 {path}`")
            lines = file.read(_MOST_BYTES).split()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InfrastructureError(f"the key {path} cannot be read: {error.strerror}") from error
    keys = tuple(map(_key, lines))
    if not keys or b"" in keys:
        raise UsageError(
            f"{path} holds no key: {KEY_BYTES} random bytes in base64 are wanted on each line",
            hint="bring the file back from where it is kept; what was sealed under another cannot be opened",
        )
    return keys


def add_key(path: Path) -> tuple[bytes, ...]:
    """Put a new key before those of a file and return them all: the file has the old ones, or all.

    Raises:
        UsageError, InfrastructureError: as `read_or_make_keys`.
    """
    try:
        keys = (_made(), *read_keys(path))
        _put(path, keys, over=True)
    except OSError as error:
        raise InfrastructureError(f"no key can be added to {path}: {error.strerror}") from error
    return keys


def _made() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def _key(line: bytes) -> bytes:
    """Return the key that a line holds; b"" for none, or for one that nobody drew."""
    try:
        key = base64.b64decode(line, validate=True)
    except binascii.Error:
        return b""
    return key if len(key) == KEY_BYTES and len(set(key)) >= KEY_BYTES // 4 else b""


def _put(path: Path, keys: tuple[bytes, ...] | list[bytes], *, over: bool) -> None:
    """Write the file whole or not at all; another process may be making it too."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"".join(base64.b64encode(key) + b"\n" for key in keys))
            file.flush()
            os.fsync(descriptor)
        if over:
            partial.replace(path)
        else:
            try:
                os.link(partial, path)
            except FileExistsError:
                return
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
