"""The phases of a drill, in order, each journalled before and after.

Guard, baseline, arm, inject, revert, recover, judge. Reverts run whatever happened and
a failing one never stops the rest (teuthology's ``run_tasks.py``); steady state before,
during and after is the Chaos Toolkit's, without its trap of skipping rollbacks when the
experiment fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from blackstart.drivers.base import ProbeSession, Site
from blackstart.errors import BlackstartError, Refusal
from blackstart.faults.base import Fault, Plan, Proof
from blackstart.invariants.base import Evidence, Invariant
from blackstart.invariants.nothing_else_changed import nothing_else_changed, rebooted
from blackstart.model.differences import compare, tolerated
from blackstart.model.facts import SiteFacts
from blackstart.model.samples import Series
from blackstart.model.subjects import subjects_of
from blackstart.model.verdict import Judgement, Verdict, worst
from blackstart.recovery import RecoveryWait, lost_guests
from blackstart.safety.guard import Request, answers
from blackstart.safety.journal import Journal
from blackstart.safety.open_faults import PLANNED, PROVEN, UNTOUCHED

STEADY_S = 3.0
"""Seconds of unbroken good samples that make a steady state before the fault."""
STEADY_BOUND_S = 60.0
REVERT_ATTEMPTS = 3


class DrillObserver(Protocol):
    """Somebody who watches a drill: a terminal, a report."""

    def phase_begin(self, phase: str, detail: str) -> None:
        """A phase begins."""

    def phase_end(self, phase: str, detail: str) -> None:
        """The phase that began last has ended; ``detail`` says how."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def drill_end(self, directory: Path) -> None:
        """The drill is over and its journal closed; ``directory`` holds all of it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a drill runs.

    ``budget_s``: seconds from injection within which everything must have held;
    ``directory`` is this drill's own, ``drills`` holds those of all; ``test`` is pytest's
    node id, ``environment`` what a report should say about the machines.
    """

    scenario: str
    budget_s: float
    armed: str | None
    directory: Path
    drills: Path
    leases: Path
    plan_only: bool = False
    test: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


