"""The guard: ordered refusals, each with a reason a person understands.

Fail-closed: what is not known refuses. The same code answers ``--plan``, so that a
dry run and a real one cannot differ (Netflix chaosmonkey, ``term/term.go``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from blackstart.drivers.base import Site
from blackstart.errors import DriverError, JournalError
from blackstart.faults.base import Plan
from blackstart.model.facts import ClusterFacts, SiteFacts
from blackstart.safety.halt import halted
from blackstart.safety.open_faults import open_faults
from blackstart.terms import Terms


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to do, under which terms, and what is known now."""

    site: Site
    terms: Terms
    plan: Plan
    facts: SiteFacts


@dataclass(frozen=True, slots=True)
class Answer:
    """One guard's answer: ``refusal`` is ``None`` when it lets the drill pass.

    ``waived`` is the reason why it is overruled in this run; who said so is in the journal.
    """

    guard: str
    refusal: str | None
    waived: str | None = None

    @property
    def stands(self) -> bool:
        """Whether it keeps the drill from beginning."""
        return self.refusal is not None and self.waived is None

    @property
    def wording(self) -> str:
        """For a person."""
        if self.refusal is None:
            return "no objection"
        return f"{self.refusal}" + (f" (waived: {self.waived})" if self.waived else "")


class Guard(Protocol):
    """One refusal."""

    name: str

    def refuse(self, request: Request) -> str | None:
        """The reason to refuse, or ``None``."""


class Armed:
    """The site must be armed by its own name."""

    name = "armed"

    def refuse(self, request: Request) -> str | None:
        """Refuse unless ``--arm`` names exactly this site."""
        site = request.site.inventory.site
        if request.terms.armed == site:
            return None
        given = (
            "nothing is armed"
            if request.terms.armed is None
            else f"--arm names {request.terms.armed!r}"
        )
        return f"{given}; to break things here, add --arm {site}"


class Consented:
    """Every target opts in to each fault by itself, until a date."""

    name = "consent"

    def refuse(self, request: Request) -> str | None:
        """Refuse without a consent in the inventory, or after its last day."""
        plan, inventory = request.plan, request.site.inventory
        today = datetime.fromtimestamp(request.site.clock.wall(), UTC).date()
        for target in plan.consents or (plan.target,):
            consent = inventory.may_break(target).get(plan.fault)
            if consent is None:
                return (
                    f"{target} has not opted in to {plan.fault}; "
                    f"add may_break: {{{plan.fault}: {{until: DATE}}}} to it in the inventory"
                )
            if today > consent.until:
                return f"the consent of {target} to {plan.fault} ended on {consent.until}"
        return None


class NotHalted:
    """Nobody has stopped drills on this site."""

    name = "not-halted"

    def refuse(self, request: Request) -> str | None:
        """Refuse from ``blackstart halt`` to ``blackstart resume``."""
        reason = halted(request.terms.leases, request.site.inventory.site)
        return f"{reason}; go on with: blackstart resume" if reason else None


class NothingOpen:
    """No fault of this site may be open in any journal."""

    name = "nothing-open"

    def refuse(self, request: Request) -> str | None:
        """Refuse while a fault is open, or a journal cannot be read."""
        try:
            waiting = open_faults(request.terms.drills, request.site.inventory.site)
        except JournalError as error:
            return f"a journal cannot be trusted: {error}"
        if waiting:
            said = "; ".join(str(fault) for fault in waiting)
            return f"not proven reverted: {said}; put it back with: blackstart recover"
        return None


