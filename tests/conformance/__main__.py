"""`python -m tests.conformance [SET ...]`: print the table; exit 1 when a set passes too few cases."""

from __future__ import annotations

import os
import sys

from tests.conformance import harness


def main(arguments: list[str]) -> int:
    """Run the sets named, or all, and return the exit code."""
    every = "--all-failures" in arguments
    names = [argument for argument in arguments if not argument.startswith("-")] or harness.set_names()
    if not names:
        print(
            f"No conformance data in {harness.DATA_FOLDER} (PAWL_CONFORMANCE) nor {harness.CORPUS_FOLDER} "
            "(PAWL_CORPUS): nothing was checked."
        )
        return 1 if os.environ.get("CI") == "true" else 0
    results = [harness.run_set(name) for name in names]
    print(harness.table(results, failures_shown=1000 if every else 3))
    return 0 if all(result.is_enough for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
