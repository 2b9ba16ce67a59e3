"""What jobs are given as they begin, and what of it the server finds in what workers send."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pawl.core.model.errors import NotFound, StaleLease, Unavailable, UsageError
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeAccess, ForgeKind, ForgeToken
from pawl.core.model.ids import StepId
from pawl.core.model.plan import Json
from pawl.core.model.projects import ForkPolicy, Project
from pawl.core.model.records import ArtifactEntry, AttemptRef
from pawl.core.model.reports import Piece, Report
from pawl.core.model.run_events import StepStarted, to_json
from pawl.core.model.secrets import ValueScope
from pawl.core.model.status import Conclusion
from pawl.core.model.work import Begun, Lease, Result
from pawl.engine.control import Control, JobTokens, Keeping, Rules
from pawl.engine.control.tripwire import ATTENTION, WITHHELD
from pawl.ports.forge import Forge
from pawl.ports.log_bytes import LogName
from pawl.testing.sealing import OpenSealing
from pawl.testing.storage import CountedRandomness
from tests.integration.controlling import Hand, Server, log_end, make_server

EVERYBODYS, SITE = ValueScope(), ValueScope(project="acme/site")
LIVE = ValueScope(project="acme/site", environment="live")
PUSH = Event(name="push", repository="acme/site")
VALUE = "correct-horse-battery"


def workflow(step: str = "echo ${{ secrets.KEY }}", more: str = "", *, on: str = "push") -> str:
    return f"on: {on}\njobs:\n  build:\n    runs-on: linux\n{more}    steps:\n      - run: {step}\n"


async def add_site(server: Server, **more: Any) -> None:
    """Have a project whose forks' runs wait for nobody."""
    site = Project(
        name="acme/site",
        forge=ForgeKind.GITHUB,
        clone_url="https://h/s",
        created_at=1.0,
        forks=ForkPolicy.NEVER,
    )
    await server.store.write(lambda tx: tx.projects.put(replace(site, **more)))


async def begun(server: Server, text: str, event: Event = PUSH) -> tuple[Hand, Lease, Begun]:
    await server.trigger(text, event=event)
    hand = await server.worker()
    lease = await hand.take_one()
    return hand, lease, await hand.begin(lease)


async def given(server: Server, text: str, event: Event = PUSH) -> Begun:
    return (await begun(server, text, event))[2]


def restart(server: Server, keeping: Keeping) -> None:
    """Have another control engine work on the same store and bytes."""
    before = server.control
    server.control = Control(
        server.store, before.logs, before.blobs, server.clock, CountedRandomness(), Rules(), keeping=keeping
    )


async def keep(server: Server, *entries: tuple[ValueScope, str, str]) -> None:
    for scope, name, value in entries:
        await server.control.secrets.set(scope, name, value, by="me")


async def test_a_job_gets_what_it_names_and_nothing_else() -> None:
    server = make_server()
    await keep(server, (SITE, "key", VALUE), (SITE, "OTHER", "not-for-this-job"))
    assert (await given(server, workflow())).secrets == {"KEY": VALUE}
    assert (await given(server, workflow("make"))).secrets == {}


async def test_the_narrower_scope_outweighs_the_wider() -> None:
    server = make_server()
    await keep(server, (LIVE, "KEY", "of-live"), (SITE, "KEY", "of-site"), (EVERYBODYS, "KEY", "of-all"))
    await keep(server, (ValueScope(project="acme/other"), "KEY", "of-other"))
    assert (await given(server, workflow(more="    environment: live\n"))).secrets == {"KEY": "of-live"}
    chosen = workflow(more="    environment: {name: \"${{ github.ref_name == 'main' && 'live' || 'x' }}\"}\n")
    assert (await given(server, chosen)).secrets == {"KEY": "of-live"}
    assert (await given(server, workflow(more="    environment: test\n"))).secrets == {"KEY": "of-site"}
    assert (await given(server, workflow())).secrets == {"KEY": "of-site"}
    elsewhere = replace(PUSH, repository="acme/third")
    assert (await given(server, workflow(), elsewhere)).secrets == {"KEY": "of-all"}


async def test_a_job_of_a_fork_gets_none_and_its_log_will_say_so() -> None:
    server = make_server()
    await add_site(server)
    await keep(server, (SITE, "KEY", VALUE))
    event = Event(name="pull_request", action="opened", repository="acme/site", from_fork=True)
    found = await given(server, workflow(on="pull_request"), event)
    assert found == Begun(notes=("it gets no secrets: the commit comes from a fork",))
    own = await given(server, workflow(on="pull_request"), replace(event, from_fork=False))
    assert own.secrets == {"KEY": VALUE}


