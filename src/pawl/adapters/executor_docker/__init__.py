"""Runs jobs in containers of a Docker Engine, or of Podman by its Docker-compatible socket."""

from __future__ import annotations

from pawl.adapters.executor_docker.executor import DockerExecutor
from pawl.adapters.executor_docker.holders import Holders
from pawl.adapters.executor_docker.shell import attach_shell

__all__ = ["DockerExecutor", "Holders", "attach_shell"]
