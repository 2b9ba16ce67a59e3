"""Which addresses a server may call: a table of its own, since `ipaddress.is_global` misses some.

Source: IANA's registries of special-purpose addresses for IPv4 and IPv6; reliability.md R61 for those that
filters of others missed: 100.64.0.0/10, NAT64, 6to4, Teredo, 168.63.129.16, multicast.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pawl.core.model.errors import UsageError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

DENIED: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's machines' own service
        "169.254.0.0/16",  # link-local: clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "::/128",  # unspecified
        "::1/128",  # loopback
        "::/96",  # IPv4-compatible, long gone
        "64:ff9b:1::/48",  # NAT64 of one's own
        "100::/64",  # discarded
        "100:0:0:1::/64",  # dummy
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # private
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, long gone
        "ff00::/8",  # multicast
    )
)
"""What is not the public internet. Addresses that carry an IPv4 one are looked at as that."""

_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an operator allows besides the public internet, and to call without TLS.

    Attributes:
        hosts: names, in lower case; `.example.org` is all below it.
        networks: of addresses.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Allowed:
        """Return what these entries allow: names, addresses, and networks as `10.0.0.0/8`.

        Raises:
            UsageError: an entry is none of these.
        """
        hosts, networks = set(), []
        for entry in entries:
            text = entry.strip().lower()
            network = _network(text)
            if network is not None:
                networks.append(network)
            elif text and not set(text) & set("/:@?# *"):
                hosts.add(text)
            else:
                raise UsageError(
                    f"`{entry}` names neither a host nor a network",
                    hint="write git.example.org, .example.org, 10.1.2.3 or 10.0.0.0/8",
                )
        return cls(frozenset(hosts), tuple(networks))

    def host(self, name: str) -> bool:
        """Return whether a host is allowed by its name."""
        plain = name.lower().rstrip(".")
        if plain in self.hosts:
            return True
        return any(each.startswith(".") and plain.endswith(each) for each in self.hosts)

    def address(self, address: Address) -> bool:
        """Return whether an address is allowed by its network."""
        return any(address in each for each in self.networks if each.version == address.version)


def address_fault(address: Address) -> str:
    """Return why an address is not to be called; "" when it is one of the public internet."""
    plain = _plain(address)
    found = next((each for each in DENIED if each.version == plain.version and plain in each), None)
    return f"it is in {found}" if found is not None else ""


def parsed(text: str) -> Address | None:
    """Return the address that a text is, without the zone; None for a name."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _network(text: str) -> Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None
