"""The site comes back as its boot graph predicts: stage by stage, in that order, in that time.

The prediction is judged here, not the site: a service that answers before what it is said to
need shows a graph that is wrong, and then its cycles and points of failure are not to be
believed either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.model.boot_graph import SEEN, BootGraph, PartKind, instant
from blackstart.model.boot_schedule import Expected, Prediction
from blackstart.model.quantities import format_duration
from blackstart.model.samples import Series, distrust, longest_silence_s
from blackstart.model.verdict import Judgement

FACTOR, GRACE_S = 2.0, 60.0
"""How far beyond the predicted time still is as predicted: machines are not equally fast each
time, and a budget of its own says what is too slow."""


@dataclass(frozen=True, slots=True)
class Came:
    """Seconds from power until the first good answer after the fall: it was in between.

    ``lower_s`` is the last answer that failed before it. ``margin_s`` is what sampling alone
    can shift.
    """

    lower_s: float
    upper_s: float
    margin_s: float


@dataclass(frozen=True, slots=True)
class BootOrderAsPredicted:
    """The promise of one prediction, made before the fault."""

    prediction: Prediction
    name: str = "boot-order-as-predicted"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each stage in which something is probed; one for what never starts."""
        seen = _Seen(self.prediction.graph, evidence)
        late = {
            part: seconds
            for part, seconds in evidence.later_s.items()
            if part.startswith(f"{PartKind.NODE}/")
        }
        stages = self.prediction.stages(late)
        judged: list[Judgement] = []
        for stage in stages:
            probed = [item for item in stage.parts if item.part in self.prediction.probed]
            if probed:
                judged.append(self._stage(stage.number, probed, seen))
        never = self.prediction.probed & self.prediction.graph.by_id.keys()
        never -= {item.part for stage in stages for item in stage.parts}
        if never:
            judged.append(self._never(sorted(never), seen))
        if not judged:
            what = "the graph has no part that is probed"
            return nothing_to_judge(self.name, evidence.inventory.site, what)
        return tuple(judged)

    def _stage(self, number: int, parts: Sequence[Expected], seen: _Seen) -> Judgement:
        findings = Findings(self.name, f"stage {number}")
        for item in parts:
            near = _near(self.prediction.graph, item.part)
            for gap in self.prediction.graph.unknown:
                if gap.part in near:
                    findings.unproven(f"not all was known of {gap}")
            came = seen.came(item.part)
            if isinstance(came, str):
                findings.unproven(came)
            elif came is None:
                findings.failed(f"{item.part} was predicted to come back, and did not")
            else:
                self._order(findings, item, came, seen)
                _time(findings, item, came)
        names = ", ".join(item.part for item in parts)
        return findings.judgement(f"{len(parts)} came back after what they need: {names}")

    def _order(self, findings: Findings, item: Expected, came: Came, seen: _Seen) -> None:
        for link in self.prediction.graph.needs[item.part]:
            earliest = seen.earliest(link.before)
            if came.upper_s + came.margin_s < earliest:
                findings.failed(
                    f"{item.part} answered {format_duration(came.upper_s)} after power, "
                    f"{link.before} not before {format_duration(earliest)}, and it "
                    f"{link.why}: {'; '.join(link.evidence)}"
                )

    def _never(self, parts: Sequence[str], seen: _Seen) -> Judgement:
        findings = Findings(self.name, "never")
        for part in parts:
            came = seen.came(part)
            if isinstance(came, str):
                findings.unproven(came)
            elif came is not None:
                after = format_duration(came.upper_s)
                findings.failed(f"{part} was predicted never to start and came back after {after}")
        return findings.judgement(f"as predicted, these did not come back: {', '.join(parts)}")


def _near(graph: BootGraph, part: str) -> frozenset[str]:
    """A part, and what it needs that only leads to others: its start, its store."""
    found, left = {part}, [part]
    while left:
        for link in graph.needs[left.pop()]:
            if link.before not in found and graph.by_id[link.before].kind not in SEEN:
                found.add(link.before)
                left.append(link.before)
    return frozenset(found)


def _time(findings: Findings, item: Expected, came: Came) -> None:
    predicted = format_duration(item.at_s)
    least = "at least " if item.lower_bound else ""
    findings.seen(
        f"{item.part}: predicted {least}{predicted}, came between "
        f"{format_duration(came.lower_s)} and {format_duration(came.upper_s)}"
    )
    if not item.lower_bound and came.lower_s > item.at_s * FACTOR + GRACE_S:
        findings.failed(
            f"{item.part} was predicted for {predicted} after power, and was not there after "
            f"{format_duration(came.lower_s)}"
        )


@dataclass(slots=True)
class _Seen:
    """What the probes saw of each part; what nobody probes is there with what it needs."""

    graph: BootGraph
    evidence: Evidence
    _earliest: dict[str, float] = field(default_factory=dict)

    def came(self, part: str) -> Came | str | None:
        """When it came back; ``None`` when it did not, or why nothing can be said of that."""
        asked = [series for series in self.evidence.during if series.subject == part]
        if not asked:
            return f"nothing asked {part} during the drill"
        found: list[Came] = []
        for series in asked:
            doubt = distrust(series, self.evidence.began_at, self.evidence.ended_at)
            if doubt is not None:
                return doubt
            came = _came(series, self.evidence)
            if not isinstance(came, Came):
                return came
            found.append(came)
        return max(found, key=lambda item: item.upper_s)

    def earliest(self, part: str, above: frozenset[str] = frozenset()) -> float:
        """Seconds before which it was surely not there; 0 when nothing says so.

        One question that got lost proves nothing: what sampling can shift is taken off. A
        mount's own probe logs in to its host to ask, so it answers late and proves nothing.
        """
        if part in above:
            return 0.0
        if part not in self._earliest:
            declared = self.graph.by_id[part]
            needed = [self.earliest(link.before, above | {part}) for link in self.graph.needs[part]]
            own = self.came(part) if declared.kind is not PartKind.MOUNT else None
            seen_s = own.lower_s - own.margin_s if isinstance(own, Came) else 0.0
            self._earliest[part] = max(seen_s, min(instant(declared, needed), _END_S))
        return self._earliest[part]


_END_S = 10.0**9


def _came(series: Series, evidence: Evidence) -> Came | str | None:
    power = evidence.began_at + evidence.withheld_s
    since = [item for item in series.samples if power <= item.at <= evidence.ended_at]
    if not since or since[0].ok:
        return f"{series.probe} was not seen down when power was back"
    back = next((place for place, item in enumerate(since) if item.ok), None)
    if back is None:
        return None
    return Came(
        lower_s=since[back - 1].at - power,
        upper_s=since[back].at + since[back].latency_s - power,
        margin_s=longest_silence_s(series.period_s),
    )


def boot_order_as_predicted(prediction: Prediction) -> BootOrderAsPredicted:
    """Everything comes back in the predicted order, and nothing of what never should."""
    return BootOrderAsPredicted(prediction)
