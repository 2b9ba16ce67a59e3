"""Fuzzes the parser of workflow and action files for as long as it is let.

Usage: python tools/fuzz_workflow.py SECONDS [SEED] [FOLDER]

It damages real texts (those of tests/golden/parse and of FOLDER) and reports, with the text that did it, any
exception and any file that took longer than a second. The same seed makes the same texts.
"""

from __future__ import annotations

import random
import sys
import time
import traceback
from pathlib import Path

from pawl.core.workflow.action import parse_action
from pawl.core.workflow.parse import parse_workflow

_ROOT = Path(__file__).resolve().parent.parent
_SLOW_SECONDS = 1.0
_PIECES = (
    "${{",
    "}}",
    "&a ",
    "*a",
    "<<: ",
    "- ",
    ": ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "|\n",
    ">\n",
    "? ",
)
_MORE_PIECES = (
    "!!int ",
    "\t",
    "\x00",
    "\u2028",
    "\ufeff",
    "---\n",
    "#",
    "0x",
    ".nan",
    "if: ",
    "needs: ",
    "uses: ",
)


def damaged(text: str, source: random.Random) -> str:
    """Return the text with one to eight pieces put in, taken out, doubled or swapped."""
    for _ in range(source.randint(1, 8)):
        at, length = source.randint(0, len(text)), source.randint(0, 60)
        piece = source.choice((*_PIECES, *_MORE_PIECES, text[at : at + length]))
        match source.randint(0, 2):
            case 0:
                text = text[:at] + piece + text[at:]
            case 1:
                text = text[:at] + text[at + length :]
            case _:
                text = text[:at] + piece * source.randint(1, 50) + text[at + length :]
    return text


def fuzz(seconds: float, seed: int, folder: Path | None = None) -> int:
    """Return how many texts misbehaved within the time."""
    source = random.Random(seed)  # noqa: S311  texts to break a parser with are no secrets
    paths = sorted((_ROOT / "tests/golden/parse").glob("*.yml"))
    paths += sorted(folder.rglob("*.yml")) if folder else []
    texts = [path.read_text(encoding="utf-8") for path in paths]
    end, tried, bad = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        text = damaged(source.choice(texts), source)
        tried += 1
        bad += _misbehaves(text)
    print(f"seed {seed}: {tried} texts, {bad} misbehaved")
    return bad


def _misbehaves(text: str) -> bool:
    begin = time.monotonic()
    try:
        parse_workflow(text)
        parse_action(text)
    except Exception:  # noqa: BLE001  whatever is raised is what we are looking for
        print(f"--- raised on {text!r}\n{traceback.format_exc()}")
        return True
    if time.monotonic() - begin > _SLOW_SECONDS:
        print(f"--- slow on {text!r}")
        return True
    return False


if __name__ == "__main__":
    arguments = sys.argv[1:]
    folders = [Path(argument) for argument in arguments[2:3]]
    sys.exit(bool(fuzz(float(arguments[0]), int(arguments[1]) if arguments[1:] else 0, *folders)))
