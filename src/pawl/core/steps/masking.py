"""Hiding secrets in output: a stream of blocks goes in, the same stream with `***` comes out.

A secret may be cut anywhere between blocks, so the end of a block that could be the start of a secret
is held back until the next one. What comes out does not depend on how the input was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from sys import byteorder

from pawl.core.steps.needles import MAX_NEEDLE, needles_of

MASK = b"***"

MAX_NEEDLES = 20_000
"""Needles of one job: about 2,000 secrets; more than that makes every block slow."""

_STEM = 64
"""Bytes of a needle that the quick search looks for."""


class TooManySecrets(ValueError):  # noqa: N818 - reads as what happened
    """More values are to be hidden than one masker can search for."""


class Needles:
    """A growing set of byte strings to search for, arranged for speed."""

    def __init__(self) -> None:
        self.all: set[bytes] = set()
        self._by_stem: list[tuple[bytes, tuple[bytes, ...]]] = []
        self._by_first: dict[int, list[bytes]] = {}
        self._gate = _Gate()
        self._longest = 0

    def add(self, needles: Iterable[bytes]) -> None:
        """Search for `needles` too. The cost does not depend on how many there are already."""
        new = sorted({needle for needle in needles if needle}.difference(self.all))
        self.all.update(new)
        for needle in new:
            self._by_first.setdefault(needle[0], []).append(needle)
            self._longest = max(self._longest, len(needle))
        for stem, group in _group_by_stem(new):
            self._by_stem.append((stem, group))
            self._gate.add(stem)

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """Return the stretches of `data` to hide: in order, apart, overlapping and touching hits merged."""
        if self._gate.closed_to(data):
            return []
        found = [
            span
            for stem, needles in self._by_stem
            if stem in data
            for needle in needles
            for span in _hits(data, needle)
        ]
        return _merged(found)

    def unfinished(self, data: bytes) -> int:
        """Return where the longest end of `data` starts that could still become a needle."""
        tail_start = max(0, len(data) - self._longest + 1)
        tail = data[tail_start:]
        earliest = len(tail)
        for first, needles in self._by_first.items():
            at = tail.find(first)
            while 0 <= at < earliest:
                rest = tail[at:]
                if any(len(needle) > len(rest) and needle.startswith(rest) for needle in needles):
                    earliest = at
                    break
                at = tail.find(first, at + 1)
        return tail_start + earliest


class _Gate:
    """A quick proof that a block holds no secret, which is the rule: its cost hardly grows with their number.

    A stem of 15 bytes or more that occurs in a block covers a whole 8-byte word of it, so it is enough to
    look up the block's words (every second, third, ... one, if the stems are long) among the stems'
    windows of 8 bytes. Shorter stems, and a few long ones, are sooner searched one by one.
    """

    _WORD = 8
    _FEW = 24

    def __init__(self) -> None:
        self._single: list[bytes] = []
        self._long: list[bytes] = []
        self._windows: set[int] = set()
        self._stride = 1

    def add(self, stem: bytes) -> None:
        """Watch for `stem` too."""
        if len(stem) < 2 * self._WORD - 1:
            self._single.append(stem)
            return
        self._long.append(stem)
        if len(self._long) == self._FEW:
            shortest = min(map(len, self._long))
            self._stride = (shortest - self._WORD + 1) // self._WORD
            for early in self._long:
                self._watch(early)
        elif len(self._long) > self._FEW:
            self._stride = min(self._stride, (len(stem) - self._WORD + 1) // self._WORD)
            self._watch(stem)

    def _watch(self, stem: bytes) -> None:
        starts = range(len(stem) - self._WORD + 1)
        self._windows.update(int.from_bytes(stem[at : at + self._WORD], byteorder) for at in starts)

    def closed_to(self, data: bytes) -> bool:
        """Return True when none of the stems is in `data`; False when one may be."""
        if any(stem in data for stem in self._single):
            return False
        if not self._windows:
            return not any(stem in data for stem in self._long)
        words = memoryview(data)[: len(data) - len(data) % self._WORD].cast("Q")
        return self._windows.isdisjoint(words[:: self._stride])


def _group_by_stem(needles: Iterable[bytes]) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """Group sorted `needles` by the one that the others begin with: where it is not, none of them is."""
    group: list[bytes] = []
    for needle in needles:
        if group and not needle.startswith(group[0]):
            yield group[0][:_STEM], tuple(group)
            group = []
        group.append(needle)
    if group:
        yield group[0][:_STEM], tuple(group)


def _hits(data: bytes, needle: bytes) -> Iterator[tuple[int, int]]:
    """Yield the stretches covered by `needle`, in steps as long as the needle."""
    length = len(needle)
    start = data.find(needle)
    while start >= 0:
        end = start + length
        # Of the hits that overlap or touch this one only the last can reach further.
        last = data.rfind(needle, start + 1, end + length)
        while last > 0:
            end = last + length
            last = data.rfind(needle, last + 1, end + length)
        yield start, end
        start = data.find(needle, end)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class SecretSet:
    """The secrets of a job, shared by the maskers of its streams. Values can be added at any time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self.needles = Needles()
        self.add(*secrets)

    def add(self, *values: str) -> None:
        """Hide `values` from now on. Blank ones are ignored.

        Raises:
            TooManySecrets: there are more than `MAX_NEEDLES` forms to search for.
        """
        for value in values:
            if value in self._values:
                continue
            forms = needles_of(value)
            if len(forms) + len(self.needles.all) > MAX_NEEDLES:
                raise TooManySecrets("too many values are to be masked in one job")
            self._values.add(value)
            self.needles.add(forms)

    def mask_text(self, text: str) -> str:
        """Return `text` with every secret replaced by `***`."""
        data = text.encode("utf-8", "surrogatepass")
        spans = self.needles.spans(data)
        return _masked(data, spans).decode("utf-8", "surrogatepass") if spans else text

    def contains_secret(self, text: str) -> bool:
        """Return whether `text` holds a secret (an output that does is dropped, language.md rule 28)."""
        return bool(self.needles.spans(text.encode("utf-8", "surrogatepass")))


