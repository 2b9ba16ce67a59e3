"""Which server to ask, and with which token: options, environment, pawl.toml, or the one on this machine.

A token is only ever sent where its owner meant it to go: `PAWL_TOKEN` and `PAWL_TOKEN_FILE` go with an
address from the environment or the command line, the token of a local server to that server, and an address
out of a project's pawl.toml, which anybody may have written, gets the token kept under its own name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pawl.core.model.errors import UsageError

ADDRESS_FILE = "address"
TOKEN_FILE = "token"  # noqa: S105 - the name of a file
_MOST_TOKEN_BYTES = 4096
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlace:
    """A server to ask.

    Attributes:
        url: without a slash at its end.
        token: None where none is known: only what needs no token can be asked.
        origin: where the address came from, in words.
        is_local: whether the token is the one that this machine's server keeps for its own commands.
    """

    url: str
    token: str | None
    origin: str
    is_local: bool = False

    @property
    def is_here(self) -> bool:
        """Return whether the address is this machine's own."""
        return (urlsplit(self.url).hostname or "") in _HERE

    @property
    def is_open(self) -> bool:
        """Return whether a token would go over a network unencrypted."""
        return not self.is_here and urlsplit(self.url).scheme == "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceWish:
    """What the command line says of the server; None where it says nothing.

    Attributes:
        server: an address, or "" for the server of this machine.
    """

    server: str | None = None
    token_file: Path | None = None


def default_data(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the data folder of this machine's server: PAWL_DATA, else below the user's own data."""
    named = environment.get("PAWL_DATA")
    if named:
        return Path(named).expanduser()
    base = environment.get("XDG_DATA_HOME") or str(
        Path(environment.get("HOME") or "~").expanduser() / ".local/share"
    )
    return Path(base) / "pawl"


def token_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where tokens are kept by the name of their server."""
    base = environment.get("XDG_CONFIG_HOME") or str(
        Path(environment.get("HOME") or "~").expanduser() / ".config"
    )
    return Path(base) / "pawl/tokens"


def is_configured(
    wish: PlaceWish, from_file: str | None, environment: Mapping[str, str] = os.environ
) -> bool:
    """Return whether anybody said which server to ask."""
    return wish.server is not None or bool(environment.get("PAWL_SERVER")) or bool(from_file)


def find_server(
    wish: PlaceWish, from_file: str | None, environment: Mapping[str, str] = os.environ
) -> ServerPlace:
    """Return the server to ask.

    Args:
        wish: of the command line.
        from_file: `remote.server` of pawl.toml.
        environment: the variables.

    Raises:
        UsageError: an address or token file is wrong, or no server was named and none is on this machine.
    """
    if wish.server:
        url, origin = read_url(wish.server, "--server"), "--server"
    elif wish.server is None and environment.get("PAWL_SERVER"):
        url, origin = read_url(environment["PAWL_SERVER"], "PAWL_SERVER"), "PAWL_SERVER"
    elif wish.server is None and from_file:
        url, origin = read_url(from_file, "remote.server of pawl.toml"), "pawl.toml"
    else:
        return _on_this_machine(wish, environment)
    if wish.token_file is not None:
        return ServerPlace(url=url, token=read_token(wish.token_file), origin=origin)
    if origin != "pawl.toml" and (token := _from_environment(environment)):
        return ServerPlace(url=url, token=token, origin=origin)
    if (token := _kept_token(url, environment)) is not None:
        return ServerPlace(url=url, token=token, origin=origin)
    token = _local_token(url, environment)
    return ServerPlace(url=url, token=token, origin=origin, is_local=token is not None)


def _on_this_machine(wish: PlaceWish, environment: Mapping[str, str]) -> ServerPlace:
    folder = default_data(environment)
    url = local_address(folder)
    if url is None:
        raise UsageError(
            f"no server is known: nothing has run in {folder}",
            hint="start one with `pawl serve`, or name one: --server, PAWL_SERVER, [remote] of pawl.toml,"
            " or its data folder: PAWL_DATA",
        )
    token = read_token(wish.token_file) if wish.token_file else _from_environment(environment)
    if token:
        return ServerPlace(url=url, token=token, origin=str(folder))
    token = _token_beside(folder)
    return ServerPlace(url=url, token=token, origin=str(folder), is_local=token is not None)


def local_address(folder: Path) -> str | None:
    """Return the address that the server with this data folder wrote down; None when none ever did."""
    try:
        text = (folder / ADDRESS_FILE).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return read_url(text, str(folder / ADDRESS_FILE)) if text else None


def read_url(text: str, where: str) -> str:
    """Return an address as it is used.

    Raises:
        UsageError: it is none, or holds a password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    del port  # read for its check only
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(
            f"{where}: `{text[:200]}` is no address of a server",
            hint="write it like https://ci.example.com or http://127.0.0.1:8080",
        )
    if parts.username or parts.password:
        raise UsageError(
            f"{where}: an address holds no user or password", hint="give the token with --token-file"
        )
    return text.rstrip("/")


def read_token(path: Path) -> str:
    """Return the token in a file: its first line.

    Raises:
        UsageError: it cannot be read, is empty or holds no token.
    """
    try:
        with path.expanduser().open("rb") as file:
            text = file.read(_MOST_TOKEN_BYTES).decode("ascii").strip()
    except OSError as error:
        raise UsageError(f"cannot read the token file `{path}`: {error.strerror}") from error
    except UnicodeDecodeError:
        text = ""
    if not text or len(text.split()) != 1:
        raise UsageError(f"`{path}` holds no token", hint="it should be one line that begins with pawl_")
    return text


def is_readable_by_others(path: Path) -> bool:
    """Return whether users other than the owner may read a file; a missing one is read by nobody."""
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def _from_environment(environment: Mapping[str, str]) -> str | None:
    if token := environment.get("PAWL_TOKEN", "").strip():
        return token
    file = environment.get("PAWL_TOKEN_FILE")
    return read_token(Path(file)) if file else None


def _token_beside(folder: Path) -> str | None:
    path = folder / TOKEN_FILE
    return read_token(path) if path.exists() else None


def _kept_token(url: str, environment: Mapping[str, str]) -> str | None:
    """Return the token kept for a server by its name."""
    path = token_folder(environment) / urlsplit(url).netloc
    return read_token(path) if path.is_file() else None


def _local_token(url: str, environment: Mapping[str, str]) -> str | None:
    """Return the token of this machine's server where the address is its."""
    folder = default_data(environment)
    return _token_beside(folder) if local_address(folder) == url else None
