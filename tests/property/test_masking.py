"""Masking does not depend on how the stream is cut, and lets no form of a secret through."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.steps.masking import MASK, Masker, SecretSet

# Few letters, so that secrets overlap each other and themselves; no `*`, which the mask itself is made of.
secrets = st.lists(st.text("ab\n&\"'=", min_size=1, max_size=6), min_size=1, max_size=4)
texts = st.text("ab\n&\"'=xYQ", max_size=60)


@given(secrets, texts, st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=150, deadline=None)
def test_the_cut_of_the_stream_does_not_matter(values: list[str], text: str, cuts: list[int]) -> None:
    data = text.encode()
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    masker = Masker(values)
    pieces = [masker.feed(data[start:end]) for start, end in pairwise(edges)]

    shown = b"".join(pieces) + masker.flush()

    assert shown.decode() == SecretSet(values).mask_text(text)


@given(secrets, texts)
@settings(max_examples=150, deadline=None)
def test_no_form_of_a_secret_is_left(values: list[str], text: str) -> None:
    known = SecretSet(values)

    clear = known.mask_text(text).encode().split(MASK)

    assert not any(needle in part for part in clear for needle in known.needles.all)
