"""What must never go down did not, from the fault to the end: not while a node boots either.

While a fault is held the stop condition ends the drill at once. A revert is cut short by
nobody, and what reboots cannot be put back: the samples of that time are judged afterwards.
Seen on the rack: the only DHCP server went down with its hypervisor, the second name server's
lease ended meanwhile, and for 16 s no name resolved in a drill that passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings
from blackstart.model.inventory import NeverDown
from blackstart.model.quantities import format_duration
from blackstart.model.samples import Series, distrust, gaps, outages
from blackstart.model.verdict import Judgement

Stretch = tuple[float, float]
"""From and to, in seconds on the drill's clock."""


@dataclass(frozen=True, slots=True)
class NeverAllDown:
    """The promise for every group that the inventory declares ``never_down``."""

    name: str = "never-down"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement a group; none for a cold start, which takes all away by consent."""
        if evidence.fault == "cold-start":
            return ()
        groups = evidence.inventory.never_down.items()
        return tuple(self._group(evidence, name, group) for name, group in groups)

    def _group(self, evidence: Evidence, name: str, group: NeverDown) -> Judgement:
        findings, members = Findings(self.name, name), ", ".join(group.any_of)
        down: list[list[Stretch]] = []
        in_doubt: list[list[Stretch]] = []
        for member in group.any_of:
            series = [item for item in evidence.during if item.subject == member]
            if not series:
                findings.unproven(f"nobody asked {member}")
                down.append([])
                in_doubt.append([(evidence.began_at, evidence.ended_at)])
            for item in series:
                why = distrust(item, evidence.began_at, evidence.ended_at)
                if why is not None:
                    findings.unproven(why)
                down.append(_failing(item, evidence))
                in_doubt.append(_perhaps_down(item, evidence))
        sure_s, perhaps_s = _longest(down), _longest(in_doubt)
        grace = format_duration(group.grace)
        if sure_s > group.grace:
            findings.failed(
                f"none of {members} answered for {format_duration(sure_s)}, and {grace} are allowed"
            )
        elif perhaps_s > group.grace:
            findings.unproven(
                f"for {format_duration(perhaps_s)} nobody heard or asked any of {members}, "
                f"and {grace} are allowed"
            )
        together = format_duration(sure_s) if sure_s else "never"
        return findings.judgement(
            f"one of {members} answered all the time (all down together: {together}, "
            f"allowed {grace})"
        )


def _failing(series: Series, evidence: Evidence) -> list[Stretch]:
    """From the first to the last failed answer of every outage: for so long it was surely down."""
    found: list[Stretch] = []
    first: float | None = None
    last = 0.0
    for sample in series.samples:
        if not evidence.began_at <= sample.at <= evidence.ended_at:
            continue
        if not sample.ok:
            first, last = sample.at if first is None else first, sample.at
        elif first is not None:
            found.append((first, last))
            first = None
    return [*found, (first, last)] if first is not None else found


def _perhaps_down(series: Series, evidence: Evidence) -> list[Stretch]:
    """From the last good to the first good answer of every outage, and what nobody asked."""
    began, ended = evidence.began_at, evidence.ended_at
    seen = [sample for sample in series.samples if began <= sample.at <= ended]
    found = [
        (outage.began_at, ended if outage.ended_at is None else outage.ended_at)
        for outage in outages(seen)
    ]
    return [*found, *((gap.began_at, gap.ended_at) for gap in gaps(series, began, ended))]


def _longest(members: Sequence[Iterable[Stretch]]) -> float:
    """Seconds of the longest stretch in which all of them are within one of their own."""
    if not members:
        return 0.0
    common = _joined(members[0])
    for other in members[1:]:
        common = [
            (max(one[0], two[0]), min(one[1], two[1]))
            for one in common
            for two in _joined(other)
            if max(one[0], two[0]) < min(one[1], two[1])
        ]
    return max((end - begin for begin, end in common), default=0.0)


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same without overlaps: a silence goes over into an outage."""
    joined: list[Stretch] = []
    for begin, end in sorted(stretches):
        if joined and begin < joined[-1][1]:  # an answer in between keeps them apart
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def never_all_down() -> NeverAllDown:
    """Of every group that must never go down, somebody answered all the time."""
    return NeverAllDown()
