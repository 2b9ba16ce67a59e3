"""What servers answer, which may be of another version; and what the end of a run means for the exit code."""

from __future__ import annotations

import pytest

from pawl.cli.commands.token import choose_token
from pawl.cli.commands.worker import choose_labels
from pawl.cli.exits import ExitCode
from pawl.cli.remote.answers import conclusion, number, record, rows, text
from pawl.cli.remote.following import Blame
from pawl.cli.remote.showing import read_run_id
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.ids import JobId
from pawl.core.model.run_events import JobFinished
from pawl.core.model.status import Conclusion, FailureClass


def test_a_list_may_stand_under_its_name_or_alone() -> None:
    assert rows({"runs": [{"id": 1}, "x"]}, "runs") == rows([{"id": 1}], "runs") == [{"id": 1}]
    assert rows("what", "runs") == rows(None, "runs") == rows({}, "runs") == []


def test_a_record_must_be_one() -> None:
    assert record({"id": 1}, "run") == record({"run": {"id": 1}}, "run") == {"id": 1}
    with pytest.raises(InfrastructureError):
        record([], "run")


def test_fields_are_taken_as_far_as_they_are_there() -> None:
    row = {"a": "", "b": 0, "c": True, "conclusion": "lost"}
    assert (text(row, "a", "b"), text(row, "z"), number(row, "c", "b")) == ("0", "", 0.0)
    assert conclusion(row) is None


@pytest.mark.parametrize("typed", ["x", "-1", "1.5", "", "1" * 20, "#"])
def test_what_is_no_run_number_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="is no run number"):
        read_run_id(typed)


def test_run_numbers_may_have_a_hash() -> None:
    assert (read_run_id("12"), read_run_id("#12")) == (12, 12)


def ended(*classes: FailureClass | None) -> Blame:
    blame = Blame()
    for each in classes:
        blame.take(
            JobFinished(time=0, job=JobId("a"), conclusion=Conclusion.FAILURE, duration=0, failure_class=each)
        )
    return blame


def test_the_exit_code_is_that_of_the_run() -> None:
    assert ended().exit_code({"conclusion": "success"}) is ExitCode.SUCCESS
    assert ended(FailureClass.INFRASTRUCTURE).exit_code({"conclusion": "success"}) is ExitCode.SUCCESS
    assert ended(FailureClass.USER).exit_code({"conclusion": "failure"}) is ExitCode.FAILED
    assert ended(FailureClass.INFRASTRUCTURE).exit_code({"conclusion": "failure"}) is ExitCode.FAULT
    assert ended().exit_code({"conclusion": "cancelled"}) is ExitCode.FAILED


def test_only_the_last_attempt_of_a_job_counts() -> None:
    blame = ended(FailureClass.INFRASTRUCTURE, FailureClass.USER)
    assert blame.exit_code({"conclusion": "failure"}) is ExitCode.FAILED


def test_a_token_is_chosen_by_name_or_id() -> None:
    tokens = [
        {"id": "aaaaaaaaaaaa", "name": "w1"},
        {"id": "bbbbbbbbbbbb", "name": "w1", "revoked": True},
        {"id": "cccccccccccc", "name": "twice"},
        {"id": "dddddddddddd", "name": "twice"},
    ]
    assert choose_token(tokens, "w1") == "aaaaaaaaaaaa"
    assert choose_token(tokens, "cccccc") == "cccccccccccc"
    with pytest.raises(UsageError, match="there is no token `bbbbbb`"):
        choose_token(tokens, "bbbbbb")
    with pytest.raises(UsageError, match="2 tokens are called"):
        choose_token(tokens, "twice")


def test_a_worker_for_something_special_takes_nothing_else() -> None:
    special = choose_labels(["gpu"], ["ubuntu-latest"])
    assert special[0] == "self-hosted"
    assert (special[-1], "ubuntu-latest" in special) == ("gpu", False)
    assert choose_labels([], ["ubuntu-latest", "debian-*"])[-1] == "ubuntu-latest"
