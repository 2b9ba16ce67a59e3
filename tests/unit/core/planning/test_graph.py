from __future__ import annotations

from pawl.core.planning.graph import all_ancestors, find_cycle, topological_order


def test_the_order_is_the_files_where_needs_allow() -> None:
    needs = {"z": ["a"], "b": [], "a": [], "c": ["b", "b"]}
    assert topological_order(needs) == ("b", "a", "z", "c")


def test_a_cycle_is_named_from_its_first_key() -> None:
    assert find_cycle({"x": ["a"], "a": ["c"], "b": ["a"], "c": ["b"]}) == ("a", "c", "b", "a")
    assert find_cycle({"a": ["a"]}) == ("a", "a")
    assert find_cycle({"a": [], "b": ["a"]}) == ()


def test_ancestors_are_all_transitive_needs_in_order() -> None:
    needs = {"a": [], "b": ["a"], "c": ["b", "a"], "d": []}
    order = topological_order(needs)
    found = {"a": (), "b": ("a",), "c": ("a", "b"), "d": ()}
    assert all_ancestors(order, needs, 3) == found
    assert all_ancestors(order, needs, 2) is None
