"""The drill as a scenario author sees it: a fault around a block, and what must recover.

    with drill.fault(reboot("pve1")):
        drill.recovers(guests_boot("pve1"), names_resolve())

Other faults may follow the first, each as soon as what it needs answers again. The phases
themselves are in ``blackstart.phases``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from blackstart.drill_log import DrillLog
from blackstart.drivers.base import Site
from blackstart.errors import Unproven, UsageError
from blackstart.faults.base import Fault, Plan
from blackstart.invariants.base import Invariant
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.verdict import Judgement, Verdict, worst
from blackstart.phases import Run
from blackstart.safety.journal import Journal
from blackstart.safety.lease import hold
from blackstart.terms import DrillObserver, Terms


class DrillFailed(AssertionError):
    """A promise was broken: the reasons, one a line."""


class DrillUnproven(Unproven):
    """Nothing was proven either way: the reasons, one a line."""


@dataclass
class Drill:
    """One drill. ``fault`` runs it; ``recovers`` declares, within, what it must prove."""

    site: Site
    terms: Terms
    observer: DrillObserver
    _invariants: list[Invariant] = field(default_factory=list)
    _run: Run | None = None

    @property
    def inventory(self) -> Inventory:
        """What the owner declared."""
        return self.site.inventory

    def recovers(self, *invariants: Invariant) -> None:
        """Declare the promises that are judged once everything should be back."""
        self._invariants.extend(invariants)

    def hold(self, seconds: float) -> None:
        """Leave the fault active for so many seconds; within ``fault`` only.

        Raises ``Cut`` when the drill must end before that.
        """
        if not self.terms.plan_only:
            self._running("hold").hold(seconds)

    def hold_until(self, over: Callable[[], bool], seconds: float) -> None:
        """Leave the fault active until ``over``, at most so many seconds; within ``fault`` only.

        Raises ``Cut`` when the drill must end before that, and whatever ``over`` raises.
        """
        if not self.terms.plan_only:
            self._running("hold_until").wait(over, seconds)

    @property
    def before(self) -> SiteFacts:
        """The site before anything was touched; within ``fault`` only."""
        return self._running("before").before

    def _running(self, what: str) -> Run:
        if self._run is None:
            raise UsageError(f"drill.{what} belongs inside the block of drill.fault")
        return self._run

    @contextmanager
    def fault(self, fault: Fault, *then: Fault) -> Iterator[Plan]:
        """Run a whole drill around the block, in which the fault is active.

        ``then`` follow it before the block begins; only faults that end by themselves may.

        Raises ``Refusal`` before anything is touched; afterwards ``DrillFailed`` or
        ``DrillUnproven``, with the reasons, once everything has been put back.
        """
        inventory, clock = self.site.inventory, self.site.clock
        with ExitStack() as stack:
            lease = hold(inventory.site, self.terms.scenario, clock, self.terms.leases)
            stack.enter_context(lease)
            journal = Journal(self.terms.directory, clock)
            stack.callback(self.observer.drill_end, self.terms.directory)
            stack.callback(journal.close)
            log = DrillLog(journal, self.observer, self.terms.directory)
            run = self._run = Run(self.site, self.terms, (fault, *then), log)
            plan = run.admit()
            if self.terms.plan_only:
                yield plan
                return
            stopped: BaseException | None = None
            try:
                run.break_it()
                yield plan
                run.check()
            except Exception as error:
                run.note_trouble(error)
            except BaseException as error:  # Ctrl-C too
                self.observer.note("stopped: putting everything back first; again to leave at once")
                run.note_trouble(error)
                stopped = error
            finally:
                self._put_back(run)
            if stopped is not None:
                run.close()
                raise stopped
            try:
                judgements = run.prove(tuple(self._invariants))
            except BaseException as error:  # the fault is closed; the journal gets its end
                run.note_trouble(error)
                run.close()
                raise
        raise_unless_passed(judgements)

    def _put_back(self, run: Run) -> None:
        try:
            run.put_back()
        except KeyboardInterrupt:  # a second Ctrl-C
            run.leave()
            run.close()
            raise


def raise_unless_passed(judgements: tuple[Judgement, ...]) -> None:
    """Raise ``DrillFailed`` or ``DrillUnproven`` with every reason that is no pass."""
    verdict = worst(item.verdict for item in judgements)
    wrong = [item for item in judgements if item.verdict is not Verdict.PASS]
    text = "\n".join(
        f"{item.verdict.upper()} {item.name} [{item.target}]: {item.reason}" for item in wrong
    )
    if verdict is Verdict.FAIL:
        raise DrillFailed(text)
    if verdict is Verdict.UNPROVEN:
        raise DrillUnproven(text or "nothing was judged")
