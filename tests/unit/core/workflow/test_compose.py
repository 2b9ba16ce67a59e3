from __future__ import annotations

import pytest

from pawl.core.diagnostics import Position
from pawl.core.workflow.compose import Composed, compose
from pawl.core.workflow.limits import Limits
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence, to_json


def codes(composed: Composed) -> list[tuple[str, str]]:
    return [(str(found.span.start), found.code) for found in composed.diagnostics]


def value_of(text: str, *path: str) -> Node:
    node = compose(text).root
    for key in path:
        assert isinstance(node, Mapping)
        node = node.get(key)
    assert node is not None
    return node


def scalar_of(text: str, *path: str) -> Scalar:
    node = value_of(text, *path)
    assert isinstance(node, Scalar)
    return node


def test_every_node_knows_its_place() -> None:
    root = compose("on: push\njobs:\n  build:\n    steps: [a, 'b']\n").root
    assert isinstance(root, Mapping)
    (_, on), (jobs, _) = root.entries
    assert (str(on.span.start), str(on.span.end)) == ("1:5", "1:9")
    assert str(jobs.span.start) == "2:1"
    steps = value_of("on: push\njobs:\n  build:\n    steps: [a, 'b']\n", "jobs", "build", "steps")
    assert isinstance(steps, Sequence)
    assert [str(item.span.start) for item in steps.items] == ["4:13", "4:16"]
    assert (str(steps.span.start), str(steps.span.end)) == ("4:12", "4:20")


def test_columns_count_characters_and_not_bytes() -> None:
    assert str(scalar_of("ä: {b: c}\n", "ä", "b").span.start) == "1:8"


def test_on_is_a_key_and_no_is_a_text() -> None:
    assert to_json(compose("on: no\n").root) == {"on": "no"}


def test_an_empty_text_has_no_tree_and_no_fault() -> None:
    assert compose("# only a comment\n") == Composed(None, ())


def test_bytes_a_byte_order_mark_and_crlf_are_read() -> None:
    composed = compose(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n")
    assert to_json(composed.root) == {"a": 1, "b": "x\ny\n"}


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("a: b: c\n", "1:5", "yaml-syntax"),
        ("a:\n\t- b\n", "2:1", "yaml-syntax"),
        ("a: 'b\n", "1:4", "yaml-syntax"),
        ("a: @b\n", "1:4", "yaml-syntax"),
        ("a: b\x00\n", "1:5", "yaml-character"),
        (b"a: \xff\n", "1:4", "yaml-character"),
        ("a: b\n---\nc: d\n", "2:1", "yaml-several-documents"),
        ("a: *b\n", "1:4", "yaml-unknown-alias"),
        ("a: &b [*b]\n", "1:8", "yaml-recursive-alias"),
        ("a: !custom b\n", "1:4", "yaml-tag"),
        ("a: !custom {b: c}\n", "1:4", "yaml-tag"),
        ("a: !!int b\n", "1:4", "yaml-tag"),
        ("[a]: b\n", "1:1", "yaml-key"),
        ("a: {<<: b}\n", "1:5", "yaml-merge"),
        ("a: 1\nb: 2\nA: 3\n", "3:1", "duplicate-key"),
    ],
)
def test_a_fault_is_found_at_its_place(text: str | bytes, place: str, code: str) -> None:
    assert codes(compose(text)) == [(place, code)]


def test_a_tab_in_the_indentation_is_explained() -> None:
    assert compose("a:\n\tb: c\n").diagnostics[0].hint == "indent with spaces: a tab is not allowed there"


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_a_line_break_of_old_yaml_is_a_character(character: str) -> None:
    text = f"a: x{character}y\nb: |\n  1{character}2\nc: *no\n"
    assert codes(compose(text)) == [("4:4", "yaml-unknown-alias")]
    assert to_json(compose(text.replace("*no", "z")).root) == {
        "a": f"x{character}y",
        "b": f"1{character}2\n",
        "c": "z",
    }


