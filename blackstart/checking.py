"""What a check is written with."""

from __future__ import annotations

from typing import TypeVar

from blackstart.errors import Unproven
from blackstart.model.facts import GuestFacts, Observed, SiteFacts
from blackstart.model.k3s_facts import K3sFacts

T = TypeVar("T")


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


def k3s_facts(facts: SiteFacts, server: str) -> K3sFacts:
    """The facts of the k3s cluster. Raises ``Unproven`` when nobody looked at ``server``."""
    if facts.k3s is None or server not in facts.k3s.servers:
        raise Unproven(f"nobody looked at {server}")
    return facts.k3s
