"""What a check is written with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import pytest

from blackstart.errors import Found, Unproven
from blackstart.model.address_findings import FindingKind, findings
from blackstart.model.address_site import address_book
from blackstart.model.facts import GuestFacts, Observed, SiteFacts
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.k3s_facts import K3sFacts
from blackstart.model.maas_facts import MaasFacts

T = TypeVar("T")


def expect(
    holds: bool,
    problem: str,
    *,
    evidence: str | tuple[str, ...],
    fix: str,
    touches: tuple[str, ...] = (),
) -> None:
    """State a claim. Raises ``Found`` with all of this when it does not hold.

    ``fix`` is a command or an instruction that destroys no data.
    """
    if not holds:
        sources = (evidence,) if isinstance(evidence, str) else evidence
        raise Found(problem, evidence=sources, fix=fix, touches=touches)


def known(fact: Observed[T]) -> T:
    """The value of a fact. Raises ``Unproven`` with its source when it was not read."""
    if fact.value is None:
        raise Unproven(f"{fact.source}: {fact.error or 'no answer'}")
    return fact.value


def guest_facts(facts: SiteFacts, guest: str) -> GuestFacts:
    """The facts of a guest. Raises ``Unproven`` when nobody looked at it."""
    if guest not in facts.guests:
        raise Unproven(f"nobody looked at {guest}")
    return facts.guests[guest]


def boot_facts(host_boots: Mapping[str, HostBootFacts], host: str) -> HostBootFacts:
    """What a host says of its next boot. Raises ``Unproven`` when nobody looked at it."""
    if host not in host_boots:
        raise Unproven(f"nobody looked at {host}")
    return host_boots[host]


def has_own_kernel(facts: HostBootFacts) -> None:
    """Skip a check of what a container gets from its node: kernel, disks, mounts, clock."""
    kind = facts.container
    if known(kind):
        pytest.skip(f"a container ({kind.value}, {kind.source}): its node is asked for this")


def k3s_facts(facts: SiteFacts, server: str) -> K3sFacts:
    """The facts of the k3s cluster. Raises ``Unproven`` when nobody looked at ``server``."""
    if facts.k3s is None or server not in facts.k3s.servers:
        raise Unproven(f"nobody looked at {server}")
    return facts.k3s


def maas_facts(facts: SiteFacts) -> MaasFacts:
    """What MAAS says. Raises ``Unproven`` when nobody asked it."""
    if facts.maas is None:
        raise Unproven("nobody asked MAAS")
    return facts.maas


def wrong_with_addresses(
    inventory: Inventory, facts: SiteFacts, kind: FindingKind, guest: str | None = None
) -> str:
    """What the address book finds of a kind, of one guest or of all; empty for nothing.

    Raises ``Unproven`` when it finds nothing and could not read all that it needs.
    """
    judged = findings(address_book(inventory, facts))
    found, gaps = (
        [item for item in items if item.kind == kind and guest in (None, item.subject)]
        for items in (judged.findings, judged.gaps)
    )
    if gaps and not found:
        raise Unproven("; ".join(item.text for item in gaps))
    return "\n".join(str(item) for item in found)
