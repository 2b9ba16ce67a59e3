from __future__ import annotations

from dataclasses import fields

import pytest

from pawl.adapters.executor_docker.control import parse_exit
from pawl.adapters.executor_docker.hardening import check_target, health_check, host_config, user_labels
from pawl.adapters.executor_docker.services import can_join, find_clashes
from pawl.core.model.errors import UsageError
from pawl.ports.executor import ContainerOptions, Exit, ImageRef, Limits, PortMapping, ServiceSpec


def _host(options: ContainerOptions) -> dict[str, object]:
    return host_config(options, network="n", init=True, default_memory=1000)


def test_no_option_changes_what_keeps_a_job_in() -> None:
    """Every field of the options set to something: the rest of the container stays as it was."""
    everything = ContainerOptions(
        user="1",
        hostname="h",
        entrypoint="/e",
        health_cmd="c",
        network_aliases=("a",),
        extra_hosts=("a:1.2.3.4",),
        tmpfs={"/x": "size=1m"},
        shm_size=5,
        ulimits={"nofile": (1, 2)},
        labels={"a": "b"},
        read_only=True,
        init=False,
        limits=Limits(memory=5, cpus=2.0, pids=3),
    )
    assert len(fields(everything)) == 17, "a new field: say here what it may change"
    loosened = {
        key for key, value in _host(everything).items() if _host(ContainerOptions()).get(key) != value
    }
    assert loosened == {
        "ExtraHosts",
        "Init",
        "Memory",
        "MemorySwap",
        "NanoCpus",
        "PidsLimit",
        "ReadonlyRootfs",
        "ShmSize",
        "Tmpfs",
        "Ulimits",
    }


def test_memory_is_limited_by_default_and_swap_never_added() -> None:
    assert (_host(ContainerOptions())["Memory"], _host(ContainerOptions())["MemorySwap"]) == (1000, 1000)


@pytest.mark.parametrize(
    "target", ["/", "//", "x", "/proc", "/sys/x", "/dev/shm/..", "/pawl", "/pawl/x", "/a/../b"]
)
def test_reserved_targets_are_refused(target: str) -> None:
    with pytest.raises(UsageError):
        check_target(target)


def test_targets_are_normalised() -> None:
    assert check_target("/var//lib/./x/") == "/var/lib/x"
    assert check_target("/pawlx") == "/pawlx"


def test_labels_of_our_name_space_are_refused() -> None:
    with pytest.raises(UsageError):
        user_labels({"pawl.owner": "me"})


def test_health_times_are_nanoseconds() -> None:
    options = ContainerOptions(health_cmd="x", health_interval=0.5, health_retries=3)
    assert health_check(options) == {"Test": ["CMD-SHELL", "x"], "Interval": 500_000_000, "Retries": 3}
    assert health_check(ContainerOptions()) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("0 0", Exit(code=0)),
        ("3 0", Exit(code=3)),
        ("143 0", Exit(code=143, signal=15)),
        ("137 1", Exit(code=137, signal=9, out_of_memory=True)),
        ("0 1", Exit(code=0)),
        ("200 0", Exit(code=200)),
    ],
)
def test_exit_lines_are_read(answer: str, expected: Exit) -> None:
    assert parse_exit(answer) == expected


@pytest.mark.parametrize("answer", ["", "x", "-1 0", "256 0", "1e3", "٣ 0", "9" * 60])
def test_junk_for_an_exit_line_is_a_loss(answer: str) -> None:
    ended = parse_exit(answer)
    assert ended.code == 137
    assert ended.reason


def _service(*ports: tuple[int, int | None]) -> ServiceSpec:
    mapped = tuple(PortMapping(container=inner, host=outer) for inner, outer in ports)
    return ServiceSpec(name=f"s{ports}", image=ImageRef(name="x"), ports=mapped)


def test_services_join_the_job_only_where_localhost_then_means_what_was_written() -> None:
    assert can_join((_service((5432, 5432)), _service((6379, None))))
    assert not can_join((_service((5432, 15432)),))
    assert not can_join((_service((80, None)), _service((80, None))))
    assert not can_join((_service(),))


def test_a_clash_names_the_services_and_the_port() -> None:
    clashes = find_clashes((_service((80, None)), _service((80, 80)), _service((81, 8081))))
    assert len(clashes) == 2
    assert "both use the port 80" in clashes[0]
    assert "moves its port 81 to 8081" in clashes[1]
