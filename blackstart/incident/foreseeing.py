"""Prediction against drill: what verify said would not come back, and what did not.

A blocker predicts a loss of what it names, or of what this carries: of a host its guests, of a
guest its services. It came true when a promise about any of that failed; a failure was foreseen
when a blocker names it, or what carries it. What a drill could not judge is counted apart.
"""

from __future__ import annotations

from blackstart.incident.known import CLUSTER
from blackstart.incident.records import Drilled, Verified
from blackstart.model.act import parse_act
from blackstart.model.finding import Severity
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Record
from blackstart.model.verdict import Verdict

SEES_EVERYTHING = "nothing-else-changed"
"""Most drifts are an undeclared change as well: this promise names no part that was lost."""


class Foresight(Record):
    """Blockers that ``came_true`` or ``did_not``; failures that were ``foreseen`` or ``surprised``.

    ``unknown`` are promises that the drill could not judge; they count for neither.
    """

    came_true: tuple[str, ...]
    did_not: tuple[str, ...]
    foreseen: tuple[str, ...]
    surprised: tuple[str, ...]
    unknown: tuple[str, ...]


def foresight(act: str, seen: Verified, drill: Drilled, inventory: Inventory) -> Foresight:
    """Compare them. ``act`` is what was decided: findings of other parts predict nothing of it."""
    scope = parse_act(act, inventory).touches(inventory)
    blockers = [
        item
        for item in seen.of(Verdict.FAIL).values()
        if item.severity is Severity.CRITICAL and item.is_touched_by(scope)
    ]
    lost = {
        key: carriers(inventory, key[1])
        for key in drill.of(Verdict.FAIL)
        if key[0] != SEES_EVERYTHING
    }
    named = [{item.target, *item.touches} for item in blockers]
    true = [any(names & parts for parts in lost.values()) for names in named]
    known = [any(names & parts for names in named) for parts in lost.values()]
    words = [f"{item.check} [{item.target}]" for item in blockers]
    losses = [f"{promise} [{target}]" for promise, target in lost]
    return Foresight(
        came_true=tuple(word for word, it in zip(words, true, strict=True) if it),
        did_not=tuple(word for word, it in zip(words, true, strict=True) if not it),
        foreseen=tuple(word for word, it in zip(losses, known, strict=True) if it),
        surprised=tuple(word for word, it in zip(losses, known, strict=True) if not it),
        unknown=tuple(f"{name} [{target}]" for name, target in drill.of(Verdict.UNPROVEN)),
    )


def carriers(inventory: Inventory, name: str) -> frozenset[str]:
    """A part by its bare name, and all that it rests on: guest, node, the server of a mount."""
    found: set[str] = set()
    left = [name]
    while left:
        part = left.pop()
        if part not in found:
            found.add(part)
            left += _below(inventory, part)
    return frozenset(found)


def _below(inventory: Inventory, name: str) -> list[str]:
    found: list[str | None] = []
    if name in inventory.guests:
        found.append(inventory.guests[name].node)
    if name in inventory.mounts:
        found += [inventory.mounts[name].host, inventory.mounts[name].server]
    servers = inventory.dns.servers if inventory.dns else {}
    for served in (
        *(inventory.services, inventory.compose, inventory.certificates),
        *(servers, inventory.dhcp),
    ):
        found += [served[name].guest] if name in served else []
    if name == CLUSTER and inventory.k3s is not None:
        found += inventory.k3s.servers
    return [item for item in found if item is not None]
