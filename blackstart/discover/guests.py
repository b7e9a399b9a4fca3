"""The guests that an inventory can hold, and why the others are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blackstart.discover.addresses import Known, Reserved, Unknown, address_of
from blackstart.discover.naming import guest_names
from blackstart.discover.written import dumped, one_line
from blackstart.model.survey import GuestSeen, Survey

_ELSEWHERE = Unknown("its node is left out")


@dataclass(frozen=True, slots=True)
class Placed:
    """A guest that has its place in the inventory."""

    name: str
    guest: GuestSeen
    known: Known


@dataclass(frozen=True, slots=True)
class Placement:
    """Those that can be declared, and in words those that cannot."""

    placed: tuple[Placed, ...]
    left_out: tuple[str, ...]


def place(survey: Survey, nodes: Mapping[str, str], reserved: Reserved) -> Placement:
    """Each guest on a declared node whose address is known and nobody else's."""
    placed: list[Placed] = []
    left_out: list[str] = []
    names = guest_names(survey.guests, set(nodes))
    owners = {address: f"node {name}" for name, address in nodes.items()}
    for guest in survey.guests:
        name = names[guest.vmid]
        known = address_of(guest, reserved) if guest.node in nodes else _ELSEWHERE
        if isinstance(known, Known):
            other = owners.get(known.address) or owners.get(known.mac)
            if other is None:
                owners |= dict.fromkeys((known.address, known.mac), f"guest {name}")
                placed.append(Placed(name, guest, known))
                continue
            known = Unknown(f"{known.address} ({known.mac}) is that of {other} too")
        left_out.append(f"{name} ({guest.kind} {guest.vmid} on {guest.node}): {known.why}")
    return Placement(tuple(placed), tuple(left_out))


def written(found: Placement, templates: tuple[int, ...]) -> Iterator[str]:
    """Their lines in the inventory."""
    yield "# decide: which of them must come back, and in which time (`budget:`; without it 5"
    yield "# minutes from the fault until it stays good)."
    yield "guests:" if found.placed else "guests: {}"
    for item in found.placed:
        yield from _guest(item)
    for why in found.left_out:
        yield f"  # left out: {one_line(why)}"
    if templates:
        yield f"  # left out, as templates: {', '.join(map(str, templates))}"


def _guest(item: Placed) -> Iterator[str]:
    guest, status = item.guest, item.guest.facts.status
    if guest.name != item.name:
        yield f"  # {item.name} is {one_line(guest.name) or 'without a name'} there."
    if item.known.decide:
        yield f"  # decide: {item.name}'s address: {one_line(item.known.decide)}"
    body: dict[str, Any] = {
        "vmid": guest.vmid,
        "kind": guest.kind,
        "node": guest.node,
        "address": item.known.address,
        "mac": item.known.mac,
    }
    if status.value is None:
        yield f"  # decide: {item.name} may be on or off: {one_line(str(status.error))}"
    elif status.value != "running":
        yield f"  # decide: {item.name} was off when looked at; is it meant to be?"
        body["running"] = False
    yield dumped({item.name: body}, 2)
