"""Telling what a job does: its events, in order, and the logs of its steps."""

from __future__ import annotations

import asyncio

from pawl.core.model.ids import JobId, StepId
from pawl.core.model.run_events import (
    ArtifactStored,
    JobProgress,
    JobStarted,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from pawl.core.model.status import Conclusion
from pawl.core.steps.masking import SecretSet
from pawl.core.steps.outcome import StepResult
from pawl.engine.execution.output_log import StepLog
from pawl.engine.execution.steps.end import StepEnd
from pawl.ports.artifacts import Manifest
from pawl.ports.clock import Clock
from pawl.ports.logs import LogStore, LogSummary
from pawl.ports.reporter import Reporter


class JobReport:
    """Tells of one attempt of one job."""

    def __init__(
        self,
        job: JobId,
        attempt: int,
        *,
        reporter: Reporter,
        logs: LogStore,
        clock: Clock,
        secrets: SecretSet,
    ) -> None:
        """Tell of attempt `attempt` of `job`; everything is masked with `secrets`."""
        self.job = job
        self.attempt = attempt
        self.clock = clock
        self.secrets = secrets
        self._reporter = reporter
        self._logs = logs
        self._workspace = ""
        self._finishing: list[asyncio.Future[LogSummary]] = []
        self.has_started = False
        self.first_failure: tuple[str, StepEnd] | None = None

    def know_workspace(self, inside: str) -> None:
        """Make files in annotations relative to the workspace from now on."""
        self._workspace = inside

    def started(self, image: str | None, steps: tuple[str, ...]) -> None:
        """Say that the job begins, with the names of its steps."""
        self.has_started = True
        masked = tuple(self.secrets.mask_text(name) for name in steps)
        self._reporter.report(
            JobStarted(time=self.clock.now(), job=self.job, attempt=self.attempt, image=image, steps=masked)
        )

    def progress(self, message: str) -> None:
        """Say one line about long work outside any step."""
        text = self.secrets.mask_text(message)
        self._reporter.report(JobProgress(time=self.clock.now(), job=self.job, message=text))

    def artifact(self, manifest: Manifest) -> None:
        """Say that files were kept."""
        self._reporter.report(
            ArtifactStored(
                time=self.clock.now(),
                job=self.job,
                name=manifest.name,
                files=len(manifest.files),
                size=manifest.size,
            )
        )

    def step(self, index: int, step: str) -> JobTeller:
        """Return what tells of the step at `index`."""
        return JobTeller(self, index, StepId(step))

    def open_log(self, index: int, name: str) -> StepLog:
        """Return the log of the step at `index`, new."""
        return StepLog(
            self._logs.writer(self.job, self.attempt, index, name),
            job=self.job,
            index=index,
            secrets=self.secrets,
            reporter=self._reporter,
            clock=self.clock,
            workspace=self._workspace,
        )

    def finish_later(self, log: StepLog) -> None:
        """Make a log durable in a thread: a slow disk holds up neither the next step nor other jobs."""
        self._finishing.append(asyncio.get_running_loop().run_in_executor(None, log.finish))

    async def finish_logs(self) -> None:
        """Return when all logs are durable.

        Raises:
            InfrastructureError: one of them is not.
        """
        finishing, self._finishing = self._finishing, []
        if finishing:
            ends = await asyncio.gather(*finishing, return_exceptions=True)
            for end in ends:
                if isinstance(end, BaseException):
                    raise end

    def tell(self, event: StepStarted | StepSkipped | StepFinished) -> None:
        """Pass on what a teller says."""
        self._reporter.report(event)


class JobTeller:
    """Tells of one step of a job. Its log is made when it starts."""

    def __init__(self, report: JobReport, index: int, step: StepId) -> None:
        """Tell through `report` of the step at `index`."""
        self._report = report
        self._index = index
        self._step = step
        self._log: StepLog | None = None
        self._since = report.clock.monotonic()

    def skipped(self, name: str, reason: str, trace: tuple[str, ...]) -> None:
        """Say that it will not run."""
        mask = self._report.secrets.mask_text
        self._report.tell(
            StepSkipped(
                time=self._report.clock.now(),
                job=self._report.job,
                index=self._index,
                step=self._step,
                name=mask(name),
                reason=mask(reason),
                trace=trace,
            )
        )

    def started(self, name: str) -> StepLog:
        """Say that it begins, and return its log."""
        name = self._report.secrets.mask_text(name)
        self._since = self._report.clock.monotonic()
        self._report.tell(
            StepStarted(
                time=self._report.clock.now(),
                job=self._report.job,
                index=self._index,
                step=self._step,
                name=name,
            )
        )
        self._log = self._report.open_log(self._index, name)
        return self._log

    def finished(self, name: str, result: StepResult, end: StepEnd, trace: tuple[str, ...]) -> None:
        """End its log and say how it ended. Outputs that hold a secret are left out."""
        if self._log is not None:
            self._log.settle()
            self._report.finish_later(self._log)
        secrets = self._report.secrets
        if result.conclusion.as_result == "failure" and self._report.first_failure is None:
            self._report.first_failure = (name, end)
        self._report.tell(
            StepFinished(
                time=self._report.clock.now(),
                job=self._report.job,
                index=self._index,
                step=self._step,
                name=secrets.mask_text(name),
                outcome=result.outcome,
                conclusion=result.conclusion,
                duration=self._report.clock.monotonic() - self._since,
                exit_code=end.exit_code,
                reason=secrets.mask_text(end.reason),
                outputs={
                    str(key): str(value)
                    for key, value in end.outputs.items()
                    if not secrets.contains_secret(value)
                },
                trace=trace,
            )
        )


def simple_end(*, succeeded: bool, reason: str = "") -> tuple[StepResult, StepEnd]:
    """Return result and end of one of our own steps (set up, complete)."""
    outcome = Conclusion.SUCCESS if succeeded else Conclusion.FAILURE
    return StepResult(outcome=outcome, conclusion=outcome), StepEnd(succeeded=succeeded, reason=reason)
