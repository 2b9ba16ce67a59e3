from __future__ import annotations

import pytest

from pawl.core.model.refs import full_ref_fault, is_commit, is_no_commit, ref_fault, repository_fault

GOOD = [
    *(
        "main",
        "feature/one",
        "v1.2.3",
        "a@b",
        "é/ü",
        "refs/heads/x",
        "a{b}",
        "x" * 1000,
        "a#b",
        "$(id)",
        "`id`",
    ),
    *("a;b", "a'b", 'a"b', "a|b", "a&b", "HEAD", "release-1", "a.b", "dependabot/npm/x-1.2.3", "#1", "日本"),
]
BAD = [
    *("", "@", "a@{b", ".a", "a/.b", "a.lock", "a.lock/b", "a/", "/a", "a//b", "a.", "a..b", "a b", "a\tb"),
    *("a\nb", "a\rb", "a\0b", "a\x7fb", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "x" * 1001),
    *("-a", "a/-b", "--upload-pack=id", "\ud800"),
]


@pytest.mark.parametrize("name", GOOD)
def test_a_name_that_git_takes_is_taken(name: str) -> None:
    assert ref_fault(name) == ""


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_git_does_not_take_is_told_in_printable_words(name: str) -> None:
    fault = ref_fault(name)
    assert fault
    assert fault.isprintable()


@pytest.mark.parametrize("name", ["refs/heads/main", "refs/tags/v1", "refs/pull/7/merge"])
def test_a_full_ref_names_its_kind(name: str) -> None:
    assert full_ref_fault(name) == ""


@pytest.mark.parametrize(
    "name", ["main", "refs/heads", "refs/x", "heads/main", "refs/heads/", "refs/heads/-x"]
)
def test_a_short_or_wrong_ref_is_no_full_one(name: str) -> None:
    assert full_ref_fault(name)


def test_a_commit_is_told_by_all_its_digits() -> None:
    assert is_commit("0123456789abcdef" * 2 + "01234567")
    assert is_commit("a" * 64)
    for text in (
        "",
        "a" * 39,
        "a" * 41,
        "A" * 40,
        "g" * 40,
        "0" * 40,
        "0" * 64,
        "a" * 40 + "\n",
        "-" + "a" * 39,
    ):
        assert not is_commit(text)


def test_the_zeros_of_forges_are_no_commit() -> None:
    assert is_no_commit("0" * 40)
    assert is_no_commit("0" * 64)
    for text in ("", "0", "0" * 41, "0" * 39 + "1"):
        assert not is_no_commit(text)


@pytest.mark.parametrize("name", ["a/b", "acme/app", "group/sub/app", "A_b/c.d-e~f", "1/2"])
def test_a_repository_has_an_owner_and_a_name(name: str) -> None:
    assert repository_fault(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "/",
        "a/",
        "/b",
        "a//b",
        "../b",
        "a/..",
        "a/.",
        "-a/b",
        "a/-b",
        "a b/c",
        "a/b\n",
        "é/b",
        "a/" + "b" * 254,
    ],
)
def test_a_repository_that_is_none_is_told(name: str) -> None:
    assert repository_fault(name).isprintable()
    assert repository_fault(name)
