"""Getting a job's machine: image, services, sandbox, and the first lines of its log."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pawl.core.expressions import Value, to_plain
from pawl.core.expressions.values import ObjectValue
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.planning.variables import substitute
from pawl.core.steps.files import brings_files
from pawl.engine.execution.actions.checkout import fill, trust_workspace
from pawl.engine.execution.bench import Machine
from pawl.engine.execution.containers import ContainerSpec, parse_container, parse_services
from pawl.engine.execution.environment import DEFAULT_PATH, matrix_variables, system_variables
from pawl.engine.execution.facts import is_debugging
from pawl.engine.execution.folders import JobFolder, is_other_user
from pawl.engine.execution.images import choose_image, foreign_system, is_image_reference, runs_on_labels
from pawl.engine.execution.job_contexts import (
    github_with,
    job_value,
    runner_values,
    text_properties,
)
from pawl.engine.execution.job_environment import job_environment
from pawl.engine.execution.output_log import StepLog
from pawl.engine.execution.request import JobRequest, Ports
from pawl.engine.execution.steps.evaluation import Evaluator
from pawl.engine.execution.telling import JobReport
from pawl.ports.executor import ContainerOptions, ImageFacts, ImageRef, Sandbox, SandboxSpec, ServiceSpec

_SHELLS = ("bash", "sh", "pwsh", "powershell", "python", "python3", "cmd")
_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a job asks of its machine, rendered.

    Attributes:
        image: to run in; None on an executor without images.
        container: the `container:` it asked for, if it did.
        remarks: what will be different from what the workflow says.
    """

    labels: tuple[str, ...]
    image: ImageRef | None
    container: ContainerSpec | None
    services: tuple[ServiceSpec, ...]
    remarks: tuple[str, ...] = ()


def read_wishes(job: JobRequest, evaluator: Evaluator, *, has_images: bool) -> Wanted:
    """Return what the job asks for.

    Raises:
        UsageError: it cannot be evaluated, or cannot be had.
    """
    planned = job.planned
    fill_in = image_variables(job, evaluator)
    labels = runs_on_labels(evaluator.data(planned.runs_on, where="runs-on"))
    labels = tuple(fill_in(label) for label in labels)
    container = None
    if planned.container is not None:
        data = evaluator.data(planned.container, where="container")
        container = parse_container(data, where="`container`", fill_in=fill_in)
    services = parse_services(evaluator.data(planned.services, where="services"), fill_in=fill_in)
    if has_images:
        by_label = None if container is not None else choose_image(labels, job.run.images)
        image = container.image if container is not None else ImageRef(name=by_label or "")
        return Wanted(labels=labels, image=image, container=container, services=services)
    if container is not None:
        raise UsageError(
            f"job `{planned.key}` asks for the container {container.image.name}; the host executor has none",
            hint="start a container engine and run with --executor docker",
        )
    if not any(label in job.run.images for label in labels):
        _check_system(labels)
    remarks = tuple(
        f"the image {label} is not used: the host executor runs everything on this machine"
        for label in labels
        if is_image_reference(label)
    )
    return Wanted(labels=labels, image=None, container=None, services=services, remarks=remarks)


def image_variables(job: JobRequest, evaluator: Evaluator) -> Callable[[str], str]:
    """Return what fills in `$NAME` in images (requirement L5): from the matrix and `env`.

    The environment is only evaluated when a name has a `$`.
    """

    def fill_in(text: str) -> str:
        if "$" not in text:
            return text
        env = {**matrix_variables(job.combination.values), **job_environment(job, evaluator)}
        return substitute(text, env, strict=job.run.strict_variables)

    return fill_in


def _check_system(labels: tuple[str, ...]) -> None:
    foreign = foreign_system(labels)
    here = {"posix": "macos" if os.uname().sysname == "Darwin" else "linux"}.get(os.name, "windows")
    if foreign is not None and foreign != here:
        named = ", ".join(f"`{label}`" for label in labels)
        raise UsageError(
            f"this machine cannot stand in for {named}",
            hint="choose other jobs with -j or --matrix, or give the label an image in pawl.toml",
        )


