"""The last line of defence: every exception becomes a message and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from pawl.cli.exits import ExitCode
from pawl.cli.terminal.notices import ERROR, HINT, tell
from pawl.core.model.errors import InternalError, PawlError, UsageError


def run_guarded(command: Callable[[], object]) -> int:
    """Run `command` and return the exit code; messages go to standard error.

    With `PAWL_DEBUG=1` every exception is shown with its traceback as well.
    """
    try:
        result = command()
        # Here and not when the interpreter ends: a pipe that is closed by now would make it complain.
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - the process ends here, whatever it was
        return _report(error)
    return result if isinstance(result, int) else ExitCode.SUCCESS


def _report(error: BaseException) -> int:
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else ExitCode.USAGE
        case BrokenPipeError():
            silence_stdout()
            return ExitCode.PIPE_CLOSED
        case KeyboardInterrupt() | click.Abort():
            _say("interrupted", None)
            return ExitCode.INTERRUPTED
        case click.exceptions.Exit():
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return error.exit_code
        case click.ClickException():
            return _report_click(error)
        case ExceptionGroup() if len(error.exceptions) == 1:
            return _report(error.exceptions[0])
        case PawlError():
            _show_traceback(error)
            _say(error.message, error.hint)
            if isinstance(error, InternalError):
                _say_how_to_report()
            return ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAULT
        case OSError():
            _show_traceback(error)
            _say(_os_message(error), None)
            return ExitCode.FAULT
        case _:
            return _report_crash(error)


def _report_click(error: click.ClickException) -> int:
    hint = None
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"`{error.ctx.command_path} --help` shows what can be said"
    _say(error.format_message().rstrip("."), hint)
    return error.exit_code


def _report_crash(error: BaseException) -> int:
    _show_traceback(error)
    _say(f"Pawl itself went wrong: {type(error).__name__}: {error}", None)
    _say_how_to_report()
    return ExitCode.FAULT


def _say_how_to_report() -> None:
    click.echo(
        "This is a fault of Pawl's. Please report it with what you typed, the output of the same command"
        " under PAWL_DEBUG=1, and that of `pawl doctor`.",
        err=True,
    )


def _os_message(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {what}" if error.filename else what


def _show_traceback(error: BaseException) -> None:
    if os.environ.get("PAWL_DEBUG", "") not in {"", "0"}:
        sys.excepthook(type(error), error, error.__traceback__)


def _say(message: str, hint: str | None) -> None:
    # Messages may quote files and engines: they go through the same sieve as logs do.
    tell(ERROR, message)
    if hint:
        tell(HINT, hint)


def silence_stdout() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
