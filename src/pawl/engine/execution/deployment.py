"""Where a deployment can be seen: `environment.url` of a job, known once its steps have run."""

from __future__ import annotations

from urllib.parse import urlsplit

from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.steps.evaluation import Evaluator

MAX_URL = 2000
"""Characters of an address; GitHub refuses longer ones too."""


def deployed_to(environment: Json, evaluator: Evaluator, secrets: SecretSet) -> str:
    """Return the address of a job's deployment, "" where it names none, or none that may be shown.

    Whatever a step made of it is told to people, so it is an address of the web or nothing.

    Raises:
        UsageError: the template cannot be evaluated.
    """
    template = environment.get("url") if isinstance(environment, dict) else None
    if template is None:
        return ""
    url = str(evaluator.text(template, where="environment.url")).strip()
    if not url or secrets.contains_secret(url):
        return ""
    if len(url) > MAX_URL or not url.isprintable() or " " in url or not _is_address(url):
        raise UsageError(
            f"`environment.url` is no address of the web: `{url[:80]}`",
            hint="it begins with https:// or http://",
        )
    return url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
