"""States that are remembered: good only for as long as the store holds them as they were."""

from __future__ import annotations

import json
from dataclasses import replace

from pawl.core.lifecycle import RunState, state_to_json
from pawl.core.model.ids import RunId
from pawl.engine.control.moment import StateCache

RUN = RunId(1)
STATE = RunState(groups={}, started_at=1.5)


def test_a_state_comes_back_as_it_was_stored() -> None:
    states = StateCache()
    stored = json.loads(json.dumps(states.stored(RUN, STATE)))
    assert states.get(RUN, stored) is STATE


def test_a_state_that_others_stored_since_counts_more_than_the_remembered_one() -> None:
    states = StateCache()
    states.stored(RUN, STATE)
    other = replace(STATE, ended=3)
    assert states.get(RUN, state_to_json(other)) == other


def test_a_state_that_was_forgotten_is_read_again() -> None:
    states = StateCache()
    stored = states.stored(RUN, STATE)
    for run in range(2, 200):
        states.stored(RunId(run), STATE)
    assert states.get(RUN, stored) == STATE
