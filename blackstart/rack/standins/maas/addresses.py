"""Which addresses of a subnet are taken, by whom, and what is free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from .store import Record, State, by_id, select, take_id

AUTO, STATIC, USER_RESERVED = 0, 1, 4
ALLOC_TYPES = {0: "Auto", 1: "Static", 4: "User reserved", 5: "DHCP", 6: "Discovered"}
"""IPADDRESS_TYPE of maasserver/enum.py, as the API names them."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Addresses from ``first`` to ``last``, both included, and what they are taken for."""

    first: IPv4Address
    last: IPv4Address
    purposes: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """How many they are."""
        return int(self.last) - int(self.first) + 1

    def __contains__(self, address: IPv4Address) -> bool:
        return self.first <= address <= self.last


def read_address(text: str) -> IPv4Address | None:
    """An IPv4 address, ``None`` for what is none."""
    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


def subnet_of(state: State, address: IPv4Address) -> Record | None:
    """The subnet that an address belongs to."""
    fitting = (each for each in state["subnets"] if address in IPv4Network(each["cidr"]))
    return next(fitting, None)


def holder_of(state: State, ip: str) -> Record | None:
    """The record of an address that is linked or reserved by a user."""
    return next(iter(select(state, "addresses", ip=ip)), None)


def ranges_of(state: State, subnet: Record, kind: str) -> list[Stretch]:
    """IP ranges of a subnet, ``dynamic`` or ``reserved``."""
    return [
        Stretch(IPv4Address(each["start_ip"]), IPv4Address(each["end_ip"]), frozenset({kind}))
        for each in select(state, "ipranges", subnet=subnet["id"], type=kind)
    ]


def dynamic_range(state: State, subnet: Record, address: IPv4Address) -> Stretch | None:
    """The dynamic range that an address is in."""
    found = (each for each in ranges_of(state, subnet, "dynamic") if address in each)
    return next(found, None)


def taken(state: State, subnet: Record) -> list[Stretch]:
    """All that is not free, as ``op=reserved_ip_ranges`` shows it: without reserved IPs.

    Stretches that overlap are one with the purposes of both, and neighbours of one purpose
    are one.
    """
    whole: list[Stretch] = []
    for each in sorted(_uses(state, subnet), key=lambda item: (item.first, -int(item.last))):
        last = whole[-1] if whole else None
        if last is not None and each.first <= last.last:
            end = max(last.last, each.last)
            whole[-1] = Stretch(last.first, end, last.purposes | each.purposes)
        elif last is not None and each.first == last.last + 1 and each.purposes == last.purposes:
            whole[-1] = Stretch(last.first, each.last, each.purposes)
        else:
            whole.append(each)
    return whole


def _uses(state: State, subnet: Record) -> Iterator[Stretch]:
    network = IPv4Network(subnet["cidr"])
    if subnet["gateway_ip"]:
        yield _single(subnet["gateway_ip"], "gateway-ip")
    for server in subnet["dns_servers"]:
        if IPv4Address(server) in network:
            yield _single(server, "dns-server")
    for held in select(state, "addresses", subnet=subnet["id"]):
        if held["ip"]:
            yield _single(held["ip"], "assigned-ip")
    yield from ranges_of(state, subnet, "dynamic")
    yield from ranges_of(state, subnet, "reserved")


def _single(text: str, purpose: str) -> Stretch:
    address = IPv4Address(text)
    return Stretch(address, address, frozenset({purpose}))


def free(state: State, subnet: Record) -> list[Stretch]:
    """What is between."""
    network = IPv4Network(subnet["cidr"])
    begin, end = network.network_address + 1, network.broadcast_address - 1
    found = []
    for each in taken(state, subnet):
        if each.first > begin:
            found.append(Stretch(begin, each.first - 1))
        begin = max(begin, each.last + 1)
    if begin <= end:
        found.append(Stretch(begin, end))
    return found


def next_free(state: State, subnet: Record) -> IPv4Address | None:
    """What MAAS gives to whoever asks for any: the first of the smallest gap."""
    reserved = {held["ip"] for held in state["reservedips"]}
    for gap in sorted(free(state, subnet), key=lambda each: each.count):
        for number in range(int(gap.first), int(gap.last) + 1):
            if str(IPv4Address(number)) not in reserved:
                return IPv4Address(number)
    return None


def add_address(state: State, now: float, **fields: object) -> Record:
    """A new record of an address; what is not given is empty."""
    empty = {"ip": None, "subnet": None, "user": None, "interface": None}
    record: Record = {**empty, "created": now, "updated": now, **fields}
    record["id"] = take_id(state, "addresses")
    state["addresses"].append(record)
    return record


def drop_address(state: State, record: Record) -> None:
    """Forget an address, and the names that had no other."""
    state["addresses"].remove(record)
    for resource in state["dnsresources"]:
        if record["id"] in resource["addresses"]:
            resource["addresses"].remove(record["id"])
    state["dnsresources"] = [
        each for each in state["dnsresources"] if each["addresses"] or each["records"]
    ]


def cards_of(state: State, held: Record) -> list[Record]:
    """The interface behind an address, none for an address alone."""
    card = by_id(state, "interfaces", held["interface"])
    return [card] if card is not None else []