def test_a_hidden_character_never_stands_for_one_that_is_there() -> None:
    text = "a: \u2028\U000f0000\n"
    assert to_json(compose(text).root) == {"a": "\u2028\U000f0000"}


def test_the_first_of_two_equal_keys_wins_and_both_places_are_told() -> None:
    composed = compose("env:\n  A: 1\n  a: 2\n")
    assert to_json(composed.root) == {"env": {"A": 1}}
    assert [str(span.start) for span, _ in composed.diagnostics[0].related] == ["2:3"]


def test_all_faults_of_a_text_come_at_once() -> None:
    composed = compose("a: !x 1\nA: 2\nb: {c: 1, c: 2}\n")
    assert codes(composed) == [("1:4", "yaml-tag"), ("2:1", "duplicate-key"), ("3:11", "duplicate-key")]


def test_merged_keys_give_way_to_the_mappings_own_and_to_earlier_sources() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 0}\n"
    assert to_json(value_of(text, "z")) == {"a": 0, "b": 1, "c": 2}


def test_a_quoted_merge_key_is_a_plain_key() -> None:
    assert to_json(compose("a: {'<<': b}\n").root) == {"a": {"<<": "b"}}


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "code"),
    [
        (Limits(size=4), "a: b", "a: bc", "yaml-too-large"),
        (Limits(size=5), "a: ä", "a: ää", "yaml-too-large"),
        (Limits(depth=2), "[[a]]", "[[[a]]]", "yaml-too-deep"),
        (Limits(nodes=4), "[a, b, c]", "[a, b, c, d]", "yaml-too-large"),
        (Limits(aliases=1), "[&a b, *a]", "[&a b, *a, *a]", "yaml-too-many-aliases"),
        (Limits(nodes=7), "[&a [b, c], *a]", "[&a [b, c, d], *a]", "yaml-too-large"),
        (Limits(depth=3), "[&a [b], [*a]]", "[&a [b], [[*a]]]", "yaml-too-deep"),
        (Limits(depth=2), "[&a b, [*a]]", "[&a [b], [*a]]", "yaml-too-deep"),
        (
            Limits(nodes=12),
            "{a: &a {b: c}, d: {<<: *a}}",
            "{a: &a {b: c}, d: {<<: *a, e: f}}",
            "yaml-too-large",
        ),
    ],
)
def test_a_limit_allows_what_is_at_it_and_refuses_one_more(
    limits: Limits, inside: str, outside: str, code: str
) -> None:
    assert compose(inside, limits).diagnostics == ()
    assert [found.code for found in compose(outside, limits).diagnostics] == [code]


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert [found.code for found in compose("\n".join(lines)).diagnostics] == ["yaml-too-large"]


def test_a_hundred_thousand_brackets_are_refused() -> None:
    assert [found.code for found in compose("[" * 100_000).diagnostics] == ["yaml-too-deep"]


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  one\n  two X\n",
        "a: |2\n   one\n\n  X\n",
        "a: |-\n\n\n    one\n    X\n",
        "a: >\n  one\n  two\n\n  three X\n\n  four\nb: c\n",
        "a: >-\n  one\n  X",
        "a: one\n  two\n  X\n",
        "a: 'one\n\n  two X'\n",
        'a: "one\n  two X"\n',
        "a: 'X'\n",
        "a: 'X one\n  two'\n",
        "a:\n  b: |1\n    X\n",
        "a: X\n",
        "- - a: |\n      one\n      X\n",
    ],
)
def test_a_character_of_a_scalar_is_located_in_the_file(text: str) -> None:
    """The marker stands for an expression: only texts with one keep the places of their lines."""
    text = text.replace("X", "${{ x }}")
    node = compose(text).root
    while not isinstance(node, Scalar):
        assert node is not None
        node = node.items[0] if isinstance(node, Sequence) else node.entries[0][1]
    place = node.locate(node.text.index("${{"))
    lines = text.split("\n")
    assert lines[place.line - 1][place.column - 1 :].startswith("${{")


def test_a_place_behind_the_end_is_still_a_place() -> None:
    assert scalar_of("a: b\n", "a").locate(5) == Position(1, 9)
