"""Writes docs/reference/cli.md from the commands themselves: `python tools/generate_cli_reference.py > FILE`.

A test (tests/unit/cli/test_application.py) compares the file with what this returns.
"""

from __future__ import annotations

import click

from pawl.cli.application import COMMANDS, pawl

_HEAD = """\
# The command line

Made by `tools/generate_cli_reference.py` from the commands themselves: change those, then run it again.

Answers go to standard output, everything else (notes, progress, messages) to standard error. What an answer
says on a terminal may change; what `--json` says only grows. See also [exit-codes.md](exit-codes.md),
[configuration.md](configuration.md), and [events.md](events.md) for `pawl run --json`.

`--color auto|always|never` stands before the command (`pawl --color never plan`); `NO_COLOR` is honoured.
"""


def draw_reference() -> str:
    """Return the whole page."""
    return _HEAD + "".join(_draw_command(name) for name in COMMANDS)


def _draw_command(name: str) -> str:
    context = click.Context(pawl, info_name="pawl")
    command = pawl.get_command(context, name)
    if command is None:
        raise LookupError(name)
    return _draw(command, name, context, "##")


def _draw(command: click.Command, name: str, context: click.Context, heading: str) -> str:
    inner = click.Context(command, info_name=name, parent=context)
    usage = " ".join(command.collect_usage_pieces(inner))
    path = inner.command_path
    lines = [f"\n{heading} `{path}`\n", f"`{path} {usage}`\n", _paragraphs(command.help or "")]
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        lines.append("| option | meaning |\n| --- | --- |\n" + "".join(map(_row, options)))
    examples = getattr(command, "examples", ())
    if examples:
        width = max(len(typed) for typed, _ in examples)
        shown = "\n".join(f"{typed:<{width}}  # {what}" for typed, what in examples)
        lines.append(f"```sh\n{shown}\n```\n")
    parts = command.commands if isinstance(command, click.Group) else {}
    inside = (_draw(part, called, inner, "###") for called, part in parts.items())
    return "\n".join(lines) + "".join(inside)


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n")) + "\n"


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{each}`" for each in option.opts)
    if not option.is_flag:
        names += f" `{_value(option)}`"
    meaning = (option.help or "").replace("|", "\\|")
    return f"| {names} | {meaning} |\n"


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " / ".join(str(each) for each in option.type.choices)
    return option.metavar or option.type.name.upper()


if __name__ == "__main__":
    print(draw_reference(), end="")