async def test_started_again_a_job_of_a_fork_still_gets_none_and_another_gets_what_is_new() -> None:
    server = make_server()
    await add_site(server)
    await keep(server, (SITE, "KEY", VALUE))
    event = Event(name="pull_request", action="opened", repository="acme/site", from_fork=True)
    for each, expected in ((event, {}), (replace(event, from_fork=False), {"KEY": "changed-since"})):
        run = await server.trigger(workflow(on="pull_request"), event=each)
        hand = await server.worker()
        await hand.run_all(Conclusion.FAILURE)
        await keep(server, (SITE, "KEY", "changed-since"))
        await server.control.runs.rerun(run.id, jobs="all", by="me")
        assert (await hand.begin(await hand.take_one())).secrets == expected


@pytest.mark.parametrize("step", ["echo ${{ toJSON(secrets) }}", "echo ${{ secrets[github.ref] }}"])
async def test_secrets_as_a_whole_are_what_is_named(step: str) -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE), (SITE, "OTHER", "not-for-this-job"))
    found = await given(server, workflow(f"{step} ${{{{ secrets.KEY }}}}"))
    assert found.secrets == {"KEY": VALUE}
    assert "as a whole" in found.notes[0]


async def test_only_a_live_lease_is_given_anything() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE))
    await server.trigger(workflow(), event=PUSH)
    hand, other = await server.worker(), await server.worker("other")
    lease = await hand.take_one()
    with pytest.raises(StaleLease):
        await other.begin(lease)
    with pytest.raises(StaleLease):
        await hand.begin(replace(lease, epoch=type(lease.epoch)(lease.epoch + 1)))
    assert await server.control.secrets.uses("KEY") == ()
    assert (await hand.begin(lease)).secrets == (await hand.begin(lease)).secrets == {"KEY": VALUE}
    await hand.finish(lease)
    with pytest.raises(StaleLease):
        await hand.begin(lease)


async def test_each_use_is_known_once_with_its_attempt_and_version() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE), (SITE, "KEY", VALUE + "2"))
    hand, lease, _ = await begun(server, workflow())
    await hand.begin(lease)
    (use,) = await server.control.secrets.uses("key")
    assert (use.attempt, use.scope, use.version) == (lease.ref, SITE, 2)
    (known,) = await server.control.secrets.list()
    assert known.used_at == use.used_at
    assert VALUE not in str(known)


async def test_neither_plan_nor_payload_nor_events_nor_audit_hold_a_value() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE))
    await server.trigger(workflow(), event=PUSH)
    hand = await server.worker()
    (work,) = await hand.take(1)
    await hand.begin(work.lease)
    assert VALUE not in str(work)
    assert VALUE not in str(await server.control.audit())
    assert VALUE not in str(await server.control.runs.attempts(work.lease.ref.run))
    assert VALUE not in str(await server.control.runs.events(work.lease.ref.run))


async def test_a_value_that_was_put_in_another_row_is_not_opened_and_the_job_is_refused() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE), (ValueScope(project="acme/evil"), "KEY", "theirs"))

    def swap(tx: Any) -> None:
        site = tx.secrets.get(SITE, "KEY")
        tx.secrets.put(replace(site, scope=ValueScope(project="acme/evil")))

    await server.store.write(swap)
    found = await given(server, workflow(), replace(PUSH, repository="acme/evil"))
    assert found.secrets == {}
    assert "cannot be opened" in found.refused


async def test_variables_come_with_the_plan_and_those_of_an_environment_at_the_beginning() -> None:
    server = make_server()
    set_variable = server.control.secrets.set_variable
    await set_variable(EVERYBODYS, "REGION", "everywhere", by="me")
    await set_variable(SITE, "REGION", "eu", by="me")
    await set_variable(LIVE, "REGION", "live-eu", by="me")
    _, lease, found = await begun(server, workflow(more="    environment: live\n"))
    record = await server.control.runs.get(lease.ref.run)
    plan: Any = await server.store.read(lambda tx: tx.runs.plan(record.id))
    assert plan["plan"]["variables"] == {"REGION": "eu"}
    assert found.variables == {"REGION": "live-eu"}
    run = await server.trigger(workflow(), event=PUSH, variables={"REGION": "asked"})
    plan = await server.store.read(lambda tx: tx.runs.plan(run.id))
    assert plan["plan"]["variables"] == {"REGION": "asked"}


async def test_a_request_asked_again_after_a_variable_changed_is_the_same_request() -> None:
    server = make_server()
    first = await server.trigger(workflow(), event=PUSH, request_id="r")
    await server.control.secrets.set_variable(SITE, "REGION", "eu", by="me")
    assert (await server.trigger(workflow(), event=PUSH, request_id="r")).id == first.id