async def open_machine(
    job: JobRequest, wanted: Wanted, folder: JobFolder, ports: Ports, report: JobReport, log: StepLog
) -> tuple[Sandbox, ImageFacts | None]:
    """Get the images and open the sandbox; what is long is told as progress and written to the log.

    Raises:
        UsageError: an image, option or service that cannot be had.
        InfrastructureError: the engine failed.
    """

    def progress(message: str) -> None:
        report.progress(message)
        log.write_line(message)

    facts = None
    if wanted.image is not None:
        facts = await ports.executor.pull_image(wanted.image, progress)
        log.write_group(f"Image {facts.name}", _image_lines(facts))
        for service in wanted.services:
            found = await ports.executor.pull_image(service.image, progress)
            log.write_group(f"Service {service.name}: {found.name}", _image_lines(found))
    await _seed_workspace(job, folder, ports, log, for_all=runs_as_other(wanted, facts))
    container = wanted.container
    spec = SandboxSpec(
        name=sandbox_name(job),
        owner=job.run.owner,
        folder=folder.root,
        bind=job.run.bind,
        image=wanted.image,
        env=container.env if container is not None else {},
        services=wanted.services,
        volumes=container.volumes if container is not None else (),
        ports=container.ports if container is not None else (),
        job_container=container is not None,
        options=container.options if container is not None else ContainerOptions(),
    )
    return await ports.executor.open(spec, progress), facts


def runs_as_other(wanted: Wanted, facts: ImageFacts | None) -> bool:
    """Return whether the job's processes run as a user that is neither root nor us."""
    asked = wanted.container.options.user if wanted.container is not None else None
    return facts is not None and is_other_user(asked or facts.user)


async def _seed_workspace(
    job: JobRequest, folder: JobFolder, ports: Ports, log: StepLog, *, for_all: bool
) -> None:
    """Put the repository's files into the workspace where the workflow counts on it.

    See docs/adr/0006-workspace.md.
    """
    if job.run.bind is not None:
        log.write_line("Workspace: your own folder (--bind); what steps write stays there")
    elif brings_files(job.run.plan.path, tuple(step.uses or "" for step in job.planned.steps)):
        count = await fill(ports.source, folder.workspace, for_all=for_all)
        log.write_line(f"Workspace: {count} files of the repository")
    else:
        log.write_line("Workspace: empty, until a step uses actions/checkout")


def sandbox_name(job: JobRequest) -> str:
    """Return a name for the job's sandbox that is unique on the machine and says whose it is."""
    slug = _SLUG.sub("-", job.id.lower()).strip("-")[:30]
    return f"{job.run.number}-{slug or 'job'}-{folder_name(job)}"


def folder_name(job: JobRequest) -> str:
    """Return a name for the job's folder, unique in its run and short: jobs make sockets below it."""
    told = f"{job.run.folder}\0{job.run.number}\0{job.id}\0{job.attempt}"
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def _image_lines(facts: ImageFacts) -> tuple[str, ...]:
    size = f"{facts.size / 1_000_000:.1f} MB" if facts.size else "size unknown"
    return (facts.digest, f"{size}, user {facts.user or 'root'}")


async def describe_machine(
    sandbox: Sandbox,
    facts: ImageFacts | None,
    folder: JobFolder,
    early: Mapping[str, Value],
    wanted: Wanted,
    job: JobRequest,
) -> tuple[Machine, dict[str, Value]]:
    """Return the machine as steps find it, and the contexts that stay the same for all of them.

    Raises:
        InfrastructureError: the event's file cannot be written.
    """
    in_containers = wanted.image is not None
    in_container = wanted.container is not None
    runner = runner_values(sandbox, folder, in_containers=in_containers, debug=is_debugging(job.run))
    github = github_with(early, workspace=sandbox.workspace)
    event_path = _write_event(folder, github)
    await sandbox.send([event_path])
    if not in_containers:
        inherited = os.environ.get("PATH", DEFAULT_PATH)
    else:
        inherited = (facts.env.get("PATH") if facts is not None else None) or DEFAULT_PATH
    inside = sandbox.inside(event_path)
    system = system_variables(
        {**text_properties(github), "event_path": inside}, runner, job.combination.values
    )
    if not in_containers and job.run.bind is None:
        # The job's folder may lie in the user's own repository, which git must not find without a checkout.
        system["GIT_CEILING_DIRECTORIES"] = str(folder.root.resolve())
    machine = Machine(
        sandbox=sandbox,
        folder=folder,
        in_container=in_container,
        programs=await sandbox.find_programs(_SHELLS),
        inherited_path=inherited,
        system=system,
        event_path=inside,
        other_user=runs_as_other(wanted, facts),
    )
    trust_workspace(folder)
    fixed: dict[str, Value] = {
        **early,
        "github": github,
        "runner": ObjectValue(dict(runner)),
        "job": job_value(sandbox, wanted.services, in_container=in_container),
    }
    return machine, fixed


def _write_event(folder: JobFolder, github: ObjectValue) -> Path:
    path = folder.files / "event.json"
    try:
        path.write_text(json.dumps(to_plain(github.get("event")), indent=2), encoding="utf-8")
        path.chmod(0o644)
    except OSError as error:
        raise InfrastructureError(f"cannot write {path}: {error.strerror}") from error
    return path
