"""Matrices: any data gives combinations or errors, and the combinations keep the rules."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.model.plan import Json
from pawl.core.planning.matrix import NAME_LENGTH, expand_matrix

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["", "a", "A", "1"])
ANYTHING: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("aAbxk"), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["a", "b", "B", "include", "exclude"])
ENTRIES = st.lists(
    st.dictionaries(st.sampled_from(["a", "A", "b", "x", "X"]), SCALARS, max_size=3), max_size=3
)
VECTORS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.lists(SCALARS, min_size=1, max_size=3), max_size=3
)


@settings(max_examples=150)
@given(ANYTHING | st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_any_data_gives_combinations_or_errors(matrix: Json) -> None:
    expansion = expand_matrix(matrix, "job")
    assert not (expansion.errors and expansion.combinations)
    for index, combination in enumerate(expansion.combinations):
        assert (combination.index, combination.total) == (index, len(expansion.combinations))
        assert len(combination.name) <= NAME_LENGTH


@settings(max_examples=150)
@given(VECTORS, ENTRIES, ENTRIES)
def test_excludes_only_remove_and_includes_only_add(
    vectors: dict[str, Json], include: list[Json], exclude: list[Json]
) -> None:
    full = expand_matrix(vectors, "job")
    less = expand_matrix({**vectors, "exclude": exclude}, "job")
    more = expand_matrix({**vectors, "exclude": exclude, "include": include}, "job")
    if not less.errors:
        assert len(less.combinations) <= len(full.combinations)
    if not more.errors and not less.errors:
        kept = [_only(each.values, vectors) for each in more.combinations][: len(less.combinations)]
        assert repr(kept) == repr([each.values for each in less.combinations])
        assert len(more.combinations) <= len(less.combinations) + len(include)


def _only(values: dict[str, Json], keys: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in values.items() if key in keys}
