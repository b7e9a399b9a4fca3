"""The phases of a drill, in order, each journalled before and after.

Guard, baseline, arm, inject, revert, recover, judge. Reverts run whatever happened and
a failing one never stops the rest (teuthology's ``run_tasks.py``); steady state before,
during and after is the Chaos Toolkit's, without its trap of skipping rollbacks when the
experiment fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from blackstart.admission import Admission
from blackstart.drill_log import DrillLog
from blackstart.drivers.base import ProbeSession, Site
from blackstart.drivers.waiting import wait_for
from blackstart.faults.base import PLAN, Fault, Lasting, Plan, Reversibility
from blackstart.following import Following
from blackstart.invariants.base import Evidence, Invariant
from blackstart.judging import Judging
from blackstart.lease_trials import with_leases
from blackstart.leash import Condition, Cut, LeashedClock, MustStayUp
from blackstart.model.facts import SiteFacts
from blackstart.model.samples import Series
from blackstart.model.subjects import subjects_of
from blackstart.model.verdict import Judgement, Verdict, worst
from blackstart.recovery import RecoveryWait, lost_guests
from blackstart.safety.halt import halted
from blackstart.safety.open_faults import PLANNED
from blackstart.safety.renewal import Renewal
from blackstart.terms import Terms
from blackstart.unwinding import Unwinding


class Run:
    """One run through the phases."""

    def __init__(self, site: Site, terms: Terms, faults: Sequence[Fault], log: DrillLog) -> None:
        self._clock = LeashedClock(site.clock)
        self._site = replace(site, clock=self._clock)
        self._terms = terms
        self._fault, *self._then = faults
        self._following = Following(self._site, log, ())
        self._log = log
        self._plan: Plan | None = None
        self._before = SiteFacts(taken_at=0.0)
        self._probes: ProbeSession | None = None
        self._began_at = 0.0
        self._began_wall = 0.0
        self._ended_at = 0.0
        self._withheld_s = 0.0
        self._injecting = False
        self._missing: tuple[str, ...] = ()
        self._tether = ExitStack()

    # -- before anything is touched -------------------------------------------------

    def admit(self) -> Plan:
        """Guard and baseline. Raises ``Refusal``; nothing has been touched then."""
        faults = (self._fault, *self._then)
        admission = Admission(self._site, self._terms, faults, self._log)
        admission.begin()
        try:
            (self._plan, *plans), self._before = admission.guard()
            planned = tuple(zip(self._then, plans, strict=True))
            self._following = Following(self._site, self._log, planned)
            if not self._terms.plan_only:
                self._probes = self._site.probes()
                self._probes.start()
                with self._clock.tight(self._halted):
                    admission.baseline(self._probes)
        except BaseException as error:
            self._stop_probes()
            reasons = getattr(error, "reasons", [str(error)])
            self._log.journal.write("drill.end", verdict=Verdict.UNPROVEN, refused=reasons)
            raise
        if self._terms.plan_only:
            self._log.journal.write("drill.end", verdict=Verdict.UNPROVEN, plan_only=True)
        return self._plan

    def _halted(self) -> Cut | None:
        site = self._site.inventory.site
        reason = halted(self._terms.leases, site)
        return Cut("halted", site, reason) if reason else None

    # -- the fault ------------------------------------------------------------------

    def break_it(self) -> None:
        """Arm, inject, and prove that it bit."""
        fault, plan = self._fault, self._known_plan()
        named = {"fault": plan.fault, "target": plan.target}
        with self._log.phase("arm", "the undo goes to disk and onto the target first"):
            self._log.journal.write(PLANNED, plan=PLAN.dump_python(plan, mode="json"))
            self._tether.enter_context(self._clock.tight(*self._conditions(plan)))
            self._clock.check()
        with self._log.phase("inject", f"{fault.name} {fault.target}"):
            self._began_at = self._clock.monotonic()
            self._began_wall = self._clock.wall()
            self._log.journal.write("fault.injecting", **named)
            self._injecting = True
            fault.inject(self._site, plan)
            self._log.journal.write("fault.injected", **named)
            proof = fault.prove_active(self._site, plan)
            step = "fault.active" if proof.holds else "fault.inactive"
            self._log.journal.write(step, **named, proof=proof.detail)
            self._log.note(proof.detail)
            if not proof.holds:
                reason = f"the fault did not bite: {proof.detail}"
                self._log.unproven("fault-bit", self._fault.target, reason)

        if not proof.holds or not self._then:
            return
        assert self._probes is not None
        with self._log.phase("follow", ", ".join(f"{it.name} {it.target}" for it in self._then)):
            self._following.strike(self._probes)

    def _conditions(self, plan: Plan) -> list[Condition]:
        """What ends the drill early, from now on until its revert begins."""
        assert self._probes is not None
        conditions: list[Condition] = [self._halted]
        # A cold start takes everything away on purpose; every machine consented to just that.
        spared = {} if plan.fault == "cold-start" else self._site.inventory.never_down
        for name, declared in spared.items():
            conditions.append(MustStayUp(name, declared, self._probes, self._clock))
        if plan.deadman is not None:
            conditions.append(self._arm(plan))
        return conditions

    def _arm(self, plan: Plan) -> Condition:
        """Arm the dead-man and keep it from firing; the condition that it has not."""
        deadman = plan.deadman
        assert deadman is not None
        self._log.journal.write("deadman.arming", id=deadman.id, host=deadman.host)
        # What runs elsewhere (in a guest that is down) a dead-man would try for ever, in vain.
        own = [action for action in plan.undo if action.on(deadman.host) == deadman.host]
        self._site.deadmen.arm(deadman, own)
        self._log.journal.write("deadman.armed", id=deadman.id, lease_s=deadman.lease_s)
        renewal = Renewal(self._site.deadmen, deadman, self._clock.inner)
        self._tether.enter_context(self._site.every(renewal.period_s, renewal.renew))

        def fired() -> Cut | None:
            trouble = renewal.trouble()
            return Cut("dead-man", deadman.host, trouble) if trouble else None

        return fired

    def _known_plan(self) -> Plan:
        if self._plan is None:
            raise RuntimeError("a drill breaks nothing before it has been admitted")
        return self._plan

    def hold(self, seconds: float) -> None:
        """Leave the fault active for so many seconds. Raises ``Cut``."""
        with self._log.phase("hold", f"{seconds:.0f} s with the fault active"):
            self._clock.sleep(seconds)

    def check(self) -> None:
        """The fault must still be ours, and be there, when its time is over. Raises ``Cut``."""
        self._clock.check()
        if not isinstance(self._fault, Lasting) or self._log.verdicts:
            return
        proof = self._fault.prove_lasting(self._site, self._known_plan())
        self._log.journal.write("fault.lasted", holds=proof.holds, proof=proof.detail)
        if not proof.holds:
            reason = f"the fault did not last: {proof.detail}"
            self._log.unproven("fault-lasted", self._fault.target, reason)

    def note_trouble(self, error: BaseException) -> None:
        """Something went wrong while the fault was active: never a pass from here on."""
        name, target, verdict = "scenario", self._fault.target, Verdict.UNPROVEN
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, AssertionError):
            verdict, reason = Verdict.FAIL, str(error) or "an assertion of the scenario failed"
        elif isinstance(error, Cut):
            name, target, reason = error.name, error.target, str(error)
            verdict = Verdict.FAIL if error.harm else Verdict.UNPROVEN
        self._log.note(f"{name}: {reason}")
        self._log.judged(Judgement(name=name, target=target, verdict=verdict, reason=reason))

    def put_back(self) -> None:
        """Revert and prove it, whatever happened before; then nothing guards it any more."""
        plan = self._known_plan()
        self._withheld_s = self._held(plan)
        unwinding = Unwinding(self._site, self._log.journal, self._log.note)
        # The dead-man's lease is renewed until the end, but nothing cuts a revert short.
        with self._tether, self._clock.tight():
            self._following.put_back(unwinding)
            if not self._injecting:
                proof = unwinding.stand_down(plan, "untouched")
            else:
                with self._log.phase("revert", f"undo {plan.fault} on {plan.target}"):
                    proof = unwinding.revert(plan, self._fault)
        if not proof.holds:
            reason = f"not proven reverted, and open until it is: {proof.detail}"
            self._log.failed("reverted", plan.target, reason)

    def _held(self, plan: Plan) -> float:
        """Seconds that no budget counts: until the revert, or those of the fault itself."""
        held_s = plan.off_s
        if plan.reversibility is Reversibility.REVERSIBLE and self._injecting:
            held_s = self._clock.monotonic() - self._began_at
        self._log.journal.write("fault.held", withheld_s=round(held_s, 3))
        return held_s

    @property
    def before(self) -> SiteFacts:
        """What was there before anything was touched."""
        return self._before

    def wait(self, over: Callable[[], bool], seconds: float) -> None:
        """Leave the fault active until it is over, at most so many seconds. Raises ``Cut``."""
        with self._log.phase("hold", f"at most {seconds:.0f} s with the fault active"):
            wait_for(self._clock, lambda: over() or None, bound_s=seconds)

    def leave(self) -> None:
        """Somebody insists on leaving while a revert runs: say what that leaves."""
        plan = self._known_plan()
        self._log.journal.write("fault.abandoned", fault=plan.fault, target=plan.target)
        self._log.note(f"left as it is: {plan.fault} on {plan.target}; run: blackstart recover")
        if plan.deadman is not None:
            self._log.note(f"{plan.deadman.host} undoes it in {plan.deadman.lease_s} s by itself")
        for command in plan.rescue:
            self._log.note(f"rescue: {command}")

    # -- afterwards -----------------------------------------------------------------

    def prove(self, invariants: tuple[Invariant, ...]) -> tuple[Judgement, ...]:
        """Wait for recovery, judge, and close the journal."""
        bit = not self._log.verdicts
        try:
            if bit:
                with self._clock.tight(self._halted):
                    self._recover()
        except Cut as error:
            self.note_trouble(error)
            bit = False
        series = self._stop_probes()
        with self._log.phase("judge", "invariants and undeclared changes"):
            judging = Judging(self._site, self._log)
            after = judging.settled_facts(self._before)
            if bit:
                after = with_leases(self._site, self._log, after)
            self._log.save("facts-after.json", after.model_dump_json(indent=1))
            if bit:
                judging.judge(invariants, self._evidence(series, after))
                self._judge_missing()
            elif self._injecting:
                judging.judge_harm(invariants, self._evidence(series, after))
        self.close()
        return tuple(self._log.verdicts)

    def _judge_missing(self) -> None:
        """What had not held, and no promise covers, keeps the drill from passing."""
        if worst(item.verdict for item in self._log.verdicts) is Verdict.PASS:
            for name in self._missing:
                self._log.unproven("recovered", name, "had not held when the wait was over")
        self._following.judge_unmet()

    def close(self) -> None:
        """Stop the probes and write the last line."""
        self._stop_probes()
        self._log.close()

    def _recover(self) -> None:
        plan, clock = self._known_plan(), self._clock
        assert self._probes is not None
        counted_from = self._began_at + self._withheld_s
        left = self._terms.budget_s - (clock.monotonic() - counted_from)

        def progress(text: str) -> None:
            self._log.journal.write("recover.progress", text=text)
            self._log.note(text)

        with self._log.phase("recover", f"at most {max(left, 0):.0f} s more"):
            wait = RecoveryWait(
                self._site,
                self._probes,
                self._site.inventory.hold,
                progress,
                lambda: lost_guests(self._site, plan.nodes_down, self._began_wall),
                {
                    item.name: counted_from
                    + plan.later_s.get(item.name, 0.0)
                    + item.budget_s
                    + self._site.inventory.hold
                    for item in subjects_of(self._site.inventory)
                },
            )
            ended = wait.run(max(left, 0.0))
            self._log.journal.write("recover.end", missing=ended.missing, lost=dict(ended.lost))
            self._missing = ended.missing
            for reason in ended.lost.values():
                self._log.note(reason)

    def _stop_probes(self) -> tuple[Series, ...]:
        if self._probes is None:
            return ()
        self._ended_at = self._clock.monotonic()
        series, self._probes = self._probes.stop(), None
        text = ",\n".join(item.model_dump_json() for item in series)
        self._log.save("samples.json", f"[{text}]")
        return series

    def _evidence(self, series: tuple[Series, ...], after: SiteFacts) -> Evidence:
        plan = self._known_plan()
        return Evidence(
            inventory=self._site.inventory,
            fault=plan.fault,
            target=plan.target,
            blast_radius=(*plan.blast_radius, *self._following.blast_radius),
            before=self._before,
            during=series,
            after=after,
            began_at=self._began_at,
            ended_at=self._ended_at,
            hold_s=self._site.inventory.hold,
            withheld_s=self._withheld_s,
            later_s=plan.later_s,
        )