class Healthy:
    """The site must be well now; a guest that is ill alone is no reason to reboot its host."""

    name = "healthy"

    def refuse(self, request: Request) -> str | None:
        """Refuse when a declared host or guest is down, or cannot be seen."""
        ill_hosts = [
            f"{name} does not answer ({facts.boot_id.error})"
            for name, facts in request.facts.hosts.items()
            if not facts.boot_id.known
        ]
        ill_guests = list(self._ill_guests(request))
        unseen = set(request.site.inventory.nodes) - set(request.facts.hosts)
        ill_hosts += [f"{name} was not looked at" for name in sorted(unseen)]
        if ill_hosts:
            return "the site is not healthy: " + "; ".join(ill_hosts + ill_guests)
        if len(ill_guests) == 1:
            return (
                f"{ill_guests[0]}: look at that guest first (its console, its logs); "
                "rebooting the hypervisor would take down every healthy one too"
            )
        if ill_guests:
            return "the site is not healthy: " + "; ".join(ill_guests)
        return None

    def _ill_guests(self, request: Request) -> Iterable[str]:
        for name, guest in request.site.inventory.guests.items():
            if not guest.running:
                continue
            facts = request.facts.guests.get(name)
            if facts is None or not facts.status.known:
                error = facts.status.error if facts is not None else "no facts"
                yield f"guest {name} cannot be seen ({error})"
            elif facts.status.value != "running":
                yield f"guest {name} is {facts.status.value}"
            elif facts.booted.value is not True:
                yield f"guest {name} runs but has not booted ({facts.booted.error or 'no answer'})"


class QuorumSurvives:
    """Taking one hypervisor away must not cost the others their quorum."""

    name = "quorum"

    def refuse(self, request: Request) -> str | None:
        """Refuse when the cluster is not quorate, or a node is away already."""
        inventory, down = request.site.inventory, request.plan.nodes_down
        members = {name for name, node in inventory.nodes.items() if node.api == "proxmox"}
        if len(members) < 2 or not members.intersection(down):
            return None
        if request.plan.fault == "cold-start":
            return None  # there is no survivor whose quorum could be lost
        return self._of(request.facts.cluster, members, request.plan.target)

    def _of(self, cluster: ClusterFacts | None, members: set[str], target: str) -> str | None:
        if cluster is None or not cluster.quorate.known or not cluster.online.known:
            return "whether the cluster has quorum cannot be seen"
        if not cluster.quorate.value:
            return "the cluster has no quorum now"
        away = members - set(cluster.online.value or ())
        if away:
            return f"{', '.join(sorted(away))} is away already"
        return self._votes(cluster, target)

    def _votes(self, cluster: ClusterFacts, target: str) -> str | None:
        if not cluster.votes.known or not cluster.quorum.known:
            return f"the cluster's votes cannot be seen ({cluster.votes.error})"
        left, needed = (cluster.votes.value or 0) - 1, cluster.quorum.value or 0
        if left >= needed:
            return None
        return (
            f"{left} votes would be left without {target} and {needed} are "
            "needed; add a quorum device or another node"
        )


class OutOfBandProven:
    """A fault that needs the management controller has it answering first."""

    name = "out-of-band"

    def refuse(self, request: Request) -> str | None:
        """Refuse when the controller is not declared, does not answer, or says off."""
        plan, power = request.plan, request.site.power
        if not plan.needs_out_of_band:
            return None
        if not power.supports(plan.target):
            return f"{plan.target} declares no management controller (out_of_band)"
        try:
            state = power.state(plan.target)
        except DriverError as error:
            return f"the management controller of {plan.target} does not answer: {error}"
        return None if state == "on" else f"the controller says that {plan.target} is {state}"


GUARDS: tuple[Guard, ...] = (
    Armed(),
    Consented(),
    NotHalted(),
    NothingOpen(),
    Healthy(),
    QuorumSurvives(),
    OutOfBandProven(),
)


def answers(request: Request, guards: Iterable[Guard] = GUARDS) -> tuple[Answer, ...]:
    """What every guard says, in order; one that breaks refuses."""
    given: list[Answer] = []
    for guard in guards:
        try:
            refusal = guard.refuse(request)
        except DriverError as error:
            refusal = f"could not be answered: {error}"
        given.append(Answer(guard.name, refusal, request.terms.waive.get(guard.name)))
    return tuple(given)
