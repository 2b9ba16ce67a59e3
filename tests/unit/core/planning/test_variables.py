from __future__ import annotations

import pytest

from pawl.core.expressions import Untrusted
from pawl.core.model.errors import UsageError
from pawl.core.planning.variables import substitute

ENV = {"A": "one", "B": "$A", "EMPTY": "", "MATRIX_GO_VERSION": "1.20"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("img:$A", "img:one"),
        ("${A}x", "onex"),
        ("$Ax", "$Ax"),
        ("${NOPE:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${A:-d}", "one"),
        ("$B", "$A"),
        ("$$A", "$A"),
        ("$5 ${} ${1} $", "$5 ${} ${1} $"),
        ("$EMPTY", ""),
        ("golang:${MATRIX_GO_VERSION}", "golang:1.20"),
        ("golang:${matrix.go-version}-x", "golang:1.20-x"),
        ("${matrix.no:-1}${github.sha}${matrix.}", "1${github.sha}${matrix.}"),
    ],
)
def test_variables_are_replaced_once(text: str, expected: str) -> None:
    assert substitute(text, ENV) == expected


def test_strict_names_all_that_is_missing() -> None:
    with pytest.raises(UsageError, match="`X`, `Y`"):
        substitute("$X ${Y} $X ${Z:-ok}", ENV, strict=True)


def test_taint_goes_with_the_value() -> None:
    assert isinstance(substitute("a $U", {"U": Untrusted("x")}), Untrusted)
    assert not isinstance(substitute("a $A", ENV), Untrusted)
