from __future__ import annotations

import pytest

from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json
from pawl.engine.execution.containers import parse_container, parse_port, parse_services, parse_volume
from pawl.ports.executor import Credentials, PortMapping, Volume

HERE = "`container`"


@pytest.mark.parametrize(
    ("data", "port"),
    [
        (80, PortMapping(container=80)),
        (80.0, PortMapping(container=80)),
        ("8080:80", PortMapping(container=80, host=8080)),
        ("127.0.0.1:8080:80/udp", PortMapping(container=80, host=8080, protocol="udp")),
        ("127.0.0.1::80", PortMapping(container=80)),
        ("0:80", PortMapping(container=80)),
    ],
)
def test_ports(data: Json, port: PortMapping) -> None:
    assert parse_port(data, where=HERE) == port


@pytest.mark.parametrize("data", ["", "x", "0", "65536", "70000:80", "80/icmp", "1:2:3", True, None, [80]])
def test_what_is_no_port_is_refused(data: Json) -> None:
    with pytest.raises(UsageError, match="port"):
        parse_port(data, where=HERE)


@pytest.mark.parametrize(
    ("data", "volume"),
    [
        ("cache:/var/cache", Volume(name="cache", target="/var/cache")),
        ("cache:/var/cache:ro", Volume(name="cache", target="/var/cache", read_only=True)),
        ("/data", Volume(name="anonymous-data", target="/data")),
    ],
)
def test_volumes(data: Json, volume: Volume) -> None:
    assert parse_volume(data, where=HERE) == volume


@pytest.mark.parametrize(
    "data", ["/etc:/x", "./here:/x", "~/x:/x", "../x:/x", "a:b", "a:/x/../y", "a:/b:/c:ro", "", 5, "a b:/x"]
)
def test_folders_of_the_machine_and_nonsense_are_refused(data: Json) -> None:
    with pytest.raises(UsageError, match="volume"):
        parse_volume(data, where=HERE)


def test_a_container_may_be_its_image_only() -> None:
    spec = parse_container("docker://debian:$V", where=HERE, fill_in=lambda text: text.replace("$V", "12"))

    assert spec is not None
    assert spec.image.name == "debian:12"


def test_all_fields_of_a_container() -> None:
    spec = parse_container(
        {
            "image": "x",
            "credentials": {"username": "me", "password": "pw"},
            "env": {"A": 1},
            "ports": [80],
            "volumes": ["v:/v"],
            "options": "--cpus 2 --memory 1g --user 1000",
        },
        where=HERE,
    )

    assert spec is not None
    assert spec.image.credentials == Credentials(username="me", password="pw")
    assert "pw" not in repr(spec)
    assert spec.env == {"A": "1"}
    assert (spec.options.user, spec.options.limits.cpus, spec.options.limits.memory) == ("1000", 2.0, 1024**3)
    assert spec.options.limits.pids == 1024, "the default stays"


@pytest.mark.parametrize("image", ["", None, "  "])
def test_a_container_without_an_image_is_none(image: str | None) -> None:
    assert parse_container({"image": image, "env": {}}, where=HERE) is None
    assert parse_services({"db": {"image": image}}) == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"image": "x", "options": "--privileged"}, "--privileged"),
        ({"image": "x", "options": "--network host"}, "--network"),
        ({"image": "x", "options": '--name "'}, "taken apart"),
        ({"image": "x", "credentials": {"username": "me"}}, "both"),
        ({"image": "x", "env": ["A=1"]}, "mapping"),
        ({"image": "x", "ports": "80"}, "not a list"),
        ({"image": ["x"]}, "not text"),
    ],
)
def test_a_container_that_cannot_be_had_says_where_and_why(data: Json, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as raised:
        parse_container(data, where=HERE)

    assert HERE in raised.value.message


def test_services_must_be_a_mapping() -> None:
    assert parse_services(None) == ()
    with pytest.raises(UsageError, match="services"):
        parse_services(["db"])
