"""The contexts of a job that stay the same for all its steps."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.core.expressions import ObjectValue, Value
from pawl.core.planning.contexts import combination_contexts, job_contexts, short_names
from pawl.engine.execution.facts import run_facts, runner_architecture, runner_system
from pawl.engine.execution.folders import JobFolder
from pawl.engine.execution.request import JobRequest
from pawl.ports.executor import Sandbox, ServiceSpec


def early_contexts(job: JobRequest) -> dict[str, Value]:
    """Return what is known before the job has a machine: all but `runner`, `job`, `steps` and `env`."""
    plan, strategy = job.run.plan, job.strategy
    return {
        **short_names(plan.event),
        **job_contexts(plan, job.planned.key, job.needs, run_facts(job.run, attempt=job.attempt)),
        **combination_contexts(
            job.combination, fail_fast=strategy.fail_fast, max_parallel=strategy.max_parallel
        ),
        "secrets": ObjectValue({"GITHUB_TOKEN": "", **job.run.secrets}),
        "env": ObjectValue({}, case_sensitive=True),
    }


def runner_values(sandbox: Sandbox, folder: JobFolder, *, in_containers: bool, debug: bool) -> dict[str, str]:
    """Return the `runner` context, which is also the `RUNNER_*` variables."""
    return {
        "name": "Pawl",
        "os": runner_system(in_containers=in_containers),
        "arch": runner_architecture(),
        "temp": sandbox.inside(folder.temp),
        "tool_cache": sandbox.inside(folder.tools),
        "environment": "self-hosted",
        **({"debug": "1"} if debug else {}),
    }


def github_with(early: Mapping[str, Value], **more: str) -> ObjectValue:
    """Return the `github` context with what the machine adds."""
    github = early["github"]
    return ObjectValue({**(github if isinstance(github, ObjectValue) else {}), **more})


def job_value(sandbox: Sandbox, services: tuple[ServiceSpec, ...], *, in_container: bool) -> ObjectValue:
    """Return the `job` context without `status`: the container and the services with their ports."""
    identity = {name: value for name, value in sandbox.identity.items() if name in ("id", "network")}
    ports = sandbox.service_ports
    shown: dict[str, Value] = {
        service.name: _service_value(service.name, identity.get("network", ""), ports.get(service.name, {}))
        for service in services
    }
    container = ObjectValue(dict(identity)) if in_container else ObjectValue({})
    return ObjectValue({"container": container, "services": ObjectValue(shown)})


def _service_value(name: str, network: str, ports: Mapping[str, int]) -> ObjectValue:
    shown: dict[str, Value] = {port: str(at) for port, at in ports.items()}
    entries: dict[str, Value] = {"id": name, "network": network, "ports": ObjectValue(shown)}
    return ObjectValue(entries)


def text_properties(value: Value) -> dict[str, str | None]:
    """Return the properties of an object that are plain, as text; what `GITHUB_*` variables are made from."""
    if not isinstance(value, ObjectValue):
        return {}
    plain: dict[str, str | None] = {}
    for name, item in value.items():
        match item:
            case bool():
                plain[name] = "true" if item else "false"
            case str():
                plain[name] = str(item)
            case _:
                pass
    return plain
