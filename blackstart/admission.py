"""Before anything is touched: the guard, and steady state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from blackstart.drill_log import DrillLog
from blackstart.drivers.base import ProbeSession, Site
from blackstart.errors import Refusal
from blackstart.faults.base import Fault, Plan
from blackstart.lease_trials import with_leases
from blackstart.model.deadman import DeadMan
from blackstart.model.facts import SiteFacts
from blackstart.model.subjects import subjects_of
from blackstart.recovery import RecoveryWait
from blackstart.safety.guard import Request, answers
from blackstart.terms import Terms

STEADY_S = 3.0
"""Seconds of unbroken good samples that make a steady state before the fault."""
STEADY_BOUND_S = 60.0


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a drill may begin, and what was there before it did."""

    site: Site
    terms: Terms
    faults: Sequence[Fault]
    log: DrillLog

    def begin(self) -> None:
        """The first line of the journal: everything that a report needs of the inventory."""
        inventory, terms = self.site.inventory, self.terms
        self.log.journal.write(
            "drill.begin",
            scenario=terms.scenario,
            site=inventory.site,
            targets=list(dict.fromkeys(fault.target for fault in self.faults)),
            fault=self.faults[0].name,
            budget_s=terms.budget_s,
            hold_s=inventory.hold,
            test=terms.test,
            parts={"real": list(inventory.real), "stand_in": list(inventory.stand_ins)},
            environment=dict(terms.environment),
            subjects=[item.model_dump(mode="json") for item in subjects_of(inventory)],
        )

    def guard(self) -> tuple[tuple[Plan, ...], SiteFacts]:
        """A plan for each fault, and the facts before, of which every guard has been asked.

        Raises ``Refusal``; nothing has been touched then.
        """
        asked = ", ".join(f"{fault.name} {fault.target}" for fault in self.faults)
        with self.log.phase("guard", f"may we {asked}?"):
            first, *others = (fault.plan(self.site) for fault in self.faults)
            plans = (self._guarded(first), *others)
            for plan in plans:
                self._show(plan)
            before = self.site.facts()
            self.log.save("facts-before.json", before.model_dump_json(indent=1))
            requests = [Request(self.site, self.terms, plan, before) for plan in plans]
            refusals = [refusal for request in requests for refusal in self._refusals(request)]
            if refusals:
                raise Refusal(list(dict.fromkeys(refusals)))
            if not self.terms.plan_only:
                self._keep_by_hand(requests)
                before = with_leases(self.site, self.log, before)
                self.log.save("facts-before.json", before.model_dump_json(indent=1))
        return plans, before

    def _refusals(self, request: Request) -> Iterator[str]:
        """What stands against one plan; every answer is written down."""
        for answer in answers(request):
            self.log.journal.write(
                "guard.answer",
                guard=answer.guard,
                refusal=answer.refusal,
                waived=answer.waived,
                because=answer.because,
            )
            self.log.note(f"{answer.guard}: {answer.wording}")
            if answer.stands:
                yield f"{answer.guard}: {answer.refusal}"

    def _keep_by_hand(self, requests: Sequence[Request]) -> None:
        """Save what a person needs to put each host back. Raises ``Refusal`` when that fails."""
        inventory = self.site.inventory
        wanted: dict[str, tuple[str, ...]] = {}
        hosts = (host for it in requests for host in (*it.touched, it.plan.undo_host))
        for host in dict.fromkeys(hosts):
            node = inventory.nodes.get(host or "")
            guests = inventory.guests_of(host or "") if node and node.api else {}
            if host is not None:
                wanted[host] = tuple(str(guest.vmid) for guest in guests.values())
        saved = self.site.circumstances.by_hand(wanted)
        lost = [f"{host} ({seen.error})" for host, seen in saved.items() if not seen.known]
        if lost:
            raise Refusal([f"rescue: what leads back by hand cannot be saved: {'; '.join(lost)}"])
        directory = self.log.directory / "rescue"
        directory.mkdir()
        for host, seen in saved.items():
            self.log.save(f"rescue/{host}.txt", seen.value or "")
        self.log.journal.write("rescue.saved", hosts=list(saved))
        self.log.note(f"saved to put things back by hand: {directory} ({', '.join(saved)})")

    def _guarded(self, plan: Plan) -> Plan:
        """The plan with the dead-man that will guard it, where there is something to undo."""
        if not plan.undo:
            return plan
        name = re.sub(r"[^a-z0-9]+", "-", self.terms.directory.name.lower()).strip("-")
        lease_s = round(max(self.site.inventory.dead_man, plan.unheard_s))
        return replace(plan, deadman=DeadMan(name[:60], plan.undo_host or plan.target, lease_s))

    def _show(self, plan: Plan) -> None:
        """What a person must know before: what goes down, how it ends, and the way out."""
        self.log.note(f"blast radius: {', '.join(plan.blast_radius)}")
        self.log.note(f"ends: {plan.reversibility}")
        if plan.deadman is not None:
            self.log.note(
                f"dead-man: {plan.deadman.host} undoes it {plan.deadman.lease_s} s "
                "after the last sign of life"
            )
        for command in plan.rescue:
            self.log.note(f"rescue: {command}")

    def baseline(self, probes: ProbeSession) -> None:
        """Wait for steady state with probes that run. Raises ``Refusal`` without it."""
        with self.log.phase("baseline", "steady state before the fault"):
            wait = RecoveryWait(self.site, probes, STEADY_S, self.log.note)
            seen = wait.run(STEADY_BOUND_S)
            if seen.missing or not probes.subjects():
                unsteady = ", ".join(seen.missing) or "nothing is probed"
                raise Refusal([f"steady-state: not steady before the fault: {unsteady}"])
