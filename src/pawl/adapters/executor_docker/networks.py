"""A bridge network of a job's own, or of a holder's."""

from __future__ import annotations

from aiodocker import Docker

from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.naming import container_name, labels
from pawl.adapters.executor_docker.whole import make


async def make_bridge(docker: Docker, sandbox: str, owner: str) -> str:
    """Make a bridge network and return its name. What is on another one cannot be reached from it.

    Raises:
        InfrastructureError: the engine cannot.
    """
    name = container_name(sandbox)
    with engine_errors("The job's network cannot be made"):
        await make(
            docker.networks.create(
                {
                    "Name": name,
                    "Driver": "bridge",
                    "CheckDuplicate": True,
                    "Labels": labels(sandbox, owner, "network"),
                }
            )
        )
    return name
