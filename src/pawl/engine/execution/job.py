"""One attempt of one job, from its request to its outcome; what `pawl run` and a worker both drive."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pawl.core.expressions import Value
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.steps.masking import SecretSet, TooManySecrets
from pawl.core.steps.outcome import StepsState
from pawl.engine.execution.bench import Bench, Handover, Machine, Outside
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.deployment import deployed_to
from pawl.engine.execution.environment import SharedEnvironment
from pawl.engine.execution.facts import DEBUG_SWITCHES, is_debugging
from pawl.engine.execution.folders import JobFolder, make_job_folder
from pawl.engine.execution.job_contexts import early_contexts
from pawl.engine.execution.job_end import JobEnd, clean_up, job_outputs, store_artifacts
from pawl.engine.execution.job_environment import job_environment
from pawl.engine.execution.job_limits import limited
from pawl.engine.execution.job_machine import (
    Wanted,
    describe_machine,
    folder_name,
    open_machine,
    read_wishes,
    sandbox_name,
)
from pawl.engine.execution.job_steps import run_job_steps
from pawl.engine.execution.matching import JobMatchers
from pawl.engine.execution.output_log import StepLog
from pawl.engine.execution.processes import end_task, ends_first, finish_shielded
from pawl.engine.execution.refusals import refusals
from pawl.engine.execution.request import JobOutcome, JobRequest, Ports
from pawl.engine.execution.steps.evaluation import Evaluator
from pawl.engine.execution.steps.scope import RunDefaults, Scope
from pawl.engine.execution.steps.telling import display_name
from pawl.engine.execution.telling import JobReport, JobTeller, simple_end
from pawl.ports.executor import Sandbox

SET_UP = "Set up job"
COMPLETE = "Complete job"
_HOST = "host"


async def execute_job(job: JobRequest, ports: Ports, cancellation: Cancellation) -> JobOutcome:
    """Run one attempt of a job and return how it ended; its sandbox and folder are gone then.

    Never raises for what the workflow, the world or Pawl itself did wrong: that is the outcome. When the task
    is cancelled, it cleans up and then is.

    Args:
        job: what to run.
        ports: the world.
        cancellation: stops this job; its time limits ask it too.
    """
    return await _Attempt(job, ports, cancellation).execute()


def secret_set(secrets: Mapping[str, str], more: Iterable[str] = ()) -> SecretSet:
    """Return what is to be masked: the values of secrets, and `more`.

    Raises:
        UsageError: there are more secrets than can be masked.
    """
    try:
        values = [value for name, value in secrets.items() if value and name not in DEBUG_SWITCHES]
        return SecretSet([*values, *more])
    except TooManySecrets as error:
        raise UsageError(f"there are too many secrets to mask: {len(secrets)}") from error


@dataclass(slots=True)
class _Verdict:
    """How the attempt stands: filled as it goes on."""

    conclusion: Conclusion = Conclusion.SUCCESS
    reason: str = ""
    failure_class: FailureClass | None = None
    exit_code: int | None = None
    end: JobEnd = field(default_factory=JobEnd)

    def fail(self, reason: str, failure_class: FailureClass) -> None:
        """Turn it into a failure, unless it is none of success already."""
        if self.conclusion is Conclusion.SUCCESS:
            self.conclusion, self.reason, self.failure_class = Conclusion.FAILURE, reason, failure_class


class _Attempt:
    def __init__(self, job: JobRequest, ports: Ports, cancellation: Cancellation) -> None:
        self._job = job
        self._ports = ports
        self._cancellation = cancellation
        self._secrets = secret_set(job.run.secrets, job.run.masked)
        self._report = JobReport(
            job.id,
            job.attempt,
            reporter=ports.reporter,
            logs=ports.logs,
            clock=ports.clock,
            secrets=self._secrets,
        )
        self._verdict = _Verdict()
        self._sandbox: Sandbox | None = None
        self._folder: JobFolder | None = None
        self._next_index = 1 + len(job.planned.steps)
        self._since = ports.clock.monotonic()

    async def execute(self) -> JobOutcome:
        """Run it, and clean up whatever happens."""
        try:
            async with limited(self._job, self._ports.clock, self._cancellation):
                await self._run()
        except Exception as error:  # noqa: BLE001 - the fence between one job and the rest of the run
            self._note_fault(error)
        finally:
            await finish_shielded(self._complete())
        return self._outcome()

    def _note_fault(self, error: Exception) -> None:
        if isinstance(error, InfrastructureError):
            self._verdict.fail(_with_hint(error), FailureClass.INFRASTRUCTURE)
        elif isinstance(error, UsageError):
            self._verdict.fail(_with_hint(error), FailureClass.USER)
        else:
            self._verdict.fail(f"a fault of Pawl's own: {type(error).__name__}: {error}", FailureClass.SYSTEM)
            self._verdict.end.notes.extend("".join(traceback.format_exception(error)).splitlines())

    async def _run(self) -> None:
        job = self._job
        early = early_contexts(job)
        evaluator = Evaluator(contexts=early, functions=StepsState().functions())
        names = (SET_UP, *(display_name(step, evaluator) for step in job.planned.steps), COMPLETE)
        wanted, fault = self._wishes(evaluator)
        image = wanted.image.name if wanted is not None and wanted.image is not None else None
        self._report.started(image, names)
        teller = self._report.step(0, "__set_up")
        log = teller.started(SET_UP)
        ready = None
        try:
            if wanted is None:
                raise fault or UsageError("the job cannot be set up")
            ready = await self._set_up(early, evaluator, wanted, log)
        except (UsageError, InfrastructureError) as error:
            self._note_fault(error)
            log.write_line(f"##[error]{_with_hint(error)}")
        finally:
            self._finish_set_up(teller, succeeded=ready is not None)
        if ready is None:
            return
        bench, scope = ready
        runner, self._next_index = await run_job_steps(job, bench, scope, self._report, self._cancellation)
        self._judge(scope.state)
        ending = runner.evaluator("", scope, dict(bench.handover.environment.variables))
        self._verdict.end.outputs = job_outputs(job.planned.outputs, ending, self._secrets)
        self._verdict.end.summary = "\n".join(bench.handover.summaries)
        for message in self._verdict.end.outputs.faults:
            self._verdict.fail(message, FailureClass.USER)
        self._verdict.end.notes += self._verdict.end.outputs.dropped
        self._tell_deployment(ending)
        if not self._cancellation.at_once:
            await self._keep_artifacts(bench, ending)

    def _tell_deployment(self, evaluator: Evaluator) -> None:
        try:
            url = deployed_to(self._job.planned.environment, evaluator, self._secrets)
        except UsageError as error:
            self._verdict.end.notes.append(f"##[warning]{_with_hint(error)}")
            return
        if url:
            self._report.progress(f"Deployed to {url}")
            self._verdict.end.notes.append(f"Deployed to {url}")

    async def _keep_artifacts(self, bench: Bench, evaluator: Evaluator) -> None:
        try:
            self._verdict.end.notes += await store_artifacts(self._job, bench, evaluator)
        except (UsageError, InfrastructureError) as error:
            self._verdict.end.notes.append(f"##[error]{_with_hint(error)}")
            self._note_fault(error)

    def _wishes(self, evaluator: Evaluator) -> tuple[Wanted | None, UsageError | None]:
        has_images = self._ports.executor.kind != _HOST
        # First: what cannot be run at all may lack what the wishes are read from.
        refused = refusals(self._job.planned, evaluator, has_images=has_images)
        if refused:
            return None, UsageError("; ".join(refused))
        try:
            return read_wishes(self._job, evaluator, has_images=has_images), None
        except UsageError as error:
            return None, error

    def _finish_set_up(self, teller: JobTeller, *, succeeded: bool) -> None:
        if self._cancellation.requested and not succeeded and not self._verdict.reason:
            self._judge(StepsState().cancel(timed_out=self._cancellation.timed_out))
        result, end = simple_end(succeeded=succeeded, reason=self._verdict.reason)
        teller.finished(SET_UP, result, end, ())

    async def _set_up(
        self, early: Mapping[str, Value], evaluator: Evaluator, wanted: Wanted, log: StepLog
    ) -> tuple[Bench, Scope] | None:
        """Return all that the steps need; None when the job was cancelled before it was there."""
        working = asyncio.ensure_future(self._prepare(early, evaluator, wanted, log))
        try:
            await ends_first(working, self._cancellation.wait())
        finally:
            await end_task(working)
        if working.cancelled():
            log.write_line(f"##[error]The job was stopped: {self._cancellation.reason}")
            return None
        return working.result()

    async def _prepare(
        self, early: Mapping[str, Value], evaluator: Evaluator, wanted: Wanted, log: StepLog
    ) -> tuple[Bench, Scope]:
        job, ports = self._job, self._ports
        planned = job.planned
        evaluator.seconds(planned.timeout_minutes, where="timeout-minutes")
        isolation = "" if ports.executor.isolated else " (no isolation: steps can do whatever you can)"
        # By the id that commands take: on a server the number counts the runs of one workflow only.
        run = job.run.run_id or job.run.number
        log.write_line(f"Run {run}, job {job.combination.name}, attempt {job.attempt}")
        log.write_line(f"Executor: {ports.executor.kind}{isolation}")
        for remark in (*wanted.remarks, *planned.notes):
            log.write_line(f"##[warning]{remark}")
        self._folder = make_job_folder(job.run.folder / folder_name(job), bind=job.run.bind)
        self._sandbox, facts = await open_machine(job, wanted, self._folder, ports, self._report, log)
        self._report.know_workspace(self._sandbox.workspace)
        machine, fixed = await describe_machine(self._sandbox, facts, self._folder, early, wanted, job)
        # The runner evaluates a job's `env` on its machine, so it sees `github.workspace`.
        inside = Evaluator(contexts=fixed, functions=evaluator.functions)
        environment = job_environment(job, inside)
        bench = Bench(
            machine=machine,
            outside=Outside(
                source=ports.source,
                artifacts=ports.artifacts,
                pull=ports.executor.pull_image,
                probe=ports.executor.probe,
                bound=job.run.bind is not None,
                job=job.id,
                attempt=job.attempt,
                kept=self._report.artifact,
            ),
            handover=Handover(environment=SharedEnvironment(variables=environment)),
            matchers=JobMatchers(_matcher_places(machine)),
            secrets=self._secrets,
            clock=ports.clock,
            limits=job.run.limits,
            debug=is_debugging(job.run),
        )
        defaults = RunDefaults(
            shell=_optional(inside, planned.default_shell, "defaults.run.shell"),
            working_directory=_optional(
                inside, planned.default_working_directory, "defaults.run.working-directory"
            ),
        )
        return bench, Scope(fixed=fixed, defaults=defaults)

    def _judge(self, state: StepsState) -> None:
        verdict, cancellation = self._verdict, self._cancellation
        if cancellation.requested:
            state = state.cancel(timed_out=cancellation.timed_out)
        verdict.conclusion = state.conclusion
        failure = self._report.first_failure
        if state.cancelled:
            verdict.reason = cancellation.reason
            verdict.failure_class = FailureClass.USER if state.timed_out else None
        elif state.failed and failure is not None:
            name, end = failure
            verdict.reason = f"step `{name}` failed: {end.reason}" if end.reason else f"step `{name}` failed"
            verdict.failure_class = end.failure_class or FailureClass.USER
            verdict.exit_code = end.exit_code

    async def _complete(self) -> None:
        """Take everything down, and say so as the job's last step. The one goes before the other."""
        verdict = self._verdict
        teller = self._report.step(self._next_index, "__complete")
        log = self._begin_complete(teller)
        keep = self._job.run.keep_on_failure and verdict.conclusion in {
            Conclusion.FAILURE,
            Conclusion.TIMED_OUT,
        }
        kept, left = await clean_up(
            self._sandbox,
            self._folder,
            keep=keep and self._ports.executor.isolated,
            clock=self._ports.clock,
            limits=self._job.run.limits,
        )
        verdict.end.kept_sandbox = sandbox_name(self._job) if kept else None
        if log is not None:
            try:
                for text in left:
                    first, *more = text.splitlines()
                    log.write_line(f"##[warning]{first}")
                    for line in more:
                        log.write_line(line)
                teller.finished(COMPLETE, *simple_end(succeeded=True), ())
            except InfrastructureError as error:
                self._note_fault(error)
        try:
            await self._report.finish_logs()
        except InfrastructureError as error:
            self._note_fault(error)

    def _begin_complete(self, teller: JobTeller) -> StepLog | None:
        """Return the log of the last step; None when nothing began, or the disk is full."""
        if not self._report.has_started:
            return None
        try:
            log = teller.started(COMPLETE)
            for note in self._verdict.end.notes:
                log.write_line(note)
        except InfrastructureError as error:
            self._note_fault(error)
            return None
        return log

    def _outcome(self) -> JobOutcome:
        verdict, outputs = self._verdict, self._verdict.end.outputs
        return JobOutcome(
            id=self._job.id,
            key=self._job.planned.key,
            name=self._job.combination.name,
            conclusion=verdict.conclusion,
            duration=self._ports.clock.monotonic() - self._since,
            reason=self._secrets.mask_text(verdict.reason),
            failure_class=verdict.failure_class,
            exit_code=verdict.exit_code,
            outputs=outputs.values,
            untrusted=outputs.untrusted,
            summary=verdict.end.summary,
            kept_sandbox=verdict.end.kept_sandbox,
        )


def _matcher_places(machine: Machine) -> list[tuple[str, Path]]:
    folder, sandbox = machine.folder, machine.sandbox
    below = (folder.actions, folder.temp, folder.files)
    return [(sandbox.workspace, folder.workspace), *((sandbox.inside(path), path) for path in below)]


def _optional(evaluator: Evaluator, template: str | None, where: str) -> str | None:
    return None if template is None else evaluator.text(template, where=where) or None


def _with_hint(error: UsageError | InfrastructureError) -> str:
    return f"{error.message}: {error.hint}" if error.hint else error.message
