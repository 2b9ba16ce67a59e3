from __future__ import annotations

import pytest

from pawl.core.forges.answers import Reply, shortened
from pawl.core.forges.events import base_event, completed
from pawl.core.model.forge import ForgeKind


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message": "no"}', "no"),
        (b'{"message": {"a": 1}}', ""),
        (b'{"error": {"message": "no such"}}', "no such"),
        (b'{"error": "invalid_token", "error_description": "expired"}', "invalid_token"),
        (b"<html>", ""),
        (b"[1]", ""),
        (b"\xff", ""),
        (b'{"message": "a\\n\\tb\\u001b[1m"}', "a b [1m"),
        (b'{"message": "key t0k"}', "key ***"),
    ],
)
def test_what_a_forge_says_is_told_in_one_plain_line(body: bytes, said: str) -> None:
    assert Reply(status=400, headers={}, body=body, secrets=("t0k", "")).message() == said


def test_a_long_answer_is_cut() -> None:
    told = Reply(status=400, headers={}, body=b'{"message": "' + b"x" * 500 + b'"}').message()
    assert told == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        ("a\n\nb\x00c", 10, "a b c"),
        ("a\u202eb\u2028c", 10, "a b c"),
        ("", 3, ""),
    ],
)
def test_a_text_is_cut_to_a_number_of_characters(text: str, most: int, cut: str) -> None:
    assert shortened(text, most) == cut


def test_the_default_branch_is_filled_in_where_a_forge_does_not_tell_it() -> None:
    unknown = base_event(ForgeKind.BITBUCKET, "acme/app", "", "ann", {})
    assert unknown.ref == ""
    assert completed(unknown, "trunk").ref == "refs/heads/trunk"
    assert completed(unknown, "trunk").default_branch == "trunk"
    known = base_event(ForgeKind.GITHUB, "acme/app", "main", "ann", {})
    assert completed(known, "trunk") == known
