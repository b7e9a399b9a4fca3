"""``summary.json``: what a drill proved, as a pure function of its directory.

Also of the directory of a drill that stopped midway: that is ``unproven``, and the
reason says where it stopped and whether a fault may still be open.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from blackstart.evidence.directory import Recorded, read_directory
from blackstart.evidence.recovered import GuestRecovery, ProbeOutcome, guests, probes
from blackstart.model.verdict import Judgement, Verdict, worst
from blackstart.safety.open_faults import open_in

FILE_NAME = "summary.json"


class Record(BaseModel):
    """Base of every part of a summary."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Phase(Record):
    """One phase, in seconds on the drill's clock; ``ended_at`` is ``None`` when it did not end."""

    phase: str
    began_at: float
    ended_at: float | None


class Marks(Record):
    """Instants of the fault, in seconds on the drill's clock; ``None`` when not reached.

    ``recovered_at`` is when the last thing that went down answered again for good.
    """

    injected_at: float | None
    active_at: float | None
    reverted_at: float | None
    recovered_at: float | None


class Change(Record):
    """A fact that was not as before, and the owner's reason for tolerating it, if any."""

    path: str
    before: str
    after: str
    klass: str = Field(alias="class")
    tolerated: str | None


class Parts(Record):
    """What of the site was real and what a stand-in, in words for a person."""

    real: tuple[str, ...] = ()
    stand_in: tuple[str, ...] = ()


class Summary(Record):
    """A drill at a glance. Durations in seconds; ``started`` is ISO 8601 in UTC.

    ``test`` is pytest's node id. ``proof`` is how the fault was seen to have bitten, or
    not. ``complete`` is whether the drill got to its end, ``compared`` whether facts before
    and after were. ``open_faults`` are not proven reverted, ``rescue`` the commands to look
    at them. ``refused`` holds a guard's reasons: then nothing was touched.
    """

    id: str
    scenario: str
    test: str
    site: str
    targets: tuple[str, ...]
    fault: str
    verdict: Verdict
    reason: str
    started: str
    began_at: float
    duration_s: float
    budget_s: float
    complete: bool
    plan_only: bool
    refused: tuple[str, ...]
    proof: str | None
    marks: Marks
    phases: tuple[Phase, ...]
    invariants: tuple[Judgement, ...]
    guests: tuple[GuestRecovery, ...]
    probes: tuple[ProbeOutcome, ...]
    compared: bool
    differences: tuple[Change, ...]
    parts: Parts
    environment: dict[str, str]
    open_faults: tuple[str, ...]
    rescue: tuple[str, ...]

    @property
    def begun(self) -> str:
        """When it began, as a person reads it: ``2026-01-01 00:00:00 UTC``."""
        return self.started.replace("T", " ").replace("+00:00", " UTC")

    def of_verdict(self, verdict: Verdict) -> tuple[Judgement, ...]:
        """Judgements with this verdict."""
        return tuple(item for item in self.invariants if item.verdict is verdict)


def summarise(directory: Path) -> Summary:
    """Read a drill's directory and say what it proved.

    Raises ``JournalError`` when its journal is missing or damaged before the last line.
    """
    recorded = read_directory(directory)
    begin, last = recorded.begin, recorded.last
    injected_at = recorded.at("fault.injecting") or recorded.at("fault.injected")
    seen_until = _seen_until(recorded)
    outcomes = probes(recorded.series, injected_at, seen_until)
    open_now = open_in(recorded.journal)
    plan = recorded.first("fault.planned").get("plan", {})
    return Summary(
        id=directory.name,
        scenario=begin.data["scenario"],
        test=begin.data.get("test", begin.data["scenario"]),
        site=begin.data["site"],
        targets=tuple(begin.data["targets"]),
        fault=begin.data["fault"],
        verdict=_verdict(recorded),
        reason=_reason(recorded),
        started=datetime.fromtimestamp(begin.wall, UTC).isoformat(timespec="seconds"),
        began_at=begin.at,
        duration_s=round(last.at - begin.at, 3),
        budget_s=begin.data["budget_s"],
        complete=recorded.end is not None,
        plan_only=_plan_only(recorded),
        refused=_refused(recorded),
        proof=recorded.first("fault.active", "fault.inactive").get("proof"),
        marks=Marks(
            injected_at=injected_at,
            active_at=recorded.at("fault.active"),
            reverted_at=recorded.at("fault.revert-proven"),
            recovered_at=_recovered_at(outcomes),
        ),
        phases=_phases(recorded),
        invariants=recorded.judgements,
        guests=guests(
            recorded.series,
            recorded.subjects,
            injected_at,
            seen_until,
            recorded.first("fault.held").get("withheld_s", 0.0),
        ),
        probes=outcomes,
        compared=bool(recorded.journal.of("differences")),
        differences=_changes(recorded),
        parts=Parts.model_validate(begin.data.get("parts", {})),
        environment=_environment(recorded),
        open_faults=tuple(f"{item['fault']} on {item['target']}" for item in open_now),
        rescue=tuple(plan.get("rescue", ())),
    )