@pytest.mark.parametrize(
    ("scope", "name", "value"),
    [
        (SITE, "GITHUB_TOKEN", VALUE),
        (SITE, "1A", VALUE),
        (SITE, "KEY", "abc"),
        (ValueScope(environment="live"), "KEY", VALUE),
        (ValueScope(project="no-slash"), "KEY", VALUE),
        (ValueScope(project="acme/site", environment="a,b"), "KEY", VALUE),
    ],
)
async def test_what_cannot_be_kept_is_refused(scope: ValueScope, name: str, value: str) -> None:
    server = make_server()
    with pytest.raises(UsageError) as caught:
        await server.control.secrets.set(scope, name, value, by="me")
    assert value not in f"{caught.value.message} {caught.value.hint}" or value == "abc"
    assert await server.control.secrets.list() == ()


async def test_what_is_removed_is_given_to_nobody() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE))
    await server.control.secrets.remove(SITE, "key", by="me")
    with pytest.raises(NotFound):
        await server.control.secrets.remove(SITE, "key", by="me")
    assert (await given(server, workflow())).secrets == {}
    actions = [entry.action for entry in await server.control.audit()]
    assert actions == ["secret.set", "secret.remove"]


async def test_a_server_without_a_key_keeps_none() -> None:
    server = make_server()
    restart(server, Keeping())
    with pytest.raises(UsageError, match="no key"):
        await server.control.secrets.set(SITE, "KEY", VALUE, by="me")


class OneForge:
    """A forge that makes tokens, or does not answer."""

    def __init__(self, answer: ForgeToken | Exception | None) -> None:
        self.answer = answer
        self.asked: list[tuple[ForgeAccess, Mapping[str, str]]] = []

    async def token(
        self, access: ForgeAccess, permissions: Mapping[str, str], _now: float
    ) -> ForgeToken | None:
        self.asked.append((access, permissions))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def server_with(forge: OneForge, **project: Any) -> Server:
    server = make_server()
    sealing = OpenSealing()
    made: Any = {ForgeKind.GITHUB: forge}
    forges: Mapping[ForgeKind, Forge] = made
    restart(server, Keeping(sealing=sealing, job_tokens=JobTokens(forges, sealing, server.clock)))
    names = ("token", "app_key")
    secrets = {name: sealing.seal(f"the-{name}-of-acme", f"project:acme/site:{name}") for name in names}
    await add_site(server, secrets=secrets, **project)
    return server


TOKEN_STEP = "echo ${{ github.token }}"


async def test_a_job_of_an_apps_project_gets_a_token_of_its_own_with_its_permissions() -> None:
    forge = OneForge(ForgeToken(user="x", secret="ghs_made_for_this_job"))
    server = await server_with(forge, app_id="7")
    found = await given(server, workflow(TOKEN_STEP, "    permissions: {contents: write, checks: none}\n"))
    assert found.secrets == {"GITHUB_TOKEN": "ghs_made_for_this_job"}
    ((access, permissions),) = forge.asked
    assert (access.app_key, access.token, permissions) == ("the-app_key-of-acme", "", {"contents": "write"})


async def test_a_fork_gets_a_token_that_only_reads_and_never_the_projects_own() -> None:
    event = Event(name="pull_request", action="opened", repository="acme/site", from_fork=True)
    text = workflow(TOKEN_STEP, "    permissions: write-all\n", on="pull_request")
    forge = OneForge(ForgeToken(user="x", secret="ghs_made_for_this_job"))
    await given(await server_with(forge, app_id="7"), text, event)
    assert set(forge.asked[0][1].values()) == {"read"}
    shared = await given(await server_with(OneForge(None), share_token=True), text, event)
    assert shared == Begun(notes=("`github.token` is empty: the commit comes from a fork",))


async def test_the_projects_token_is_given_only_where_the_project_says_so() -> None:
    assert (await given(await server_with(OneForge(None)), workflow(TOKEN_STEP))).secrets == {}
    sharing = await server_with(OneForge(None), share_token=True)
    assert (await given(sharing, workflow(TOKEN_STEP))).secrets == {"GITHUB_TOKEN": "the-token-of-acme"}
    assert (await given(sharing, workflow("make"))).secrets == {}


async def test_a_forge_that_is_away_is_asked_again_for_a_while_and_then_not_waited_for() -> None:
    server = await server_with(OneForge(Unavailable("it is away", retry_after=1)), app_id="7")
    await server.trigger(workflow(TOKEN_STEP), event=PUSH)
    hand = await server.worker()
    lease = await hand.take_one()
    with pytest.raises(Unavailable):
        await hand.begin(lease)
    server.clock.advance(61)
    assert await hand.begin(lease) == Begun(notes=("`github.token` is empty: it is away",))


