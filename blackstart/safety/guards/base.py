"""What a guard is asked and what it answers, and what several of them need to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from blackstart.drivers.base import Site
from blackstart.faults.base import Plan
from blackstart.model.facts import Observed, SiteFacts
from blackstart.terms import Terms


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to do, under which terms, and what is known now."""

    site: Site
    terms: Terms
    plan: Plan
    facts: SiteFacts

    @property
    def falling(self) -> frozenset[str]:
        """Plain names of nodes and guests that are expected to go down."""
        inventory, plan = self.site.inventory, self.plan
        known = {*inventory.nodes, *inventory.guests}
        named = {name.removeprefix("node/").removeprefix("guest/") for name in plan.blast_radius}
        return frozenset((named | set(plan.nodes_down)) & known)

    @property
    def touched(self) -> tuple[str, ...]:
        """Nodes that the fault or its undo touches, in the inventory's order."""
        guests = self.site.inventory.guests
        concerned = {*self.plan.nodes_down, *self.falling, self.plan.target, self.plan.undo_host}
        concerned |= {guests[name].node for name in guests if name in concerned}
        return tuple(name for name in self.site.inventory.nodes if name in concerned)

    @property
    def members_down(self) -> tuple[str, ...]:
        """Proxmox nodes that the fault takes down."""
        nodes = self.site.inventory.nodes
        return tuple(name for name in self.plan.nodes_down if nodes[name].api == "proxmox")


@dataclass(frozen=True, slots=True)
class Pass:
    """No objection, and how that was seen."""

    because: str


Said = str | Pass | None
"""A refusal in words, or no objection with or without a remark."""


class Guard(Protocol):
    """One refusal."""

    name: str

    def refuse(self, request: Request) -> Said:
        """The reason to refuse and the remedy, or no objection. May raise ``DriverError``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One guard's answer: ``refusal`` is ``None`` when it lets the drill pass.

    ``waived`` is the reason why it is overruled in this run; who said so is in the journal.
    ``because`` says how it was seen that there is nothing to object to.
    """

    guard: str
    refusal: str | None
    waived: str | None = None
    because: str = ""

    @property
    def stands(self) -> bool:
        """Whether it keeps the drill from beginning."""
        return self.refusal is not None and self.waived is None

    @property
    def wording(self) -> str:
        """For a person."""
        if self.refusal is None:
            return f"no objection: {self.because}" if self.because else "no objection"
        return f"{self.refusal}" + (f" (waived: {self.waived})" if self.waived else "")


def unseen(what: str, seen: Observed[Any]) -> str:
    """The refusal for what could not be seen."""
    return f"{what} cannot be seen ({seen.source}: {seen.error or 'no value'})"


def unseen_hosts(what: str, answers: Mapping[str, Observed[Any]]) -> list[str]:
    """The same by host, for those that could not be asked."""
    return [f"{what} on {unseen(host, seen)}" for host, seen in answers.items() if not seen.known]
