"""Options that every command about a server has, and opening the client they stand for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pawl.cli.options import FILE
from pawl.cli.project import current_project
from pawl.cli.remote.place import PlaceWish, ServerPlace, find_server, is_configured
from pawl.cli.settings_file import load_settings
from pawl.cli.terminal.notices import NOTE, tell
from pawl.core.model.errors import UsageError

if TYPE_CHECKING:
    from pawl.cli.remote.client import Client

_Function = TypeVar("_Function", bound=Callable[..., Any])
T = TypeVar("T")

SERVER = click.option(
    "--server",
    metavar="URL",
    help="The server's address; else PAWL_SERVER, [remote] of pawl.toml, or the server of this machine.",
)
OPTIONAL_SERVER = click.option(
    "--server",
    metavar="[URL]",
    is_flag=False,
    flag_value="",
    help="Ask a server: the one with this address or, without one, the configured one or this machine's.",
)
TOKEN_FILE = click.option(
    "--token-file", type=FILE, help="File with the token; else PAWL_TOKEN, or the local server's own."
)


def server_options(function: _Function) -> _Function:
    """Give a command `--server` and `--token-file`; it gets them as keywords for `read_place`."""
    return SERVER(TOKEN_FILE(function))


def optional_server_options(function: _Function) -> _Function:
    """Give the same to a command that also works without a server."""
    return OPTIONAL_SERVER(TOKEN_FILE(function))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was said about the server, by the command line and by the project's settings."""

    wish: PlaceWish
    from_file: str | None

    @property
    def is_configured(self) -> bool:
        """Return whether anybody said which server to ask."""
        return is_configured(self.wish, self.from_file)

    def place(self) -> ServerPlace:
        """Return the server to ask; says so when a token would travel unencrypted.

        Raises:
            UsageError: as `find_server`.
        """
        found = find_server(self.wish, self.from_file)
        if found.is_open and found.token:
            tell(NOTE, f"{found.url} is not encrypted: the token can be read on the way")
        return found


def read_asked(options: dict[str, Any]) -> Asked:
    """Return what was asked, taking `server` and `token_file` out of a command's options.

    Raises:
        UsageError: pawl.toml is wrong, or a value of `--server` is meant for something else.
    """
    server: str | None = options.pop("server")
    file: Path | None = options.pop("token_file")
    if server and not server.startswith(("http://", "https://")):
        raise UsageError(
            f"--server: `{server}` is no address",
            hint="write it last, or with an address: --server=https://...",
        )
    # The address of the environment is looked at apart: a token may go there that may not go to the file's.
    environment = {name: text for name, text in os.environ.items() if name != "PAWL_SERVER"}
    settings = load_settings(current_project(), environment)
    return Asked(wish=PlaceWish(server=server, token_file=file), from_file=settings.server)


def ask(asked: Asked, question: Callable[[Client], Awaitable[T]]) -> T:
    """Return what `question` returns for a client of the server that was asked for.

    Raises:
        PawlError: as the client.
    """
    from pawl.cli.remote.client import Client  # noqa: PLC0415 - aiohttp takes 150 ms to import

    place = asked.place()

    async def run() -> T:
        async with Client(place) as client:
            return await question(client)

    return asyncio.run(run())
