"""However output is cut into blocks, the log and the commands found in it are the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.model.ids import JobId
from pawl.core.model.run_events import Annotated, RunEvent
from pawl.core.steps.commands import Command
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.output_log import StepLog
from pawl.engine.execution.output_reading import OutputReading
from pawl.ports.logs import LogSummary, StoredBlock
from pawl.testing.clock import FakeClock

SECRET = "s3cr3t-value"
pieces = st.sampled_from(
    [
        b"text", b"\n", b"\n", b"\r\n", b"::", b"##[", b" ", b"\xff\x00", b"std::vector\n", b"]",
        b"::group::G\n", b"\n::set-output name=a::1\n", b"::add-mask::newly-hidden\n", b"newly-hidden",
        SECRET.encode(), SECRET[:6].encode(), b"::error file=a::bad\n", b"\n##[warning]hm\n", b"::debug::x\n",
        b"::stop-commands::the-token\n", b"::the-token::\n", b"::echo::on\n",
    ]
)  # fmt: skip


class Seen:
    """Remembers what was stored, reported and told."""

    def __init__(self) -> None:
        self.log = b""
        self.annotations: list[str] = []
        self.commands: list[Command] = []

    def append(self, data: bytes, *, stream: str, time: float) -> StoredBlock | None:
        self.log += data
        return None

    def finish(self) -> LogSummary:
        return LogSummary(size=0, lines=0, sha256="")

    def report(self, event: RunEvent) -> None:
        if isinstance(event, Annotated):
            self.annotations.append(event.message)


def read(blocks: list[bytes]) -> Seen:
    seen = Seen()
    log = StepLog(
        seen, job=JobId("j"), index=0, secrets=SecretSet([SECRET]), reporter=seen, clock=FakeClock()
    )
    reading = OutputReading(log, on_command=seen.commands.append)
    for block in blocks:
        reading.feed(block, stream="out")
    reading.end()
    return seen


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=25).map(b"".join), st.lists(st.integers(0, 400), max_size=8))
def test_cutting_output_anywhere_changes_nothing(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    whole = read([data])
    cut = read([data[start:end] for start, end in pairwise(places)])
    assert cut.log == whole.log
    assert cut.commands == whole.commands
    assert cut.annotations == whole.annotations
    assert SECRET.encode() not in whole.log
