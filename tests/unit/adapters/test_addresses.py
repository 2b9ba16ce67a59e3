from __future__ import annotations

from ipaddress import ip_address

import pytest

from pawl.adapters.http_out.addresses import DENIED, Allowed, Network, address_fault
from pawl.core.model.errors import UsageError

INSIDE = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = [
    *("1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0"),
    *("168.63.129.15", "198.17.255.255", "223.255.255.255", "140.82.121.4"),
    *("2606:4700::1111", "2a04:4e42::223", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
]


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_not_called(text: str) -> None:
    assert address_fault(ip_address(text)).startswith("it is in ")


@pytest.mark.parametrize("text", OUTSIDE)
def test_an_address_of_the_public_internet_is_called(text: str) -> None:
    assert address_fault(ip_address(text)) == ""


@pytest.mark.parametrize("network", DENIED, ids=str)
def test_a_network_is_denied_from_its_first_address_to_its_last(network: Network) -> None:
    assert address_fault(network[0])
    assert address_fault(network[-1])


def test_an_operator_allows_hosts_domains_addresses_and_networks() -> None:
    allowed = Allowed.of(["git.lan", ".corp.example", "10.1.0.0/16", "127.0.0.1", "fd00::/8"])
    assert allowed.host("git.lan")
    assert allowed.host("GIT.lan.")
    assert not allowed.host("evil-git.lan")
    assert allowed.host("a.b.corp.example")
    assert not allowed.host("corp.example")
    assert not allowed.host("notcorp.example")
    assert allowed.address(ip_address("10.1.255.255"))
    assert not allowed.address(ip_address("10.2.0.0"))
    assert allowed.address(ip_address("127.0.0.1"))
    assert not allowed.address(ip_address("127.0.0.2"))
    assert allowed.address(ip_address("fd12::1"))


@pytest.mark.parametrize(
    "entry", ["", "http://git.lan", "git.lan:80", "10.0.0.0/99", "a b", "*", "a@b", "10.0.0.1/8"]
)
def test_an_entry_that_names_nothing_is_told(entry: str) -> None:
    with pytest.raises(UsageError, match="neither a host nor a network") as caught:
        Allowed.of([entry])
    assert caught.value.hint
