from __future__ import annotations

import pytest

from pawl.adapters.executor_docker.images import _given_up, classify, with_registry
from pawl.adapters.executor_docker.naming import check_image_name
from pawl.core.model.errors import InfrastructureError, TransientError, UsageError


@pytest.mark.parametrize(
    "said",
    [
        "manifest for busybox:nope not found: manifest unknown: manifest unknown",
        "pull access denied for pawl/x, repository does not exist or may require 'docker login'",
        "unauthorized: authentication required",
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
    ],
)
def test_a_pull_that_is_refused_is_not_tried_again(said: str) -> None:
    assert isinstance(classify("x", InfrastructureError(said)), UsageError)


@pytest.mark.parametrize(
    "said",
    [
        "Get https://registry/v2/: dial tcp: lookup registry on 10.0.0.1:53: no such host",
        "toomanyrequests: You have reached your pull rate limit",
        "received unexpected HTTP status: 503 Service Unavailable",
        "net/http: TLS handshake timeout",
        "unexpected EOF",
    ],
)
def test_a_pull_that_fails_in_passing_is_tried_again(said: str) -> None:
    assert isinstance(classify("x", InfrastructureError(said)), TransientError)


def test_an_unreachable_registry_is_named_as_the_cause_with_a_mend() -> None:
    error = _given_up("busybox", TransientError("dial tcp: lookup registry: no such host"))
    assert "registry cannot be reached" in error.message
    assert error.hint


@pytest.mark.parametrize("name", ["busybox", "ghcr.io/a/b:1.2", "localhost:5000/x@sha256:" + "0" * 64])
def test_names_of_images_are_taken(name: str) -> None:
    assert check_image_name(name) == name


@pytest.mark.parametrize("name", ["", "-x", "a b", "../../x", "a//b", "a\nb", "x" * 300, "http://x/y", "é"])
def test_what_cannot_name_an_image_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_image_name(name)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("alpine", "docker.io/library/alpine"),
        ("alpine:3", "docker.io/library/alpine:3"),
        ("someone/private:1", "docker.io/someone/private:1"),
        ("ghcr.io/a/b", "ghcr.io/a/b"),
        ("localhost/a", "localhost/a"),
        ("host:5000/a", "host:5000/a"),
    ],
)
def test_with_credentials_an_image_is_asked_for_with_its_registry(name: str, full: str) -> None:
    assert with_registry(name) == full
