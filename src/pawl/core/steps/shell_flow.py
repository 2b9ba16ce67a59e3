"""Values that reach code by way of a variable of the script.

`TITLE="${VALUE}"` is harmless until the script says `eval "$TITLE"`, `$TITLE` or `$((TITLE + 1))`: bash
runs, or evaluates `$(...)` inside, what the variable holds. Only what is plain in the text is seen
here: not what passes through functions, files or other programs (docs/known-limits).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pawl.core.steps.shell_tokens import Command, Slot, Word
from pawl.core.steps.shell_verdicts import reads_code, runs_words

_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z_0-9]*)\+?=")
_NUMERIC = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v"})


def refuse_later_evaluation(commands: Sequence[Command], evaluated: Iterable[str]) -> None:
    """Refuse the slots of variables whose values the script later runs or evaluates.

    Args:
        commands: all commands of the script.
        evaluated: the texts of its arithmetic and subscripts.
    """
    texts = [*evaluated, *(text for command in commands for text in _run_by(command))]
    names = {name for text in texts for name in _NAME.findall(text)}
    for name, slots in _variables(commands):
        if name in names:
            for slot in slots:
                slot.refuse(f"in the variable `{name}`, which the script runs or evaluates as arithmetic")


def evaluated_in_test(words: Sequence[Word]) -> list[str]:
    """Return the texts of a `[[ ]]` that bash evaluates as arithmetic."""
    if not any(word.text in _NUMERIC for word in words):
        return []
    return [word.source for word in words]


def _run_by(command: Command) -> Iterator[str]:
    if not command.words:
        return
    if not command.words[0].is_literal:
        yield command.words[0].source
    if runs_words(command):
        yield from (word.source for word in command.words if not (word.is_literal or word.slots))


def texts_run_as_input(chain: Sequence[Command]) -> Iterator[str]:
    """Yield the sources of what flows into the commands of `chain` that run their input."""
    last = max((number for number, command in enumerate(chain) if reads_code(command)), default=-1)
    for number, command in enumerate(chain[: last + 1]):
        yield command.fed_text
        if number < last:
            yield from (word.source for word in command.words)


def _variables(commands: Sequence[Command]) -> Iterator[tuple[str, list[Slot]]]:
    for command in commands:
        for word in (*command.assignments, *command.words[1:]):
            assigned = _ASSIGNED.match(word.text)
            if assigned is not None and word.slots:
                yield assigned[1], word.slots
        if len(command.words) > 1 and command.words[0].text in ("for", "select"):
            yield command.words[1].text, [slot for word in command.words[2:] for slot in word.slots]
        if command.words and command.words[0].text in ("read", "mapfile", "readarray"):
            for word in command.words[1:]:
                yield word.text, command.fed
