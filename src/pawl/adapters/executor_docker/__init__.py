"""Runs jobs in containers of a Docker Engine, or of Podman by its Docker-compatible socket."""

from __future__ import annotations

from pawl.adapters.executor_docker.executor import DockerExecutor

__all__ = ["DockerExecutor"]
