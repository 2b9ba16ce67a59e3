"""Checks of jobs."""

from __future__ import annotations

from pawl.core.diagnostics.catalogue.entry import Entry, job, text
from pawl.core.diagnostics.diagnostic import Severity

_OTHER = "  {name}:\n    needs: {needs}\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n"

JOBS = (
    Entry(
        code="job-id",
        title="Not the id of a job",
        explanation="Ids hold letters, digits, `_` and `-`, begin with a letter or `_`, have fewer than 100 "
        "characters, and do not begin with `__`. A display name is free: `name:`.",
        bad=job("").replace("build:", "build it:"),
        good=job("name: build it\n"),
    ),
    Entry(
        code="unknown-need",
        title="A need that does not exist",
        explanation="`needs` names jobs by their ids, not by their display names.",
        bad=job("") + _OTHER.format(name="test", needs="built"),
        good=job("") + _OTHER.format(name="test", needs="build"),
    ),
    Entry(
        code="needs-cycle",
        title="Jobs that wait for each other",
        explanation="None of the jobs of a cycle could ever start. The message names the whole cycle.",
        bad=job("") + _OTHER.format(name="a", needs="[build, b]") + _OTHER.format(name="b", needs="a"),
        good=job("") + _OTHER.format(name="a", needs="build") + _OTHER.format(name="b", needs="a"),
    ),
    Entry(
        code="no-first-job",
        title="No job to begin with",
        explanation="At least one job must have no needs.",
        bad="on: push\njobs: {}\n",
        good=job(""),
    ),
    Entry(
        code="matrix-empty",
        title="A matrix without values",
        explanation="Each list of a matrix needs a value, and a matrix needs a list or `include`.",
        bad=job("strategy:\n  matrix:\n    os: []\n"),
        good=job("strategy:\n  matrix:\n    os: [linux]\n"),
    ),
    Entry(
        code="matrix-exclude",
        title="`exclude` names what the matrix does not have",
        explanation="An excluded combination is described by the matrix's own lists. GitHub fails "
        "such a job when "
        "it starts.",
        bad=job("strategy:\n  matrix:\n    os: [linux, mac]\n    exclude: [{arch: arm}]\n"),
        good=job("strategy:\n  matrix:\n    os: [linux, mac]\n    exclude: [{os: mac}]\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="matrix-too-large",
        title="A matrix that makes too many jobs",
        explanation="A matrix may make 256 jobs.",
        bad=job("strategy:\n  matrix:\n    a: [1, 2, 3]\n    b: [1, 2, 3]\n"),
        good=job("strategy:\n  matrix:\n    a: [1, 2]\n    b: [1, 2]\n"),
        limits={"matrix": 8},
    ),
    Entry(
        code="matrix-large",
        title="A matrix that makes many jobs",
        explanation="From 50 jobs on a matrix is slow to run and hard to read.",
        bad=job("strategy:\n  matrix:\n    a: [1, 2, 3]\n    b: [1, 2, 3]\n"),
        good=job("strategy:\n  matrix:\n    a: [1, 2]\n    b: [1, 2]\n"),
        severity=Severity.WARNING,
        limits={"matrix_warning": 8},
    ),
    Entry(
        code="runs-on-group",
        title="Not the name of a group of machines",
        explanation="A group is a plain name, or `organization/name` or `enterprise/name`.",
        bad=job("").replace("runs-on: ubuntu-latest", "runs-on: {group: team/big}"),
        good=job("").replace("runs-on: ubuntu-latest", "runs-on: {group: organization/big}"),
    ),
    Entry(
        code="container-image",
        title="A container without an image",
        explanation="`container` and each service name the image to run.",
        bad=job("services:\n  db:\n    ports: ['5432']\n"),
        good=job("services:\n  db:\n    image: postgres\n    ports: ['5432']\n"),
    ),
    Entry(
        code="image",
        title="Not the name of an image",
        explanation="`name`, `name:tag`, `registry/name@sha256:...`; names are in lower case. The "
        "job will fail "
        "when the image is fetched.",
        bad=job("container: Node:20\n"),
        good=job("container: node:20\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="container-options",
        title="An option that a workflow may not set",
        explanation="Only options that cannot loosen the isolation of a job are taken: user, host names, "
        "health checks, limits, tmpfs, ulimits, labels, read-only, init. With any other the job fails.",
        bad=job("container:\n  image: node\n  options: --cap-add NET_ADMIN\n"),
        good=job("container:\n  image: node\n  options: --user node --cpus 2\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="port",
        title="Not a port",
        explanation="`80`, `8080:80`, `127.0.0.1:8080:80`, each with `/udp` or `/tcp` behind it.",
        bad=job("services:\n  web: {image: nginx, ports: ['http']}\n"),
        good=job("services:\n  web: {image: nginx, ports: ['8080:80/tcp']}\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="timeout",
        title="Not a timeout",
        explanation="Minutes above zero; in Pawl's own key `timeout` also `90s`, `10m`, `1h30m`.",
        bad=job("timeout: soon\n"),
        good=job("timeout: 1h30m\n"),
    ),
    Entry(
        code="retry",
        title="Not a rule for trying again",
        explanation="`retry: 3`, or a mapping with `max_attempts` (1 to 20) and, where wanted, `backoff`, "
        "`exit_codes`, `signals`, `log` and `retry_on_timeout`.",
        bad=job("retry: 100\n"),
        good=job("retry: {max_attempts: 3, backoff: 30s}\n"),
    ),
    Entry(
        code="unknown-stage",
        title="A stage that does not exist",
        explanation="A job's `stage` is one of the names under `stages` at the top of the file.",
        bad="stages: [test]\n" + job("stage: tests\n"),
        good=text("stages: [test]\n") + job("stage: test\n"),
    ),
    Entry(
        code="stages-too-large",
        title="Stages with too many jobs",
        explanation="Each job of a stage needs each job of the stage before it: at most 20,000 needs in all.",
        bad="stages: [build, test]\n"
        + job("stage: build\n")
        + _OTHER.format(name="a", needs="[]\n    stage: test"),
        good="stages: [build, test]\n" + job("stage: build\n"),
        limits={"implied_needs": 0},
    ),
)
