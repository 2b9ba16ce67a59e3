"""`pawl completion`: the script that makes a shell complete Pawl's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from pawl.cli.examples import ExampleCommand

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    name="completion",
    cls=ExampleCommand,
    examples=(
        ('eval "$(pawl completion bash)"', "a line for ~/.bashrc"),
        ('eval "$(pawl completion zsh)"', "a line for ~/.zshrc"),
        ("pawl completion fish | source", "a line for ~/.config/fish/config.fish"),
    ),
)
@click.argument("shell", type=click.Choice(_SHELLS), metavar="SHELL")
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh or fish."""
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"no completion for {shell}", ctx)
    drawn = completion(ctx.find_root().command, {}, "pawl", "_PAWL_COMPLETE")
    # Not `.source()`: it starts bash to ask for its version.
    click.echo(drawn.source_template % drawn.source_vars())
