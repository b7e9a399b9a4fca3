"""Network of one host: what is written for the next boot, and what is there now."""

from __future__ import annotations

from typing import Literal

from blackstart.model.located import Located
from blackstart.model.observed import Record

GeneratedNetwork = Literal["none", "read", "not read"]


class OwnName(Record):
    """A host's own name and the addresses that it resolves to, in the resolver's order."""

    name: str
    addresses: tuple[str, ...]


class Stanza(Located):
    """What ``/etc/network/interfaces`` (interfaces(5)) says of one interface.

    ``line`` is of its first ``iface``. ``ports`` are the members of a bridge or bond;
    ``vlan_aware`` and ``vlans`` (``2-4094``) are a bridge's, ``vlans`` also a port's own.
    ``vlan_default`` is the untagged VLAN, ``vlan_id`` that of a VLAN interface and ``raw`` what it
    is made of.
    """

    name: str
    auto: bool
    ports: tuple[str, ...]
    vlan_aware: bool
    vlans: str
    vlan_default: int | None
    vlan_id: int | None
    raw: str = ""


class Card(Record):
    """One interface as the kernel has it (ip(8)).

    ``kind`` is empty for hardware, else ``bridge``, ``vlan``, ``veth`` ...; ``master`` the bridge
    or bond it belongs to; ``errors`` those of receiving and sending since it came up.
    """

    name: str
    kind: str
    up: bool
    master: str
    addresses: tuple[str, ...]
    errors: int
    vlan_aware: bool
    vlan_id: int | None


class Bridging(Record):
    """VLANs that a bridge passes on one of its ports (bridge(8)): all, and the untagged one."""

    vlans: tuple[int, ...]
    untagged: int | None
