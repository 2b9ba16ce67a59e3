"""The matrix: from `strategy.matrix` without expressions to combinations in order.

The rules are those of actions/runner, src/Sdk/WorkflowParser/Conversion/MatrixBuilder.cs and
JobNameBuilder.cs: product in the order of keys, the first slowest; excludes; includes that extend or append.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from pawl.core.expressions.coercion import equal, to_text
from pawl.core.expressions.text_rules import fold_case
from pawl.core.expressions.values import ArrayValue, ObjectValue, Value, to_value
from pawl.core.model.plan import Combination, Json
from pawl.core.planning.limits import DEFAULT_LIMITS, PlanLimits

NAME_LENGTH = 100
"""Characters a display name may have; a longer one ends in `...` (JobNameBuilder.cs)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """What a matrix gives. With errors there are no combinations.

    Attributes:
        combinations: in order; empty when excludes left none.
        errors: what is wrong, one sentence each, without a full stop.
        warnings: what is allowed but worth saying.
    """

    combinations: tuple[Combination, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Filter:
    """An include or exclude entry as comparisons: at each path the value must loosely equal the scalar."""

    leaves: tuple[tuple[_Path, Value], ...]

    def matches(self, values: ObjectValue) -> bool:
        return all(equal(_look_up(values, path), expected) for path, expected in self.leaves)


@dataclass(frozen=True, slots=True)
class _Include:
    """An include entry: what it must match, what it adds, and its keys in the order it would be appended."""

    filter: _Filter
    extra: Mapping[str, Json]
    alone: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class _Matrix:
    vectors: Mapping[str, list[Json]]
    includes: tuple[_Include, ...]
    excludes: tuple[_Filter, ...]


def expand_matrix(matrix: Json, name: str, limits: PlanLimits = DEFAULT_LIMITS) -> Expansion:
    """Return the combinations of a matrix in which no expression is left.

    Args:
        matrix: `strategy.matrix` as plain data.
        name: what display names begin with: the job's key, or its own name.
        limits: how many combinations are allowed.
    """
    errors: list[str] = []
    parsed = _parse(matrix, errors)
    if parsed is not None and not errors:
        errors += _excess(parsed, limits)
    if parsed is None or errors:
        return Expansion(errors=tuple(errors))
    found = list(_combine(parsed))
    if len(found) > limits.combinations:
        many = f"the matrix makes {len(found):,} jobs; at most {limits.combinations:,} are allowed"
        return Expansion(errors=(many,))
    warnings = []
    if len(found) >= limits.combinations_warning:
        warnings.append(f"the matrix makes {len(found)} jobs")
    combinations = tuple(
        Combination(index=index, total=len(found), name=display_name(name, shown), values={**shown, **extra})
        for index, (shown, extra) in enumerate(found)
    )
    return Expansion(combinations=combinations, warnings=tuple(warnings))


def display_name(name: str, values: Mapping[str, Json]) -> str:
    """Return `name (a, b)`: each scalar leaf of `values` that is not empty; cut to 97 characters + `...`."""
    segments = [text for leaf in _leaves(list(values.values())) if (text := _segment(leaf))]
    return shorten_name(f"{name} ({', '.join(segments)})" if segments else name)


def _segment(leaf: Json) -> str:
    return leaf if isinstance(leaf, str) else to_text(to_value(leaf))


def shorten_name(name: str) -> str:
    """Return a display name that is not too long."""
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 3]}..."


def _leaves(data: Json) -> Iterator[Json]:
    """Yield scalars, depth first. The depth of a file's data is bounded where it is parsed."""
    stack = [data]
    while stack:
        match item := stack.pop():
            case dict():
                stack += reversed(item.values())
            case list():
                stack += reversed(item)
            case _:
                yield item


def _parse(matrix: Json, errors: list[str]) -> _Matrix | None:
    if not isinstance(matrix, dict):
        errors.append(f"a matrix is a mapping of lists; this is {_kind(matrix)}")
        return None
    vectors: dict[str, list[Json]] = {}
    for key, value in matrix.items():
        if key in {"include", "exclude"}:
            continue
        if not isinstance(value, list):
            errors.append(f"matrix key `{key}` must be a list of values; this is {_kind(value)}")
        elif not value:
            errors.append(f"matrix key `{key}` has no values")
        else:
            vectors[key] = value
    folded = {fold_case(key): key for key in vectors}
    includes = tuple(_include(entry, folded) for entry in _entries(matrix, "include", errors))
    excludes = tuple(_exclude(entry, folded, errors) for entry in _entries(matrix, "exclude", errors))
    if not vectors and not includes and not errors:
        errors.append("a matrix needs at least one key with values, or an `include`")
    return _Matrix(vectors, includes, excludes)