class Masker:
    """Masks one stream. Memory: a block and less than `MAX_NEEDLE` bytes."""

    def __init__(self, secrets: Iterable[str] | SecretSet = ()) -> None:
        """Take the secrets, or a set that several streams share."""
        self.secrets = secrets if isinstance(secrets, SecretSet) else SecretSet(secrets)
        self._held = b""
        self._hidden = 0  # so many bytes at the start of `_held` stand behind a `***` already written
        self._touching = False  # the last thing written is a `***` that ends where `_hidden` does

    def add(self, value: str) -> None:
        """Hide `value` in everything not yet returned."""
        self.secrets.add(value)

    def mask_text(self, text: str) -> str:
        """Return a text that is not part of the stream with every secret replaced by `***`."""
        return self.secrets.mask_text(text)

    def feed(self, block: bytes) -> bytes:
        """Return what can be shown of the stream up to and including `block`."""
        data = self._held + block if self._held else block
        return self._take(data, self.secrets.needles.unfinished(data))

    def flush(self) -> bytes:
        """Return what was held back: the stream has ended, or is to be shown as it stands."""
        shown = self._take(self._held, len(self._held))
        self._touching = False
        return shown

    def _take(self, data: bytes, until: int) -> bytes:
        """Return `data` masked up to `until` and hold the rest."""
        written: list[bytes] = []
        position, touching = self._hidden, self._touching
        for start, end in self.secrets.needles.spans(data):
            if start >= until and not (touching and start <= position):
                break
            if start > position or not touching:
                written += (data[position:start], MASK)
            position, touching = max(position, end), True
        if position < until:
            written.append(data[position:until])
            touching = False
        self._held = data[until:]
        self._hidden = max(0, position - until)
        self._touching = touching
        return b"".join(written)


def _masked(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    edges = [0, *(edge for span in spans for edge in span), len(data)]
    clear = [data[start:end] for start, end in list(pairwise(edges))[::2]]
    return MASK.join(clear)


assert MAX_NEEDLE > _STEM  # noqa: S101 - a stem is part of its needle
