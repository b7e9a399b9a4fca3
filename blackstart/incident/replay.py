"""One drift, replayed: change, foresee, prove by drill, mend, look again; and as new afterwards.

That a drift is applied is on disk before anything is changed, and a mark of it is on the rack.
Whatever happens in between, the fix is run and the rack reset; a process that is killed leaves
both behind, and the next one refuses until somebody has reset the rack.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from blackstart.errors import BlackstartError, Refusal, Unproven
from blackstart.incident.judging import GO, label
from blackstart.incident.loading import Case
from blackstart.incident.model import Changes, DrillOf, Step
from blackstart.incident.records import Drilled, Records, Replayed, Verified, done_by

WELL_S = 300.0
"""For how long the site may take to be well: a boot of its machines, and a margin."""
TOLD = 10
"""Findings of a rack that was to have none; ``blackstart verify`` shows all."""


class Bench(Protocol):
    """The rack, as a replay uses it. Everything is bounded; ``BlackstartError`` when it fails."""

    def reset(self) -> None:
        """Back to the saved state, without any drift and without the mark."""

    def mark(self, text: str) -> None:
        """Leave on the rack what is gone with its next reset."""

    def marked(self) -> str:
        """The mark; empty when there is none."""

    def run(self, step: Step) -> None:
        """Run a step to its end."""

    def ill(self, bound_s: float) -> str:
        """What is not well once the site is or the time (seconds) is over; empty when all is."""

    def verify(self, act: str | None, declares: Changes) -> Verified:
        """``blackstart verify --before ACT``, with an inventory that says this otherwise."""

    def drill(self, drill: DrillOf, declares: Changes, directory: Path) -> Drilled:
        """The scenario, its evidence below ``directory``."""


@dataclass
class _Taken:
    """What a replay has seen so far."""

    before: Verified | None = None
    drill: Drilled | None = None
    after: Verified | None = None
    trouble: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Replay:
    """Replays drifts on a rack, one after the other; ``say`` tells a person where it is."""

    bench: Bench
    records: Records
    say: Callable[[str], None]

    def begin(self) -> None:
        """A rack as new, and its findings on record. Raises ``Refusal``.

        Refuses while a drift may be applied that an earlier process has left; ``Unproven`` when
        the rack is not well by itself, or has findings: then nobody could tell what a drift did.
        """
        self._must_be_free()
        self.bench.reset()
        if self.records.healthy() is None:
            self.say("healthy: verify")
            ill = self.bench.ill(WELL_S)
            if ill:
                raise Unproven(f"the rack is not well, and nothing is changed: {ill}")
            seen = self.bench.verify(None, {})
            _refuse_findings(seen)
            self.records.keep_healthy(seen)

    def one(self, case: Case) -> Replayed:
        """Replay a drift on a rack that is as new, and keep the record of it.

        Raises ``Refusal`` while another one may be applied, ``BlackstartError`` when the rack
        could not be reset: then this one still is.
        """
        self._must_be_free()
        began = time.monotonic()
        taken = _Taken()
        self.records.begin(case)
        try:
            self._through(case, taken)
        finally:
            took_s = round(time.monotonic() - began, 1)
            try:
                record = self._kept(case, taken, took_s)
                self.say(f"{case.id}: reset")
            finally:  # a full disk or a terminal that is gone leaves no drift behind
                self.bench.reset()
                self.records.forget()
        return record

    def _kept(self, case: Case, taken: _Taken, took_s: float) -> Replayed:
        record = Replayed(
            incident=case.incident,
            drift=case.name,
            done=done_by(self.records.code, case),
            took_s=took_s,
            before=taken.before,
            drill=taken.drill,
            after=taken.after,
            trouble=tuple(taken.trouble),
        )
        self.records.keep(record)
        return record

    def _through(self, case: Case, taken: _Taken) -> None:
        drift = case.drift
        try:
            self._prove(case, taken)
        except BlackstartError as error:
            taken.trouble.append(str(error))
        except BaseException as error:
            taken.trouble.append(f"broken off: {type(error).__name__}")
            raise
        finally:
            if drift.fix:
                self.say(f"{case.id}: fix")
                self._mend(case, taken)
        if drift.fix:
            try:
                self._noted(taken, "after the fix")
                self.say(f"{case.id}: verify again")
                taken.after = self.bench.verify(drift.before, drift.declares)
            except BlackstartError as error:
                taken.trouble.append(str(error))

    def _prove(self, case: Case, taken: _Taken) -> None:
        """Apply, foresee, drill. Raises ``BlackstartError``."""
        drift = case.drift
        self.say(f"{case.id}: {drift.changes}")
        self.bench.mark(case.id)
        for step in drift.apply:
            self.bench.run(step)
        if not drift.shows:
            self._noted(taken, "with the drift, which was to be silent")
        self.say(f"{case.id}: verify --before {drift.before}")
        taken.before = self.bench.verify(drift.before, drift.declares)
        if drift.drill is not None:
            self.say(f"{case.id}: drill {drift.drill.scenario}")
            directory = self.records.directory / "drills" / case.id
            taken.drill = self.bench.drill(drift.drill, drift.declares, directory)

    def _mend(self, case: Case, taken: _Taken) -> None:
        """Every step of the fix; one that fails stops no other."""
        for step in case.drift.fix:
            try:
                self.bench.run(step)
            except BlackstartError as error:
                taken.trouble.append(f"fix: {error}")

    def _noted(self, taken: _Taken, when: str) -> None:
        ill = self.bench.ill(WELL_S)
        if ill:
            taken.trouble.append(f"not well {when}: {ill}")

    def _must_be_free(self) -> None:
        left = self.records.applied()
        if left is None:
            return
        try:
            mark = self.bench.marked()
        except BlackstartError as error:
            mark = f"the rack cannot be asked: {error}"
        if mark:
            raise Refusal(
                [f"the drift {left} may still be applied ({mark}); run: blackstart rack reset"]
            )
        self.records.forget()


def _refuse_findings(seen: Verified) -> None:
    """Raises ``Unproven`` with what is red or unread on a rack that nobody has changed.

    A warning as well: one that is there already hides that a drift brings it about.
    """
    if seen.wrong:
        count = f"{len(seen.wrong)} finding{'s' if len(seen.wrong) > 1 else ''}"
        told = [f"{label(item.key)}: {item.problem}" for item in seen.wrong[:TOLD]]
        more = len(seen.wrong) - len(told)
        told += [f"and {more} more"] if more else []
        raise Unproven(
            f"the healthy rack has {count}, so no drift could be judged and nothing is changed: "
            f"{'; '.join(told)}"
        )
    if seen.decision != GO:
        raise Unproven(f"the healthy rack is {seen.decision}, not {GO}; nothing is changed")
