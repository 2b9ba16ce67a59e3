"""Containers and services: images, options, ports (GitHub docs, `jobs.<job_id>.container`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.workflow.container_options import parse_container_options
from pawl.core.workflow.fields import has_expression, text_of, texts_of
from pawl.core.workflow.images import image_problem
from pawl.core.workflow.nodes import Mapping, Node
from pawl.core.workflow.rules.subject import Subject, error, steps_of, warning
from pawl.core.workflow.syntax import Text, UsesStep

_PORT = re.compile(
    r"(?:(?:[0-9.]{7,15}|\[[0-9a-fA-F:]{2,39}\]):)?(?:[0-9]{0,5}(?:-[0-9]{1,5})?:)?"
    r"[0-9]{1,5}(?:-[0-9]{1,5})?(?:/(?:tcp|udp|sctp))?\Z"
)
_DOCKER = "docker://"


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `container-image`, `image`, `container-options` and `port`."""
    for job in subject.jobs:
        yield from _check_container(job.container)
        for _, service in job.services.entries if isinstance(job.services, Mapping) else ():
            yield from _check_container(service)
        for step in steps_of(job):
            if isinstance(step, UsesStep) and step.uses.text.startswith(_DOCKER):
                image = step.uses.text.removeprefix(_DOCKER)
                yield from _check_image(Text(image, step.uses.span))


def _check_container(node: Node | None) -> Iterator[Diagnostic]:
    if not isinstance(node, Mapping):
        image = text_of(node)
        if image is not None and image.text:
            yield from _check_image(image)
        return
    image = text_of(node.get("image"))
    if image is None and not has_expression(node):
        yield error(
            "container-image",
            "the container has no image, expected `image:`",
            Span(node.span.start, node.span.start),
        )
    if image is not None:
        yield from _check_image(image)
    options = text_of(node.get("options"))
    if options is not None:
        yield from _check_options(options)
    for port in texts_of(node.get("ports")):
        if "${{" not in port.text and not _PORT.match(port.text):
            expected = "`container`, `host:container`, or either with `/udp`"
            message = f"found the port `{port.text[:60]}`, expected {expected}"
            yield warning("port", message, port.span)


def _check_image(image: Text) -> Iterator[Diagnostic]:
    if "${{" in image.text or "$" in image.text:
        return
    problem = image_problem(image.text.removeprefix(_DOCKER))
    if problem is not None:
        yield warning("image", f"`{image.text[:100]}` is not the name of an image: {problem}", image.span)


def _check_options(options: Text) -> Iterator[Diagnostic]:
    if "${{" in options.text:
        return
    for problem in parse_container_options(options.text).problems:
        message = f"the option `{problem.option}` {problem.message}" if problem.option else problem.message
        yield warning("container-options", message, options.span)