def _entries(matrix: Mapping[str, Json], key: str, errors: list[str]) -> Iterator[dict[str, Json]]:
    """Yield the entries of `include` or `exclude` that are usable."""
    entries = matrix.get(key, [])
    if not isinstance(entries, list):
        errors.append(f"matrix `{key}` must be a list of mappings; this is {_kind(entries)}")
        return
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            errors.append(f"entry {number} of matrix `{key}` must be a mapping; this is {_kind(entry)}")
        elif not entry:
            errors.append(f"entry {number} of matrix `{key}` is empty")
        else:
            yield entry


def _include(entry: dict[str, Json], folded: Mapping[str, str]) -> _Include:
    wanted = {key: value for key, value in entry.items() if fold_case(key) in folded}
    extra = {key: value for key, value in entry.items() if fold_case(key) not in folded}
    return _Include(_filter(wanted), extra, {**wanted, **extra})


def _exclude(entry: dict[str, Json], folded: Mapping[str, str], errors: list[str]) -> _Filter:
    errors += [
        f"matrix `exclude` names `{key}`, which is no key of the matrix"
        for key in entry
        if fold_case(key) not in folded
    ]
    return _filter(entry)


def _filter(wanted: dict[str, Json]) -> _Filter:
    leaves: list[tuple[_Path, Value]] = []
    stack: list[tuple[_Path, Json]] = [((), wanted)]
    while stack:
        path, item = stack.pop()
        match item:
            case dict():
                stack += [((*path, key), value) for key, value in item.items()]
            case list():
                stack += [((*path, index), value) for index, value in enumerate(item)]
            case _:
                leaves.append((path, to_value(item)))
    return _Filter(tuple(leaves))


def _look_up(value: Value, path: _Path) -> Value:
    """Return what `matrix['a'][0]` would be: null where there is nothing (rule 8, 10)."""
    for key in path:
        if isinstance(value, ObjectValue) and isinstance(key, str):
            value = value.get(key)
        elif isinstance(value, ArrayValue) and isinstance(key, int):
            value = value[key] if key < len(value) else None
        else:
            return None
    return value


def _excess(matrix: _Matrix, limits: PlanLimits) -> list[str]:
    product = prod(len(values) for values in matrix.vectors.values()) if matrix.vectors else 0
    if product > limits.product:
        return [f"the matrix has {product:,} combinations before `exclude`, more than {limits.product:,}"]
    filters = [*matrix.excludes, *(include.filter for include in matrix.includes)]
    comparisons = product * sum(max(1, len(each.leaves)) for each in filters)
    if comparisons > limits.comparisons:
        return [
            f"the matrix's `include` and `exclude` would take {comparisons:,} comparisons; that is too many"
        ]
    return []


_Shown = Mapping[str, Json]


def _combine(matrix: _Matrix) -> Iterator[tuple[_Shown, Mapping[str, Json]]]:
    """Yield, for each combination, its own values and what includes added to it."""
    if not matrix.includes and not matrix.excludes:
        yield from ((values, {}) for values in _product(matrix.vectors))
        return
    matched: set[int] = set()
    for values in _product(matrix.vectors):
        seen = to_value(values)
        if not isinstance(seen, ObjectValue) or any(each.matches(seen) for each in matrix.excludes):
            continue
        extra: dict[str, Json] = {}
        for number, include in enumerate(matrix.includes):
            if include.filter.matches(seen):
                matched.add(number)
                _overwrite(extra, include.extra)
        yield values, extra
    for number, include in enumerate(matrix.includes):
        if number not in matched:
            yield include.alone, {}


def _product(vectors: Mapping[str, Sequence[Json]]) -> Iterable[dict[str, Json]]:
    """Return every choice, the last key changing fastest."""
    choices: list[dict[str, Json]] = [{}] if vectors else []
    for key, values in vectors.items():
        choices = [{**choice, key: value} for choice in choices for value in values]
    return choices


def _overwrite(extra: dict[str, Json], added: Mapping[str, Json]) -> None:
    """Add keys; one that is there already, whatever its case, keeps its spelling and gets the new value."""
    spelled = {fold_case(key): key for key in extra}
    for key, value in added.items():
        extra[spelled.setdefault(fold_case(key), key)] = value


def _kind(value: Json) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "empty"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
