"""Was it as expected? What was foreseen, what the drill showed, what was left: against a drift."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.incident.foreseeing import SEES_EVERYTHING, Foresight, foresight
from blackstart.incident.loading import Case
from blackstart.incident.model import Claim, Drift, Key
from blackstart.incident.records import Drilled, Replayed, Verified
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Record
from blackstart.model.verdict import Verdict

GO = "go"


OF_THE_FAULT = ("fault-bit", "fault-lasted")
"""What a drill says of its own fault."""


class Findings(Record):
    """Findings of the site with the drift, against those that it names.

    ``found`` had to be red and are, ``followed`` may be and are, ``wrong`` are red and not named,
    ``missed`` had to be red and hold. What had to be red and could not be read is in ``unread``,
    and is never right.
    """

    found: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Outcome(Record):
    """How one drift went. ``reasons`` are what was not as expected, ``gaps`` what is not known."""

    incident: str
    drift: str
    verdict: Verdict
    reasons: tuple[str, ...]
    gaps: tuple[str, ...]
    decision: str
    findings: Findings
    foresight: Foresight | None
    took_s: float


def outcome(
    case: Case, record: Replayed, healthy: Verified | None, inventory: Inventory
) -> Outcome:
    """Judge a record by what the drift expects now. A pure function."""
    judging = _Judging(case.drift, healthy, inventory)
    judging.replayed(record)
    before, drill = record.before, record.drill
    told = None
    if before is not None and drill is not None and not drill.refused:
        told = foresight(case.drift.before, before, drill, inventory)
    verdict = Verdict.FAIL if judging.reasons else Verdict.PASS
    if judging.gaps and verdict is Verdict.PASS:
        verdict = Verdict.UNPROVEN
    return Outcome(
        incident=case.incident,
        drift=case.name,
        verdict=verdict,
        reasons=tuple(judging.reasons),
        gaps=tuple(judging.gaps),
        decision=before.decision if before is not None else "",
        findings=judging.findings,
        foresight=told,
        took_s=record.took_s,
    )


class _Judging:
    """Collects what was not as expected, and what is not known."""

    def __init__(self, drift: Drift, healthy: Verified | None, inventory: Inventory) -> None:
        self.drift = drift
        self.inventory = inventory
        self.reasons: list[str] = []
        self.gaps: list[str] = []
        self.findings = Findings()
        if healthy is None:
            self.gaps.append("nobody has verified the healthy site")

    def replayed(self, record: Replayed) -> None:
        self.gaps += record.trouble
        self._foreseen(record.before)
        if self.drift.drill is not None:
            self._drilled(record.drill)
        if self.drift.fix:
            self._mended(record.before, record.after)

    def _foreseen(self, before: Verified | None) -> None:
        drift = self.drift
        if before is None:
            self.gaps.append("nobody has verified the site with the drift")
            self.findings = Findings(unread=_labels(_keys(drift.red)))
            return
        red, unread = before.of(Verdict.FAIL), before.of(Verdict.UNPROVEN)
        named, also, hidden = _keys(drift.red), _keys(drift.follows), _keys(drift.unseen)
        self.findings = Findings(
            found=_labels(red.keys() & named),
            followed=_labels(red.keys() & also),
            wrong=_labels(red.keys() - named - also - hidden),
            missed=_labels(named - red.keys() - unread.keys()),
            unread=_labels(named & unread.keys()),
        )
        self.reasons += (f"{name} was to be red and is not" for name in self.findings.missed)
        self.reasons += (
            f"{label(key)} is red and the drift does not name it: {red[key].problem}"
            for key in sorted(red.keys() - named - also - hidden)
        )
        self.reasons += (
            f"{name} was to be hidden by the drift and is not"
            for name in _labels(hidden - unread.keys())
        )
        self.gaps += (
            f"{label(key)} was not seen: {unread[key].problem}"
            for key in sorted(unread.keys() - hidden - also)
        )
        if before.decision != drift.decision:
            self.reasons.append(
                f"before {drift.before} the decision is {before.decision}, not {drift.decision}"
            )

    def _drilled(self, drill: Drilled | None) -> None:
        expected = self.drift.drill
        assert expected is not None
        if drill is None:
            self.gaps.append("the drill was not run to its end")
            return
        if drill.refused:
            self.gaps.append(f"the drill was refused: {'; '.join(drill.refused)}")
            return
        failed, unknown = drill.of(Verdict.FAIL), drill.of(Verdict.UNPROVEN)
        named = {item.key for item in expected.red}
        also = {item.key for item in expected.follows}
        for key in sorted(named - failed.keys()):
            if key in unknown:
                self.gaps.append(f"in the drill {label(key)} is unproven: {unknown[key].reason}")
            else:
                self.reasons.append(f"in the drill {label(key)} was to fail and did not")
        # Without its fault, nothing that failed in the drill was brought about by it.
        for key in sorted(key for key in unknown.keys() - named if key[0] in OF_THE_FAULT):
            self.gaps.append(f"in the drill {label(key)} is unproven: {unknown[key].reason}")
        for key in sorted(failed.keys() - named - also):
            if key[0] != SEES_EVERYTHING:
                said = failed[key].reason
                self.reasons.append(f"in the drill {label(key)} fails, not named: {said}")

    def _mended(self, before: Verified | None, after: Verified | None) -> None:
        if after is None:
            self.gaps.append("nobody has verified the site after the fix")
            return
        stays = _keys(self.drift.stays)
        left, unread = after.of(Verdict.FAIL), after.of(Verdict.UNPROVEN)
        for key in sorted(left.keys() - stays):
            self.reasons.append(f"after the fix {label(key)} is red: {left[key].problem}")
        for key in sorted(unread.keys() - stays):
            self.gaps.append(f"after the fix {label(key)} was not seen: {unread[key].problem}")
        were = _keys(self.drift.red) | ({*before.of(Verdict.FAIL)} if before else set())
        for key in sorted(were - {*after.good} - left.keys() - unread.keys()):
            self._not_green(key, after)
        if after.decision != GO:
            self.reasons.append(f"after the fix the decision is {after.decision}, not {GO}")

    def _not_green(self, key: Key, after: Verified) -> None:
        """What was red is neither red nor unread after the fix, and does not hold either."""
        if key in after.not_applicable:  # what it was about is gone, so nothing is mended
            self.reasons.append(f"after the fix {label(key)} does not apply any more")
        elif key in after.accepted:
            self.reasons.append(f"after the fix {label(key)} is accepted, not mended")
        else:
            self.gaps.append(f"after the fix nothing says how {label(key)} is")


def label(key: Key) -> str:
    """``CHECK [TARGET]``, as everywhere."""
    return f"{key[0]} [{key[1]}]"


def _labels(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(label(key) for key in sorted(keys))


def _keys(claims: Iterable[Claim]) -> set[Key]:
    return {claim.key for claim in claims}
