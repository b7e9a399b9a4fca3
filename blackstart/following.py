"""Faults that follow the first one of a drill: MAAS has restarted, and now every guest renews.

They are planned and asked for leave together with the first, before anything is touched, and
strike once what they need answers again. Only a fault that ends by itself may follow: nothing
of it has to be undone when the harness dies between two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from blackstart.drill_log import DrillLog
from blackstart.drivers.base import Clock, ProbeSession, Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import UsageError
from blackstart.faults.base import PLAN, Fault, Plan, Proof, Reversibility
from blackstart.model.subjects import subjects_of
from blackstart.safety.open_faults import PLANNED
from blackstart.unwinding import Unwinding

STEADY_S = 3.0
"""Seconds of unbroken good answers of what they need: a server that is up for good."""
NOTICED_S = 10.0
"""Seconds in which a probe notices that what it asks has fallen: DHCP is asked every 5 s, for 3 s
each, and is good until then."""


@dataclass
class Following:
    """The faults after the first, each with its plan; ``site`` is on the drill's own clock."""

    site: Site
    log: DrillLog
    planned: Sequence[tuple[Fault, Plan]]
    _begun: list[tuple[Fault, Plan]] = field(default_factory=list)
    _struck: set[str] = field(default_factory=set)
    _unmet: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for fault, plan in self.planned:
            if plan.reversibility is not Reversibility.SELF_HEALING or plan.undo:
                raise UsageError(f"{fault.name} cannot follow another fault: it must be undone")

    @property
    def blast_radius(self) -> tuple[str, ...]:
        """Everything that all of them are expected to take down."""
        return tuple(name for _, plan in self.planned for name in plan.blast_radius)

    def strike(self, probes: ProbeSession) -> None:
        """Inject each whose needs answer in their budgets, then see that all of them bit.

        What is not struck is not held against the site here: whatever did not answer is
        judged by its own promise. Raises ``DriverError`` when a command was refused.
        """
        waiting = Needs(self.site, probes)
        if any(plan.needs for _, plan in self.planned):
            self.site.clock.sleep(NOTICED_S)
        for fault, plan in self.planned:
            missing = waiting.missing(plan.needs)
            if missing:
                self._unmet[plan.target] = f"{fault.name} not tried: {missing} did not answer again"
                self.log.note(f"{plan.target}: {self._unmet[plan.target]}")
                continue
            self._inject(fault, plan)
        for fault, plan in self._begun:
            proof = fault.prove_active(self.site, plan)
            step = "fault.active" if proof.holds else "fault.inactive"
            named = {"fault": plan.fault, "target": plan.target}
            self.log.journal.write(step, **named, proof=proof.detail)
            self.log.note(proof.detail)
            if not proof.holds:
                reason = f"the fault did not bite: {proof.detail}"
                self.log.unproven("fault-bit", plan.target, reason)

    def _inject(self, fault: Fault, plan: Plan) -> None:
        named = {"fault": plan.fault, "target": plan.target}
        self.log.journal.write(PLANNED, plan=PLAN.dump_python(plan, mode="json"))
        self._begun.append((fault, plan))
        self.log.journal.write("fault.injecting", **named)
        self._struck.add(plan.target)
        fault.inject(self.site, plan)
        self.log.journal.write("fault.injected", **named)

    def put_back(self, unwinding: Unwinding) -> None:
        """Prove each ended, the last one first, and close it; one that fails stops no other."""
        for fault, plan in reversed(self._begun):
            try:
                proof = self._ended(unwinding, fault, plan)
            except Exception as error:  # the first fault is still to be undone
                proof = Proof(False, f"{type(error).__name__}: {error}")
            if not proof.holds:
                reason = f"not proven reverted, and open until it is: {proof.detail}"
                self.log.failed("reverted", plan.target, reason)

    def _ended(self, unwinding: Unwinding, fault: Fault, plan: Plan) -> Proof:
        if plan.target in self._struck:
            return unwinding.revert(plan, fault)
        return unwinding.stand_down(plan, "untouched")

    def judge_unmet(self) -> None:
        """What could not be tried keeps the drill from passing."""
        for target, reason in self._unmet.items():
            self.log.unproven("fault-bit", target, reason)


@dataclass
class Needs:
    """Waits for subjects to answer, each once, and only as long as its own budget."""

    site: Site
    probes: ProbeSession
    _known: dict[str, bool] = field(default_factory=dict)

    def missing(self, needs: Sequence[str]) -> str:
        """The names that have not held, in words; empty when all have."""
        return ", ".join(name for name in needs if not self._answers(name))

    def _answers(self, name: str) -> bool:
        if name not in self._known:
            budgets = {item.name: item.budget_s for item in subjects_of(self.site.inventory)}
            self._known[name] = held_within(self.site.clock, self.probes, name, budgets[name])
        return self._known[name]


def held_within(clock: Clock, probes: ProbeSession, name: str, bound_s: float) -> bool:
    """Whether a subject has been good for 3 s on end, within so many seconds."""
    if name not in probes.subjects():
        return False

    def look() -> bool | None:
        held = probes.held(name)
        return True if held is not None and held >= STEADY_S else None

    return wait_for(clock, look, bound_s=bound_s) is not None
