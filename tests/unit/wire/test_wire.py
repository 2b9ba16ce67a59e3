"""Messages and problems survive the way to the other side."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pawl.core.model.errors import (
    Conflict,
    Denied,
    InfrastructureError,
    InternalError,
    NotFound,
    OffsetConflict,
    PawlError,
    StaleLease,
    TooLarge,
    TransientError,
    Unavailable,
    UnsupportedBody,
    UsageError,
)
from pawl.core.model.ids import Epoch, JobId, JobKey, RunId
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Combination
from pawl.core.model.records import ArtifactEntry, AttemptRef
from pawl.core.model.reports import Piece, Report, Taken
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Begun, Lease, LogEnd, Payload, Renewal, Result, Work, WorkerHello
from pawl.wire import (
    PROTOCOL,
    ArtifactsRequest,
    BlobPlace,
    FinishRequest,
    LeaseAnswer,
    LeaseRequest,
    PieceHead,
    RenewAnswer,
    ReportAnswer,
    ReportRequest,
    agree,
    error_of,
    framed,
    head_of,
    problem_of,
    read_message,
    report_of,
    unframed,
    write_message,
)

LEASE = Lease(
    ref=AttemptRef(run=RunId(7), job=JobId("test#1"), attempt=2),
    epoch=Epoch(3),
    seconds=30.0,
)
WORK = Work(
    lease=LEASE,
    number=4,
    run_attempt=1,
    correlation="c0ffee",
    plan={"jobs": []},
    payload=Payload(
        key=JobKey("test"),
        combination=Combination(index=1, total=2, name="test (1)", values={"v": 1.5}),
        fail_fast=True,
        max_parallel=None,
        needs={JobKey("build"): NeedResult(result=Conclusion.SUCCESS, outputs={"a": "ü"})},
    ),
)
RESULT = Result(
    key="k",
    conclusion=Conclusion.FAILURE,
    duration=1.25,
    untrusted=frozenset({"a"}),
    failure_class=FailureClass.USER,
    exit_code=2,
    logs=(LogEnd(index=0, name="Set up job", size=10, lines=1, sha256="ab"),),
)

REPORT = Report(
    first=3,
    events=({"type": "job_started"}, {"type": "step_started", "name": "ä"}),
    pieces=(
        Piece(index=1, name="Run a & b", part="data", offset=2**40, data=b"\xff\0\n"),
        Piece(index=1, name="Run a & b", part="index", offset=0, data=b"ab"),
        Piece(index=2, name="", part="data", offset=0, data=b""),
    ),
)


@pytest.mark.parametrize(
    "message",
    [
        LeaseRequest(request="r", slots=2, wait=20.0),
        LeaseAnswer(work=(WORK,)),
        Begun(secrets={"TOKEN": "hunter2"}, variables={"A": "ü"}, notes=("so",), refused="no"),
        RenewAnswer(renewals=(Renewal(ref=LEASE.ref, alive=True, seconds=30.0, cancel="by me"),)),
        ReportRequest(lease=LEASE, report=head_of(REPORT)),
        ReportAnswer(
            told=4, pieces=(Taken(size=3), Taken(size=0, conflict=True), Taken(size=1, refused="x"))
        ),
        FinishRequest(lease=LEASE, result=RESULT, report=head_of(REPORT)),
        ArtifactsRequest(
            lease=LEASE,
            name="dist",
            files=(ArtifactEntry(name="a/b", size=3, sha256="ff", content_type="text/plain"),),
        ),
        WorkerHello(name="w", labels=("linux",), slots=1, protocol=1, version="1", running=(LEASE,)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_is_the_same_on_the_other_side(message: object) -> None:
    assert read_message(type(message), write_message(message)) == message


def test_fields_of_a_later_version_are_left_out_at_every_level() -> None:
    told = json.loads(write_message(LeaseAnswer(work=(WORK,))))
    told["later"] = 1
    told["work"][0]["lease"]["ref"]["later"] = {"deep": True}
    assert read_message(LeaseAnswer, json.dumps(told).encode()) == LeaseAnswer(work=(WORK,))


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"{}", b'{"request": 1, "slots": 1, "wait": 1}', b"[" * 99999]
)
def test_a_body_that_is_no_such_message_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError):
        read_message(LeaseRequest, body)


def test_a_report_is_the_same_on_the_other_side() -> None:
    head = write_message(ReportRequest(lease=LEASE, report=head_of(REPORT)))
    found, data = unframed(framed(head, REPORT), len(head))
    assert report_of(read_message(ReportRequest, found).report, data) == REPORT


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"events": {"a": 1}}, "not a list"),
        ({"first": -1}, "below 0"),
        ({"pieces": ()}, "bytes follow"),
        ({"pieces": (PieceHead(index=0, name="x", part="data", offset=0, size=4),)}, "bytes follow"),
        (
            {
                "pieces": (
                    PieceHead(index=0, name="x", part="data", offset=0, size=6),
                    PieceHead(index=0, name="x", part="index", offset=0, size=-1),
                )
            },
            "below 0",
        ),
    ],
)
def test_a_report_that_is_none_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        report_of(replace(head_of(REPORT), **change), memoryview(b"12345"))


@pytest.mark.parametrize("body", [b"", b"\0\0", b"\0\0\0\x03ab", b"\0\0\0\x09123456789", b"\xff" * 9])
def test_a_body_whose_head_is_cut_or_too_long_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match="head of this message"):
        unframed(body, 8)


def test_the_place_of_bytes_survives_the_query() -> None:
    bare = Lease(ref=LEASE.ref, epoch=LEASE.epoch, seconds=0)
    blob = BlobPlace(lease=bare, digest="ab" * 32, size=9, ask=True)
    assert BlobPlace.parse(blob.query()) == blob


@pytest.mark.parametrize(
    ("name", "text"),
    [("digest", "AB" * 32), ("size", "-1"), ("size", "٣"), ("size", "9" * 30), ("run", ""), ("job", "")],
)
def test_a_place_that_is_none_is_refused(name: str, text: str) -> None:
    query = BlobPlace(lease=LEASE, digest="ab" * 32, size=1).query()
    with pytest.raises(UsageError):
        BlobPlace.parse({**query, name: text})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OffsetConflict("gap", size=12), 409),
        (StaleLease("gone", hint="stop"), 409),
        (Conflict("taken"), 409),
        (TooLarge("big"), 413),
        (UnsupportedBody("zipped"), 415),
        (NotFound("no run 3"), 404),
        (Denied("who?"), 401),
        (Denied("not you", known=True), 403),
        (UsageError("bad"), 400),
        (Unavailable("later", retry_after=7.0), 503),
        (Unavailable("full", full=True), 507),
        (TransientError("blip"), 503),
        (InfrastructureError("broken"), 500),
        (InternalError("oops"), 500),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_the_same_on_the_other_side(error: PawlError, status: int) -> None:
    told_status, body = problem_of(error)
    assert (told_status, body["status"]) == (status, status)
    told = error_of(status, json.loads(json.dumps(body)))
    assert type(told) is type(error)
    assert vars(told) == vars(error)


def test_a_fault_says_nothing_of_itself() -> None:
    status, body = problem_of(ValueError("/etc/passwd"))
    assert status == 500
    assert "passwd" not in json.dumps(body)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(502, Unavailable), (429, Unavailable), (404, NotFound), (302, UsageError), (501, InfrastructureError)],
)
def test_an_answer_of_somebody_else_is_judged_by_its_status(status: int, kind: type[PawlError]) -> None:
    assert type(error_of(status, None)) is kind
    assert type(error_of(status, {"type": "about:blank", "retry_after": "soon"})) is kind


def test_a_version_in_common_is_agreed_on_or_refused() -> None:
    assert agree(PROTOCOL) == PROTOCOL
    for spoken, older in ((PROTOCOL - 1, "worker"), (PROTOCOL + 1, "server")):
        with pytest.raises(UsageError, match=f"speaks {spoken}") as caught:
            agree(spoken)
        assert caught.value.hint == f"update the {older}"