class Run:
    """One run through the phases."""

    def __init__(
        self, site: Site, terms: Terms, fault: Fault, journal: Journal, observer: DrillObserver
    ) -> None:
        self._site = site
        self._terms = terms
        self._fault = fault
        self._journal = journal
        self._observer = observer
        self._plan: Plan | None = None
        self._before = SiteFacts(taken_at=0.0)
        self._probes: ProbeSession | None = None
        self._began_at = 0.0
        self._began_wall = 0.0
        self._ended_at = 0.0
        self._injecting = False
        self._verdicts: list[Judgement] = []

    @contextmanager
    def _phase(self, name: str, detail: str = "") -> Iterator[None]:
        self._journal.write("phase.begin", phase=name)
        self._observer.phase_begin(name, detail)
        ended = "interrupted"
        try:
            yield
            ended = "done"
        finally:
            self._journal.write("phase.end", phase=name, ended=ended)
            self._observer.phase_end(name, ended)

    def _judged(self, judgement: Judgement) -> None:
        self._verdicts.append(judgement)
        self._journal.write("judgement", **judgement.model_dump(mode="json"))

    # -- before anything is touched -------------------------------------------------

    def admit(self) -> Plan:
        """Guard and baseline. Raises ``Refusal``; nothing has been touched then."""
        inventory = self._site.inventory
        self._journal.write(
            "drill.begin",
            scenario=self._terms.scenario,
            site=inventory.site,
            targets=[self._fault.target],
            fault=self._fault.name,
            budget_s=self._terms.budget_s,
            hold_s=inventory.hold,
            test=self._terms.test,
            parts={"real": list(inventory.real), "stand_in": list(inventory.stand_ins)},
            environment=dict(self._terms.environment),
            subjects=[item.model_dump(mode="json") for item in subjects_of(inventory)],
        )
        try:
            plan = self._guard()
            if not self._terms.plan_only:
                self._baseline()
        except BaseException as error:
            self._stop_probes()
            reasons = error.reasons if isinstance(error, Refusal) else [str(error)]
            self._journal.write("drill.end", verdict=Verdict.UNPROVEN, refused=reasons)
            raise
        if self._terms.plan_only:
            self._journal.write("drill.end", verdict=Verdict.UNPROVEN, plan_only=True)
        return plan

    def _guard(self) -> Plan:
        with self._phase("guard", f"may we {self._fault.name} {self._fault.target}?"):
            plan = self._fault.plan(self._site)
            self._plan = plan
            self._show(plan)
            self._before = self._site.facts()
            self._save("facts-before.json", self._before.model_dump_json(indent=1))
            terms = self._terms
            request = Request(self._site, terms.armed, plan, self._before, terms.drills)
            given = answers(request)
            for answer in given:
                self._journal.write("guard.answer", guard=answer.guard, refusal=answer.refusal)
                self._observer.note(f"{answer.guard}: {answer.refusal or 'no objection'}")
            refusals = [f"{answer.guard}: {answer.refusal}" for answer in given if answer.refusal]
            if refusals:
                raise Refusal(refusals)
        return plan

    def _show(self, plan: Plan) -> None:
        """What a person must know before: what goes down, how it ends, and the way out."""
        self._observer.note(f"blast radius: {', '.join(plan.blast_radius)}")
        self._observer.note(f"ends: {plan.reversibility}")
        for command in plan.rescue:
            self._observer.note(f"rescue: {command}")

    def _baseline(self) -> None:
        with self._phase("baseline", "steady state before the fault"):
            self._probes = self._site.probes()
            self._probes.start()
            wait = RecoveryWait(self._site, self._probes, STEADY_S, self._observer.note)
            seen = wait.run(STEADY_BOUND_S)
            if seen.missing or not self._probes.subjects():
                unsteady = ", ".join(seen.missing) or "nothing is probed"
                raise Refusal([f"steady-state: not steady before the fault: {unsteady}"])

    # -- the fault ------------------------------------------------------------------

    def break_it(self) -> None:
        """Arm, inject, and prove that it bit."""
        fault, plan = self._fault, self._known_plan()
        with self._phase("arm", "the undo record goes to disk first"):
            self._journal.write(PLANNED, plan=plan.as_data())
        with self._phase("inject", f"{fault.name} {fault.target}"):
            self._began_at = self._site.clock.monotonic()
            self._began_wall = self._site.clock.wall()
            self._journal.write("fault.injecting", fault=plan.fault, target=plan.target)
            self._injecting = True
            fault.inject(self._site, plan)
            self._journal.write("fault.injected", fault=plan.fault, target=plan.target)
            proof = fault.prove_active(self._site, plan)
            step = "fault.active" if proof.holds else "fault.inactive"
            self._journal.write(step, fault=plan.fault, target=plan.target, proof=proof.detail)
            self._observer.note(proof.detail)
            if not proof.holds:
                self._unproven("fault-bit", f"the fault did not bite: {proof.detail}")

    def _known_plan(self) -> Plan:
        if self._plan is None:
            raise RuntimeError("a drill breaks nothing before it has been admitted")
        return self._plan

    def _unproven(self, name: str, reason: str) -> None:
        target = self._fault.target
        verdict = Verdict.UNPROVEN
        self._judged(Judgement(name=name, target=target, verdict=verdict, reason=reason))

    def note_trouble(self, error: BaseException) -> None:
        """Something went wrong while the fault was active: never a pass from here on."""
        if isinstance(error, AssertionError):
            verdict, reason = Verdict.FAIL, str(error) or "an assertion of the scenario failed"
        else:
            verdict, reason = Verdict.UNPROVEN, f"{type(error).__name__}: {error}"
        target = self._fault.target
        self._judged(Judgement(name="scenario", target=target, verdict=verdict, reason=reason))

    def put_back(self) -> None:
        """Revert and prove it, whatever happened before."""
        plan = self._known_plan()
        named = {"fault": plan.fault, "target": plan.target}
        if not self._injecting:
            self._journal.write(UNTOUCHED, **named)
            return
        with self._phase("revert", f"undo {plan.fault} on {plan.target}"):
            proof = self._revert(plan)
            if proof.holds:
                self._journal.write(PROVEN, **named, proof=proof.detail)
            else:
                self._journal.write("fault.revert-unproven", **named, reason=proof.detail)
                target, name = plan.target, "reverted"
                reason = f"not proven reverted, and open until it is: {proof.detail}"
                self._judged(
                    Judgement(name=name, target=target, verdict=Verdict.FAIL, reason=reason)
                )
            self._observer.note(proof.detail)

    def _revert(self, plan: Plan) -> Proof:
        last = Proof(False, "the revert was not tried")
        for attempt in range(1, REVERT_ATTEMPTS + 1):
            try:
                self._fault.revert(self._site, plan)
                last = self._fault.prove_reverted(self._site, plan)
            except BlackstartError as error:
                last = Proof(False, str(error))
            self._journal.write(
                "fault.revert-tried", attempt=attempt, holds=last.holds, detail=last.detail
            )
            if last.holds:
                break
        return last

    # -- afterwards -----------------------------------------------------------------

    def prove(self, invariants: tuple[Invariant, ...]) -> tuple[Judgement, ...]:
        """Wait for recovery, judge, and close the journal."""
        bit = not self._verdicts
        if bit:
            self._recover()
        series = self._stop_probes()
        with self._phase("judge", "invariants and undeclared changes"):
            after = self._settled_facts()
            self._save("facts-after.json", after.model_dump_json(indent=1))
            if bit:
                self._judge(invariants, series, after)
        self.close()
        return tuple(self._verdicts)

    def close(self) -> None:
        """Stop the probes and write the last line."""
        self._stop_probes()
        verdict = worst(item.verdict for item in self._verdicts)
        self._journal.write("drill.end", verdict=verdict)

    def _recover(self) -> None:
        plan, clock = self._known_plan(), self._site.clock
        assert self._probes is not None
        left = self._terms.budget_s - (clock.monotonic() - self._began_at)
        nodes = tuple(name for name in plan.blast_radius if name in self._site.inventory.nodes)

        def progress(text: str) -> None:
            self._journal.write("recover.progress", text=text)
            self._observer.note(text)

        with self._phase("recover", f"at most {max(left, 0):.0f} s more"):
            wait = RecoveryWait(
                self._site,
                self._probes,
                self._site.inventory.hold,
                progress,
                lambda: lost_guests(self._site, nodes, self._began_wall),
                {
                    item.name: self._began_at + item.budget_s + self._site.inventory.hold
                    for item in subjects_of(self._site.inventory)
                },
            )
            ended = wait.run(max(left, 0.0))
            self._journal.write("recover.end", missing=ended.missing, lost=dict(ended.lost))
            for reason in ended.lost.values():
                self._observer.note(reason)

    def _stop_probes(self) -> tuple[Series, ...]:
        if self._probes is None:
            return ()
        self._ended_at = self._site.clock.monotonic()
        series, self._probes = self._probes.stop(), None
        text = ",\n".join(item.model_dump_json() for item in series)
        self._save("samples.json", f"[{text}]")
        return series

    def _settled_facts(self) -> SiteFacts:
        """Facts once what converges has converged, or the settle time is over."""
        deadline = self._site.clock.monotonic() + self._site.inventory.settle
        while True:
            after = self._site.facts()
            moving = [item for item in compare(self._before, after) if item.klass == "converging"]
            if not moving or self._site.clock.monotonic() >= deadline:
                return after
            self._site.clock.sleep(2.0)

    def _judge(
        self, invariants: tuple[Invariant, ...], series: tuple[Series, ...], after: SiteFacts
    ) -> None:
        plan = self._known_plan()
        evidence = Evidence(
            inventory=self._site.inventory,
            fault=plan.fault,
            target=plan.target,
            blast_radius=plan.blast_radius,
            before=self._before,
            during=series,
            after=after,
            began_at=self._began_at,
            ended_at=self._ended_at,
            hold_s=self._site.inventory.hold,
        )
        if not invariants:
            self._unproven("invariants", "the scenario declares no invariant")
        today = datetime.fromtimestamp(self._site.clock.wall(), UTC).date()
        found = compare(evidence.before, evidence.after, rebooted=rebooted(evidence))
        noted = tolerated(found, evidence.inventory.tolerate, today)
        self._journal.write(
            "differences", differences=[item.model_dump(mode="json") for item in noted]
        )
        for invariant in (*invariants, nothing_else_changed(today)):
            for judgement in invariant.judge(evidence):
                self._judged(judgement)
                self._observer.note(
                    f"{judgement.verdict} {judgement.name} [{judgement.target}] {judgement.reason}"
                )

    def _save(self, name: str, text: str) -> None:
        path = self._terms.directory / name
        temporary = path.with_suffix(".part")
        temporary.write_text(text)
        temporary.replace(path)
