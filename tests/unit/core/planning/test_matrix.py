from __future__ import annotations

import pytest

from pawl.core.model.plan import Json
from pawl.core.planning.limits import PlanLimits
from pawl.core.planning.matrix import expand_matrix


def values(matrix: Json) -> list[dict[str, Json]]:
    expansion = expand_matrix(matrix, "build")
    assert expansion.errors == ()
    return [combination.values for combination in expansion.combinations]


def test_the_first_key_changes_slowest() -> None:
    assert values({"a": [1, 2], "b": ["x", "y"]}) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_excludes_match_parts_loosely_and_deep() -> None:
    matrix: Json = {
        "c": [{"os": "L", "v": 1}, {"os": "w", "v": 2}],
        "n": [1, 2],
        "exclude": [{"c": {"os": "l"}, "n": "2"}],
    }
    assert values(matrix) == [
        {"c": {"os": "L", "v": 1}, "n": 1},
        {"c": {"os": "w", "v": 2}, "n": 1},
        {"c": {"os": "w", "v": 2}, "n": 2},
    ]


def test_includes_extend_or_append_and_never_overwrite_vectors() -> None:
    matrix: Json = {"a": [1], "include": [{"a": 1, "x": 1}, {"X": 2}, {"a": 2, "x": 3}]}
    assert values(matrix) == [{"a": 1, "x": 2}, {"a": 2, "x": 3}]


def test_an_include_of_an_excluded_combination_brings_it_back_at_the_end() -> None:
    matrix: Json = {"a": [1, 2], "exclude": [{"a": 1}], "include": [{"a": 1, "late": True}]}
    assert values(matrix) == [{"a": 2}, {"a": 1, "late": True}]


def test_names_show_scalars_but_not_what_includes_added() -> None:
    matrix: Json = {"v": [{"k": 1.5, "n": None}], "l": [["a", True]], "include": [{"extra": "no"}]}
    (combination,) = expand_matrix(matrix, "build").combinations
    assert combination.name == "build (1.5, a, true)"


def test_long_names_are_cut() -> None:
    (combination,) = expand_matrix({"v": ["x" * 200]}, "build").combinations
    assert len(combination.name) == 100
    assert combination.name.endswith("x...")


@pytest.mark.parametrize(
    "matrix",
    [
        None,
        [],
        "x",
        {},
        {"a": []},
        {"a": 1},
        {"a": [1], "include": [{}]},
        {"a": [1], "include": ["x"]},
        {"a": [1], "include": {}},
        {"a": [1], "exclude": [{"b": 1}]},
        {"a": [1], "exclude": [{}]},
        {"exclude": [{"a": 1}]},
    ],
)
def test_a_matrix_that_means_nothing_is_an_error(matrix: Json) -> None:
    assert expand_matrix(matrix, "build").errors


def test_all_faults_are_told_at_once() -> None:
    assert len(expand_matrix({"a": [], "b": 2, "exclude": [{"c": 1}]}, "build").errors) == 3


def test_the_limit_holds_exactly_and_a_warning_comes_before() -> None:
    assert len(expand_matrix({"a": list(range(256))}, "build").combinations) == 256
    assert "257 jobs" in expand_matrix({"a": list(range(257))}, "build").errors[0]
    assert expand_matrix({"a": list(range(49))}, "build").warnings == ()
    assert expand_matrix({"a": list(range(50))}, "build").warnings == ("the matrix makes 50 jobs",)


def test_a_product_beyond_counting_is_refused_before_it_is_made() -> None:
    huge: Json = {f"k{index}": list(range(100)) for index in range(50)}
    assert "combinations before" in expand_matrix(huge, "build").errors[0]
    many: list[Json] = [{"a": index} for index in range(1000)]
    limits = PlanLimits(comparisons=99_999)
    assert "comparisons" in expand_matrix({"a": list(range(100)), "exclude": many}, "build", limits).errors[0]