def report(data: bytes, *, offset: int = 0, name: str = "a step", events: tuple[Json, ...] = ()) -> Report:
    return Report(events=events, pieces=(Piece(index=1, name=name, part="data", offset=offset, data=data),))


async def log_of(server: Server, lease: Lease) -> bytes:
    return await server.control.logs.read(LogName(attempt=lease.ref, index=1), "data")


@pytest.mark.parametrize(
    "form", [VALUE.encode(), base64.b64encode(VALUE.encode()), VALUE.encode().hex().encode()]
)
async def test_a_secret_that_a_worker_sends_in_clear_is_withheld_and_flagged(form: bytes) -> None:
    server, told = make_server(), list[AttemptRef]()
    server.control.tripwire.told = told.append
    await keep(server, (SITE, "KEY", VALUE))
    hand, lease, _ = await begun(server, workflow())
    data = b"before\nx" + form + b"x\nafter\n"
    await server.control.workers.report(hand.id, lease, report(data))
    stored = await log_of(server, lease)
    assert len(stored) == len(data)
    assert form not in stored
    assert stored.endswith(b"x\nafter\n")
    assert told == [lease.ref]
    await hand.finish(lease, logs=(log_end(1, data),))
    record = await server.control.runs.get(lease.ref.run)
    assert record.needs_attention == ATTENTION
    (log,) = [each for each in await server.control.runs.logs(lease.ref.run) if each.index == 1]
    assert log.note == WITHHELD


async def test_a_secret_across_pieces_is_found_and_pieces_sent_again_are_taken() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE))
    hand, lease, _ = await begun(server, workflow())
    data = b"0123456789 " + VALUE.encode() + b" end\n"
    workers = server.control.workers
    await workers.report(hand.id, lease, report(data[:20]))
    await workers.report(hand.id, lease, report(data[20:], offset=20))
    stored = await log_of(server, lease)
    assert stored == data[:20] + b"*" * 12 + b" end\n"
    again = await workers.report(hand.id, lease, report(data[15:] + b"more\n", offset=15))
    assert again.pieces[0].size == len(data) + 5
    assert await log_of(server, lease) == stored + b"more\n"


async def test_another_server_looks_too() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE))
    hand, lease, _ = await begun(server, workflow())
    restart(server, Keeping(sealing=OpenSealing()))
    await server.control.workers.report(hand.id, lease, report(VALUE.encode()))
    assert await log_of(server, lease) == b"*" * len(VALUE)


async def test_events_outputs_summaries_reasons_and_names_are_looked_at() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE))
    hand, lease, _ = await begun(server, workflow())
    event = StepStarted(time=1.0, job=lease.ref.job, index=1, step=StepId("a"), name=f"step {VALUE}")
    await server.control.workers.report(hand.id, lease, report(b"x\n", name="fine", events=(to_json(event),)))
    digest = "0" * 64
    entry = ArtifactEntry(name=f"{VALUE}.txt", size=1, sha256=digest, content_type="text/plain")
    for name, files in ((VALUE, []), ("site", [entry])):
        with pytest.raises(UsageError, match="holds a secret") as caught:
            await server.control.artifacts.make(hand.id, lease, name, files, replace=False)
        assert VALUE not in caught.value.message
    result = Result(
        key="k",
        conclusion=Conclusion.FAILURE,
        duration=1.0,
        outputs={"good": "yes", "bad": f"a {VALUE}", VALUE: "x"},
        untrusted=frozenset({"bad"}),
        reason=f"because {VALUE}",
        summary=f"# {VALUE}",
        logs=(log_end(1, b"x\n", note=f"cut {VALUE}"),),
    )
    await server.control.workers.finish(hand.id, lease, result)
    run = lease.ref.run
    everything = [
        await server.control.runs.get(run),
        await server.control.runs.attempts(run),
        await server.control.runs.events(run),
        await server.control.runs.logs(run),
        await server.control.runs.state(run),
    ]
    assert VALUE not in str(everything)
    assert "because ***" in str(everything)
    assert "'good': 'yes'" in str(everything)


async def test_a_job_without_secrets_is_not_looked_at_and_its_run_not_flagged() -> None:
    server = make_server()
    await keep(server, (SITE, "KEY", VALUE))
    hand, lease, _ = await begun(server, workflow("make"))
    await server.control.workers.report(hand.id, lease, report(VALUE.encode()))
    assert await log_of(server, lease) == VALUE.encode()
    assert not (await server.control.runs.get(lease.ref.run)).needs_attention
