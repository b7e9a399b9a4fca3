"""Guests: whose turn it is when, what each needs to start, and what to be reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from blackstart.graph.growing import Growing, part_id
from blackstart.graph.inputs import NOBODY
from blackstart.graph.stores import need_volumes
from blackstart.model.boot_graph import Link, LinkKind, Part, PartKind
from blackstart.model.inventory import Guest
from blackstart.model.subjects import subject

_ADDRESS_KEY = re.compile(r"^(ipconfig|net)\d+$")
LAST = 1 << 31
"""Guests without an order come after all that have one (qm(1), "Automatic Start")."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a guest's turn is: by order, then by vmid. ``up_s`` is what its successor waits."""

    order: int
    vmid: int
    name: str
    up_s: float
    written: str


def startup(value: str) -> tuple[int, float]:
    """Order and seconds until the next guest's turn, of ``order=1,up=30,down=60`` or ``1``."""
    order, up_s = LAST, 0.0
    for word in value.split(","):
        key, equals, given = word.strip().partition("=")
        if not equals and key.isdigit():
            order = int(key)
        elif key == "order" and given.isdigit():
            order = int(given)
        elif key == "up" and given.isdigit():
            up_s = float(given)
    return order, up_s


def add_guests(grow: Growing) -> None:
    """Every guest that is meant to run, on the node that it is on now."""
    turns: dict[str, list[Turn]] = {}
    for name, guest in grow.given.inventory.guests.items():
        if guest.running:
            node, turn = _guest(grow, name, guest)
            if turn is not None:
                turns.setdefault(node, []).append(turn)
    for on_node in turns.values():
        _in_turn(grow, sorted(on_node, key=lambda turn: (turn.order, turn.vmid)))
    _leases(grow)


def _guest(grow: Growing, name: str, guest: Guest) -> tuple[str, Turn | None]:
    facts = grow.given.facts.guests.get(name)
    node = (facts.node.value if facts else None) or guest.node
    placed = facts.node.source if facts and facts.node.value else f"inventory: guests.{name}.node"
    whole, start = subject("guest", name), part_id(PartKind.START, name)
    config = facts.config if facts else None
    source = config.source if config else f"api GET config of {name}"
    if config is None or config.value is None or facts is None or facts.onboot.value is None:
        why = (config.error if config else NOBODY) or "no answer"
        grow.unknown(start, f"whether and from where it starts ({why})", source)
    elif facts.node.value is None:
        why = facts.node.error or "no answer"
        grow.unknown(start, f"which node starts it ({why})", facts.node.source)
    starts_off = facts is not None and facts.onboot.value is False
    never = None
    if starts_off and not _managed(grow, start, guest):
        never = "onboot is 0, so its node does not start it"
    begin = Part(
        id=start,
        kind=PartKind.START,
        label=name,
        host=node,
        guest=name,
        never=never,
        evidence=(f"{source}: onboot: 0",) if never else (),
    )
    grow.part(begin)
    grow.part(Part(id=whole, kind=PartKind.GUEST, label=name, host=node, guest=name))
    boot = part_id(PartKind.BOOT, node)
    if not grow.has(boot):
        grow.unknown(start, f"when {node} boots: the inventory declares no such hypervisor", placed)
        boot = grow.outside(node)
    grow.needs(start, boot, f"is started by {node}", placed)
    grow.needs(whole, start, "boots", source)
    if config is None or config.value is None:
        return node, None
    need_volumes(grow, start, node, config.value, source)
    written = config.value.get("startup", "")
    order, up_s = startup(written)
    said = f"{source}: startup: {written}" if written else f"{source}: no startup order"
    return node, Turn(order, guest.vmid, name, up_s, said) if never is None else None


def _managed(grow: Growing, start: str, guest: Guest) -> bool:
    """Whether high availability starts it, whatever ``onboot`` says (ha-manager(1))."""
    managing = grow.given.high_availability
    if managing is None:
        return False
    if managing.value is None:
        what = f"whether high availability starts it ({managing.error or 'no answer'})"
        grow.unknown(start, what, managing.source)
        return True
    sid = f"{'vm' if guest.kind == 'qemu' else 'ct'}:{guest.vmid}"
    return any(item.sid == sid for item in managing.value.managed)


def _in_turn(grow: Growing, turns: list[Turn]) -> None:
    """One after the other, whether or not the one before came up (qm(1))."""
    for one, other in pairwise(turns):
        grow.link(
            Link(
                before=part_id(PartKind.START, one.name),
                after=part_id(PartKind.START, other.name),
                kind=LinkKind.AFTER,
                why=f"its turn is after {one.name}",
                evidence=(one.written, other.written),
                delay_s=one.up_s,
            )
        )


def _leases(grow: Growing) -> None:
    """Guests with an address by DHCP answer once any declared server does."""
    inventory = grow.given.inventory
    lease = part_id(PartKind.LEASE, inventory.site)
    servers = dhcp_servers(grow)
    for name, guest in inventory.guests.items():
        facts = grow.given.facts.guests.get(name)
        if not guest.running or facts is None or facts.config.value is None or not servers:
            continue
        key = by_dhcp(facts.config.value)
        if key is None:
            continue
        label = f"a lease (any of {len(servers)})" if len(servers) > 1 else "a lease"
        grow.part(Part(id=lease, kind=PartKind.LEASE, label=label, at_least=1))
        said = f"{facts.config.source}: {key}: {facts.config.value[key]}"
        grow.needs(subject("guest", name), lease, "has its address by DHCP", said)
    for server, evidence in servers.items():
        if grow.has(lease):
            grow.needs(lease, server, "gives addresses", evidence)


def dhcp_servers(grow: Growing) -> dict[str, str]:
    """Parts of the declared DHCP servers, and the inventory's key of each."""
    inventory = grow.given.inventory
    found = {subject("dhcp", name): f"inventory: dhcp.{name}" for name in inventory.dhcp}
    if not found and inventory.maas is not None and inventory.maas.guest is not None:
        found = {subject("dhcp", inventory.maas.guest): "inventory: maas.guest"}
    return found


def by_dhcp(config: Mapping[str, str]) -> str | None:
    """The key by which a guest's address comes from DHCP, as far as its node knows."""
    for key, value in config.items():
        if _ADDRESS_KEY.fullmatch(key) and "ip=dhcp" in value.split(","):
            return key
    return None
