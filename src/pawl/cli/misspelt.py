"""PAWL_* variables that nothing reads and that look like one that something does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from pawl.cli.settings import SETTINGS
from pawl.cli.settings_file import OTHER_VARIABLES

_PREFIX = "PAWL_"
_SERVER = "PAWL_SERVER_"
_LIKENESS = 0.7


def misspelt_variables(names: Iterable[str]) -> Iterator[str]:
    """Yield one sentence for each name that is probably a known variable misspelt.

    Other unknown ones are let be: tools around Pawl have variables of their own.
    """
    known = {variable.removeprefix(_PREFIX) for variable in OTHER_VARIABLES}
    known |= {setting.variable.removeprefix(_PREFIX) for setting in SETTINGS}
    names = sorted(names)
    if any(name.upper().startswith(_SERVER) for name in names):
        from pawl.server.settings import SERVER_SETTINGS  # noqa: PLC0415 - few set any of these

        known |= {rule.variable.removeprefix(_PREFIX) for rule in SERVER_SETTINGS}
    for name in names:
        word = name.upper().removeprefix(_PREFIX)
        if not name.upper().startswith(_PREFIX) or name.removeprefix(_PREFIX) in known:
            continue
        # Without the prefix, which would make all of them alike.
        for match in get_close_matches(word[:100], known, n=1, cutoff=_LIKENESS):
            yield f"{name} is not read by Pawl: did you mean {_PREFIX}{match}?"
