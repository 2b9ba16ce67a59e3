from __future__ import annotations

import pytest

from pawl.core.workflow.container_options import parse_container_options, parse_size


def test_allowed_options_become_fields() -> None:
    parsed = parse_container_options(
        "--user 1000:1000 -h web --cpus 1.5 -m 2g --pids-limit=50 --shm-size 64m --init=false --read-only "
        '--health-cmd "pg_isready -U me" --health-interval 10s --health-retries 5 --entrypoint /run'
    )
    assert parsed.problems == ()
    assert parsed.fields == {
        "user": "1000:1000",
        "hostname": "web",
        "cpus": 1.5,
        "memory": 2 * 1024**3,
        "pids": 50,
        "shm_size": 64 * 1024**2,
        "init": False,
        "read_only": True,
        "health_cmd": "pg_isready -U me",
        "health_interval": 10.0,
        "health_retries": 5,
        "entrypoint": "/run",
    }


def test_options_that_may_be_repeated_add_up() -> None:
    parsed = parse_container_options(
        "--add-host a:1.1.1.1 --add-host b=2.2.2.2 --network-alias x --network-alias y --ulimit nofile=10:20 "
        "--ulimit core=0 --tmpfs /a --tmpfs /b:size=1m -l k=v --label only"
    )
    assert parsed.fields == {
        "extra_hosts": ("a:1.1.1.1", "b:2.2.2.2"),
        "network_aliases": ("x", "y"),
        "ulimits": {"nofile": (10, 20), "core": (0, 0)},
        "tmpfs": {"/a": "", "/b": "size=1m"},
        "labels": {"k": "v", "only": ""},
    }


@pytest.mark.parametrize(
    "text",
    [
        "--privileged",
        "--cap-add SYS_ADMIN",
        "--cap-add=SYS_ADMIN",
        "--security-opt seccomp=unconfined",
        "--network host",
        "--pid=host",
        "-v /:/host",
        "--volume /var/run/docker.sock:/x",
        "--device /dev/kvm",
        "--runtime x",
    ],
)
def test_nothing_that_loosens_isolation_is_applied(text: str) -> None:
    parsed = parse_container_options(f"{text} --user me")
    assert parsed.fields == {"user": "me"}
    assert [problem.is_error for problem in parsed.problems] == [False]


@pytest.mark.parametrize(
    "text",
    [
        "--cpus many",
        "--memory",
        "--memory --user x",
        "--ulimit x",
        "word",
        "--user 'open",
        "--cpus 0",
        "x" * 20_000,
    ],
)
def test_what_cannot_be_read_is_an_error(text: str) -> None:
    assert any(problem.is_error for problem in parse_container_options(text).problems)


def test_flags_without_meaning_here_are_passed_over() -> None:
    assert parse_container_options("--rm -it -d --tty").problems[1:] == ()


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("2k", 2048), ("3M", 3 * 1024**2), ("1gb", 1024**3), ("x", None)]
)
def test_sizes_are_read_in_bytes(text: str, size: int | None) -> None:
    assert parse_size(text) == size
