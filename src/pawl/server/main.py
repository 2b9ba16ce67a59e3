"""`serve`: the server's process, from its data folder to its end. The composition root."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.adapters.logs_folder import FolderLogBytes
from pawl.adapters.storage_s3 import s3_blobs, s3_log_bytes
from pawl.adapters.store_sql import open_store
from pawl.adapters.system import SteadyClock, SystemRandomness, share_arenas
from pawl.core.model.errors import Denied, PawlError
from pawl.core.model.records import AttemptRef
from pawl.engine.control import Clones, Control, JobTokens, Keeping, Origins
from pawl.engine.control.tripwire import ATTENTION
from pawl.engine.reporting import ReportingDesk, ReportingRules
from pawl.engine.reporting.resealing import reseal_destinations
from pawl.ports.blobs import Blobs
from pawl.ports.clock import Clock
from pawl.ports.log_bytes import LogBytes
from pawl.ports.store import Store
from pawl.server.application import make_application
from pawl.server.counting import Counting
from pawl.server.embedded import EmbeddedWorker, worker_command
from pawl.server.health import Readiness
from pawl.server.intake import make_intake
from pawl.server.listening import address_of, listen, make_web_server, private_socket
from pawl.server.locking import locked, make_private, write_private
from pawl.server.log_lines import say, start_logging
from pawl.server.measured_store import MeasuredStore
from pawl.server.metrics import Metrics
from pawl.server.outside import MIRRORS, Reached
from pawl.server.reporting import Reporting, make_reporter, make_reporting
from pawl.server.services import Services
from pawl.server.settings import ServerSettings
from pawl.server.starting import check_places
from pawl.server.stopping import Stopping
from pawl.server.waking import Waking

_BUCKET = "s3://"
_SWEEP_EVERY = 2.0
_THREADS = 16
_WORKERS_SHARE = 0.3
"""Of the grace: what the embedded worker gets to bring to an end what is about to end."""
_REQUESTS_SHARE = 0.6
"""Of the grace: what requests get after that."""


def serve(
    settings: ServerSettings,
    *,
    version: str,
    tell: Callable[[str], object] = lambda line: sys.stdout.write(f"{line}\n"),
) -> int:
    """Run a server until it is told to end by SIGTERM or SIGINT; return its exit code.

    Args:
        settings: see `pawl.server.settings`.
        version: of Pawl.
        tell: what to say to who started it.

    Raises:
        UsageError: the data folder is another server's, the port is taken, a setting is wrong.
        Unavailable, InfrastructureError: the store or the folder cannot be used.
    """
    share_arenas()
    start_logging(settings.log_level)
    folder = settings.folder
    make_private(folder)
    with locked(folder), contextlib.closing(listen(settings.host, settings.port)) as listener:
        return asyncio.run(_Server(settings, version, tell).run(listener))


def open_blobs(settings: ServerSettings, now: Callable[[], float] = time.time) -> Blobs:
    """Return where artifacts and sources are kept.

    Args:
        settings: of the server.
        now: the clock by which a blob is young or old; a server's own, which does not jump.

    Raises:
        UsageError: the place is no bucket's URL, or what reaches buckets is not installed.
    """
    if settings.blobs.startswith(_BUCKET):
        return s3_blobs(settings.blobs)
    folder = Path(settings.blobs).expanduser() if settings.blobs else settings.folder / "blobs"
    return FolderBlobs(folder, now=now)


def open_logs(settings: ServerSettings) -> LogBytes:
    """Return where logs are kept; raises as `open_blobs`."""
    if settings.logs.startswith(_BUCKET):
        return s3_log_bytes(settings.logs)
    return FolderLogBytes(Path(settings.logs).expanduser() if settings.logs else settings.folder / "logs")


@dataclass
class _Server:
    """One server's life."""

    settings: ServerSettings
    version: str
    tell: Callable[[str], object]
    _loops: list[asyncio.Task[None]] = field(default_factory=list)
    _signals: int = 0

    async def run(self, listener: socket.socket) -> int:
        """Serve on a socket until a signal comes; return the exit code."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="pawl"))
        ended = asyncio.Event()
        self._on_signals(ended)
        store = open_store(self.settings.store or f"sqlite:///{self.settings.folder / 'pawl.db'}")
        clock = SteadyClock()
        reached: Reached | None = None
        try:
            reached = Reached(self.settings, clock)
            services = self._services(store, reached, clock)
            await self._check_places(services)
            unsubscribe = store.subscribe(services.waking.tell)
            await services.control.recover()
            await self._look_at_keys(services.control)
            first = await self._own_token(services)
            with private_socket(self.settings.folder / "worker.sock") as (unix, path):
                await self._serve(services, (listener, unix), path, ended, first)
            unsubscribe()
            await services.counting.aclose()
        finally:
            if reached is not None:
                await reached.aclose()
            await store.aclose()
        say("stopped")
        return 0

    def _services(self, store: Store, reached: Reached, clock: Clock) -> Services:
        outside, told = reached.outside, ReportingRules(url=self.settings.url.rstrip("/"))
        metrics = Metrics(self.version)
        store = MeasuredStore(store, metrics.db_seconds)
        logs, blobs = open_logs(self.settings), open_blobs(self.settings, clock.now)
        rules = replace(self.settings.rules(self.version), listeners=(make_reporter(told),))
        randomness = SystemRandomness()
        tokens = JobTokens(outside.forges, outside.sealing, clock)
        origins = Origins(outside.forges, outside.sealing, clock)
        clones = Clones(tokens, origins, outside.sealing, outside.mirrors)
        keeping = Keeping(sealing=outside.sealing, job_tokens=tokens, clones=clones)
        control = Control(store, logs, blobs, clock, randomness, rules, asyncio.to_thread, keeping)
        reporting = self._reporting(store, reached, clock, told, metrics)
        intake = make_intake(
            control,
            outside,
            clock,
            randomness,
            store=store,
            offload=asyncio.to_thread,
            tell_refused=reporting.statuses.kept_out,
        )
        stopping = Stopping()
        control.tripwire.told = partial(_tell_leak, metrics)
        control.resealing.others.append(reseal_destinations)
        checks = {"store": store.check, "logs": logs.check, "blobs": blobs.check}
        return Services(
            control=control,
            intake=intake,
            reporting=reporting,
            store=store,
            logs=logs,
            blobs=blobs,
            clock=clock,
            randomness=randomness,
            waking=Waking(stopping),
            stopping=stopping,
            metrics=metrics,
            counting=Counting(control, metrics),
            readiness=Readiness(checks, clock),
        )

    def _reporting(
        self, store: Store, reached: Reached, clock: Clock, rules: ReportingRules, metrics: Metrics
    ) -> Reporting:
        desk = ReportingDesk(
            store=store,
            clock=clock,
            randomness=SystemRandomness(),
            sealing=reached.outside.sealing,
            forges=reached.outside.forges,
            sender=reached.sender,
            postman=reached.postman,
            rules=rules,
        )
        return make_reporting(desk, metrics)

    async def _check_places(self, services: Services) -> None:
        settings = self.settings
        logs, blobs = settings.logs or "the data folder", settings.blobs or "the data folder"
        await check_places(
            (("logs", logs, services.logs.check), ("blobs", blobs, services.blobs.check)),
        )

    async def _look_at_keys(self, control: Control) -> None:
        """Tell of secrets that cannot be opened: after a restore without their key, for instance."""
        closed, path = await control.resealing.closed(), self.settings.keys
        if closed:
            say("secrets cannot be opened without their key", logging.ERROR, secrets=closed, file=str(path))
            missing = f"{closed} secrets were sealed under a key that is not in {path}"
            self.tell(f"{missing}: add it there as a line, or set them again")

    async def _own_token(self, services: Services) -> str | None:
        """Have a good token in the data folder, for commands on this machine; return the very first one."""
        path = self.settings.folder / "token"
        first = await services.control.tokens.first()
        if first is not None:
            write_private(path, first + "\n")
            return first
        if not await _is_good(services.control, path):
            # Whoever may write to this folder has the database too: this gives nobody anything new.
            secret = await services.control.tokens.create("this machine", "admin", by=None)
            write_private(path, secret + "\n")
        return None

    async def _serve(
        self,
        services: Services,
        sockets: tuple[socket.socket, socket.socket],
        unix: Path,
        ended: asyncio.Event,
        first_token: str | None,
    ) -> None:
        application = make_application(services, version=self.version, hosts=self.settings.hosts)
        web = make_web_server(application, self.settings.shutdown_grace * _REQUESTS_SHARE)
        worker = await self._embedded(services, unix)
        serving = asyncio.create_task(web.serve(sockets=list(sockets)))
        self._loop(_sweep(services))
        self._loop(services.intake.work(services.waking))
        self._loop(services.intake.watch())
        self._loop(services.reporting.send_statuses(services.waking))
        self._loop(services.reporting.send_notices(services.waking))
        self._loop(services.reporting.tidy())
        if worker is not None:
            self._loop(worker.run())
        self._greet(address_of(sockets[0]), first_token)
        try:
            ending = asyncio.create_task(ended.wait())
            await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            services.stopping.begin()
            services.waking.tell_all()
            if worker is not None:
                await self._end_worker(worker)
            web.should_exit = True
            await serving
        finally:
            for task in self._loops:
                task.cancel()
            await asyncio.gather(*self._loops, return_exceptions=True)

    async def _embedded(self, services: Services, unix: Path) -> EmbeddedWorker | None:
        settings = self.settings
        if not settings.workers:
            return None
        token = settings.folder / "worker.token"
        if not await _is_good(services.control, token):
            secret = await services.control.tokens.create("embedded worker", "worker", by=None)
            write_private(token, secret + "\n")
        data = settings.folder / "worker"
        make_private(data)
        options = ["--socket", str(unix), "--token-file", str(token), "--data", str(data)]
        options += ["--name", f"{socket.gethostname()[:100]}-embedded", "--slots", str(settings.workers)]
        # The server's own mirrors: what it has fetched for an event is there for the jobs.
        options += ["--executor", settings.executor, "--mirrors", str(settings.folder / MIRRORS)]
        if settings.plain_git:
            options.append("--plain-git")
        for label in settings.all_labels:
            options += ["--label", label]
        return EmbeddedWorker(worker_command(options), settings.folder / "worker.pid")

    async def _end_worker(self, worker: EmbeddedWorker) -> None:
        """End the embedded worker, or leave it to a second signal to have that quickly."""
        stop = asyncio.create_task(worker.stop(self.settings.shutdown_grace * _WORKERS_SHARE))
        while not stop.done():
            if self._signals > 1:
                worker.kill()
            await asyncio.wait({stop}, timeout=0.05)

    def _on_signals(self, ended: asyncio.Event) -> None:
        def stop(name: str) -> None:
            self._signals += 1
            if self._signals == 1:
                say("stopping", signal=name, grace_seconds=self.settings.shutdown_grace)
                self.tell("stopping; jobs that run go on by themselves and are found again at the next start")
            ended.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop, number.name)

    def _loop(self, work: Coroutine[None, None, None]) -> None:
        self._loops.append(asyncio.create_task(work))

    def _greet(self, address: str, first_token: str | None) -> None:
        # Where commands on this machine find the server.
        write_private(self.settings.folder / "address", f"{address}\n")
        shown = self.settings.url.rstrip("/") or address
        say("serving", address=address, data=str(self.settings.folder), version=self.version)
        self.tell(f"Pawl {self.version} serves {shown}, with its data in {self.settings.folder}")
        if first_token is not None:
            self.tell(f"First start. Your token, shown this once:\n\n    {shown}/?token={first_token}\n")
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()


def _tell_leak(metrics: Metrics, ref: AttemptRef) -> None:
    metrics.leaks.inc()
    say(ATTENTION, logging.ERROR, run=ref.run, job=ref.job, attempt=ref.attempt)


async def _is_good(control: Control, path: Path) -> bool:
    """Return whether a file holds a token that is good."""
    try:
        await control.tokens.check((await asyncio.to_thread(path.read_text, "utf-8")).strip())
    except (OSError, UnicodeDecodeError, Denied):
        return False
    return True


async def _sweep(services: Services) -> None:
    """Do what time alone asks for, every two seconds; one bad sweep does not end the server."""
    loop = asyncio.get_running_loop()
    told: set[str] = set()
    while True:
        wanted = loop.time() + _SWEEP_EVERY
        await asyncio.sleep(_SWEEP_EVERY)
        services.metrics.loop_lag.set(max(0.0, loop.time() - wanted))
        try:
            report = await services.control.sweep()
        except PawlError as error:
            say("sweep failed", logging.WARNING, detail=error.message)
        except Exception as error:  # noqa: BLE001 - a fence: the next sweep may well succeed
            say("sweep failed", logging.ERROR, error=error, detail=type(error).__name__)
        else:
            for name, fault in report.broken.items():
                if name not in told:  # it stays so, and once says enough
                    say("cannot be ended", logging.ERROR, error=fault, what=name, detail=str(fault))
            told = set(report.broken)
            for ref in (*report.lost, *report.given_up, *report.timed_out):
                say("attempt given up", logging.WARNING, run=ref.run, job=ref.job, attempt=ref.attempt)
                services.counting.finished(ref)
