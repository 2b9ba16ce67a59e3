"""Checks of the YAML itself."""

from __future__ import annotations

from pawl.core.diagnostics.catalogue.entry import Entry, job, steps, text

YAML = (
    Entry(
        code="yaml-syntax",
        title="The text is not YAML",
        explanation="The reader stopped here. The cause often stands a line above: a quote or "
        "bracket that is not "
        "closed, a tab, or a colon followed by a blank inside a text that should be quoted.",
        bad=steps("- run: echo one: two\n"),
        good=steps("- run: 'echo one: two'\n"),
    ),
    Entry(
        code="yaml-character",
        title="A character that YAML forbids",
        explanation="Control characters and bytes that are not UTF-8 are refused, since editors hide them.",
        bad=steps("- run: echo \x07\n"),
        good=steps("- run: echo\n"),
    ),
    Entry(
        code="yaml-too-large",
        title="The file is too large",
        explanation="A workflow may have 1 MiB of text, and 100,000 values once its aliases are put "
        "in. The limits "
        "keep one file from stopping the server.",
        bad=job("env:\n  A: a long text\n"),
        good=text("on: push\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n"),
        limits={"size": 60},
    ),
    Entry(
        code="yaml-too-deep",
        title="Lists and mappings are nested too deeply",
        explanation="GitHub allows 50 levels; no workflow needs ten.",
        bad=job("strategy:\n  matrix:\n    a: [[[[1]]]]\n"),
        good=job("strategy:\n  matrix:\n    a: [1]\n"),
        limits={"depth": 6},
    ),
    Entry(
        code="yaml-too-many-aliases",
        title="Too many aliases",
        explanation="A file may use 1000 aliases. Aliases of aliases can make a small file huge.",
        bad=job("env: &a {A: b}\nservices: {x: {image: x, env: *a}, y: {image: y, env: *a}}\n"),
        good=job("env: &a {A: b}\nservices: {x: {image: x, env: *a}}\n"),
        limits={"aliases": 1},
    ),
    Entry(
        code="yaml-unknown-alias",
        title="An alias without an anchor",
        explanation="`*name` repeats what `&name` marked further up in the same file.",
        bad=job("env: *shared\n"),
        good=job("env: &shared {A: b}\n"),
    ),
    Entry(
        code="yaml-recursive-alias",
        title="An anchor that contains itself",
        explanation="An alias inside the value that it stands for would never end.",
        bad=job("env: &a {A: *a}\n"),
        good=job("env: &a {A: b}\n"),
    ),
    Entry(
        code="yaml-several-documents",
        title="More than one document",
        explanation="`---` begins a second document. A workflow file holds one.",
        bad=job("") + "---\non: push\n",
        good="---\n" + job(""),
    ),
    Entry(
        code="yaml-tag",
        title="A tag that means nothing here",
        explanation="Only the tags of the YAML core schema are known (`!!str`, `!!int`, `!!bool` "
        "...), and a value "
        "must fit its tag.",
        bad=job("env:\n  DAY: !!timestamp 2026-01-01\n"),
        good=job("env:\n  DAY: !!str 2026-01-01\n"),
    ),
    Entry(
        code="yaml-key",
        title="A key that is no text",
        explanation="YAML allows lists and mappings as keys; a workflow has no use for them. Two "
        "braces without "
        "`$` before them (`{{ x }}`) are read as such a key.",
        bad="? [a]\n: b\n" + job(""),
        good=job(""),
    ),
    Entry(
        code="yaml-merge",
        title="A merge key without a mapping",
        explanation="`<<` puts in the keys of other mappings; it takes an alias of one, or a list of "
        "them. (GitHub "
        "does not know merge keys at all.)",
        bad=job("env:\n  <<: text\n  A: b\n"),
        good=job("env:\n  <<: {B: c}\n  A: b\n"),
    ),
    Entry(
        code="duplicate-key",
        title="The same key twice",
        explanation="Upper and lower case are the same here, as on GitHub, and the original "
        "spellings count as the "
        "key they stand for. Only one of the two could have an effect.",
        bad=job("env:\n  A: one\n  a: two\n"),
        good=job("env:\n  A: one\n  B: two\n"),
    ),
)