def write_summary(directory: Path) -> Summary:
    """Write ``summary.json`` next to the journal, whole or not at all, and return it."""
    summary = summarise(directory)
    path = directory / FILE_NAME
    temporary = path.with_suffix(".part")
    temporary.write_text(summary.model_dump_json(indent=1, by_alias=True) + "\n")
    temporary.replace(path)
    return summary


def _seen_until(recorded: Recorded) -> float:
    """When the probes were stopped: before judging; at the last line of a drill cut short."""
    judged = [span.began_at for span in _phases(recorded) if span.phase == "judge"]
    return judged[0] if judged else recorded.last.at


def _phases(recorded: Recorded) -> tuple[Phase, ...]:
    open_phases: dict[str, float] = {}
    found: list[Phase] = []
    for entry in recorded.own:
        if entry.step == "phase.begin":
            open_phases[entry.data["phase"]] = entry.at
        elif entry.step == "phase.end":
            name = entry.data["phase"]
            began = open_phases.pop(name, entry.at)
            found.append(Phase(phase=name, began_at=began, ended_at=entry.at))
    found += [Phase(phase=name, began_at=at, ended_at=None) for name, at in open_phases.items()]
    return tuple(sorted(found, key=lambda span: span.began_at))


def _refused(recorded: Recorded) -> tuple[str, ...]:
    return tuple(recorded.end.data.get("refused", ())) if recorded.end else ()


def _plan_only(recorded: Recorded) -> bool:
    return bool(recorded.end and recorded.end.data.get("plan_only"))


def _verdict(recorded: Recorded) -> Verdict:
    end = recorded.end
    return Verdict.UNPROVEN if end is None else Verdict(end.data["verdict"])


def _reason(recorded: Recorded) -> str:
    if recorded.end is None:
        return _where_it_stopped(recorded)
    refused = _refused(recorded)
    if refused:
        return f"refused, nothing was touched: {'; '.join(refused)}"
    if _plan_only(recorded):
        return "a plan only, nothing was touched"
    verdict = _verdict(recorded)
    wrong = [item for item in recorded.judgements if item.verdict is verdict]
    if verdict is Verdict.PASS:
        return f"all {len(wrong)} judgements hold"
    if not wrong:
        return "nothing was judged"
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"{wrong[0].name} [{wrong[0].target}]: {wrong[0].reason}{more}"


def _where_it_stopped(recorded: Recorded) -> str:
    unfinished = [span.phase for span in _phases(recorded) if span.ended_at is None]
    where = f"in phase {unfinished[-1]}, " if unfinished else ""
    text = f"the journal has no end: it stops {where}after step {recorded.last.step}"
    if recorded.journal.torn:
        text += ", its last line torn"
    if open_in(recorded.journal):
        text += "; the fault is not proven reverted"
    elif recorded.put_back:
        text += "; it was put back later by blackstart recover"
    failed = worst(item.verdict for item in recorded.judgements) is Verdict.FAIL
    return text + ("; a promise had failed by then" if failed else "")


def _recovered_at(outcomes: tuple[ProbeOutcome, ...]) -> float | None:
    fell = [item for item in outcomes if item.outage is not None]
    back = [item.recovered_at for item in fell if item.recovered_at is not None]
    return max(back) if back and len(back) == len(fell) else None


def _changes(recorded: Recorded) -> tuple[Change, ...]:
    return tuple(
        Change.model_validate(
            {"class": item.klass}
            | item.model_dump(include={"path", "before", "after", "tolerated"})
        )
        for item in recorded.differences
        if item.klass != "volatile"
    )


def _environment(recorded: Recorded) -> dict[str, str]:
    given: dict[str, Any] = recorded.begin.data.get("environment", {})
    hosts = recorded.facts_before.hosts if recorded.facts_before else {}
    kernels = {
        f"kernel of {name}": facts.kernel.value
        for name, facts in hosts.items()
        if facts.kernel.value is not None
    }
    return {**kernels, **{key: str(value) for key, value in given.items()}}
