from __future__ import annotations

from pawl.engine.execution.cancellation import Cancellation


def test_the_first_reason_stays_and_asking_again_can_only_hurry() -> None:
    cancellation = Cancellation()
    cancellation.request("first")
    cancellation.request("second", at_once=True)
    cancellation.request("third")

    assert (cancellation.reason, cancellation.requested, cancellation.at_once) == ("first", True, True)


def test_a_time_limit_is_no_cancellation_by_a_person() -> None:
    cancellation = Cancellation()
    cancellation.request("too long", timed_out=True)
    cancellation.request("me too")

    assert cancellation.timed_out


def test_nobody_asked() -> None:
    assert not Cancellation().requested
    assert Cancellation().reason == ""


def test_hurrying_only_matters_once_somebody_asked() -> None:
    cancellation = Cancellation()
    cancellation.hurry()
    assert not cancellation.requested

    cancellation.request("stop")
    cancellation.hurry()
    assert (cancellation.at_once, cancellation.reason) == (True, "stop")
