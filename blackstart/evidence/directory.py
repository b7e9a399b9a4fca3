"""A drill's directory as it is read back, whole or cut short by a crash."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from blackstart.errors import JournalError
from blackstart.model.differences import Difference
from blackstart.model.facts import SiteFacts
from blackstart.model.samples import Series
from blackstart.model.subjects import Subject
from blackstart.model.verdict import Judgement
from blackstart.safety.journal import FILE_NAME, Entry, Reading, read
from blackstart.safety.open_faults import PUT_BACK

SAMPLES = "samples.json"
FACTS_BEFORE = "facts-before.json"
FACTS_AFTER = "facts-after.json"

T = TypeVar("T")

_SERIES = TypeAdapter(tuple[Series, ...])
_SUBJECTS = TypeAdapter(tuple[Subject, ...])
_DIFFERENCES = TypeAdapter(tuple[Difference, ...])


@dataclass(frozen=True)
class Recorded:
    """What one drill left behind. ``unreadable`` names the files that hold no valid data."""

    directory: Path
    journal: Reading
    series: tuple[Series, ...]
    facts_before: SiteFacts | None
    unreadable: tuple[str, ...]

    @cached_property
    def begin(self) -> Entry:
        """The first line of the journal."""
        return self.journal.entries[0]

    @cached_property
    def own(self) -> tuple[Entry, ...]:
        """What the drill itself wrote: another process that put it back later has its own clock."""
        entries = self.journal.entries
        later = [number for number, entry in enumerate(entries) if entry.step == PUT_BACK]
        return entries[: later[0]] if later else entries

    @property
    def put_back(self) -> tuple[Entry, ...]:
        """What ``blackstart recover`` wrote later; empty when nobody had to."""
        return self.journal.entries[len(self.own) :]

    @property
    def last(self) -> Entry:
        """The last line of the drill itself that reached the disk."""
        return self.own[-1]

    @property
    def end(self) -> Entry | None:
        """``drill.end``; ``None`` when the drill did not get there."""
        ends = self.journal.of("drill.end")
        return ends[-1] if ends else None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What was watched, as the inventory declared it."""
        return _SUBJECTS.validate_python(self.begin.data.get("subjects", []))

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """Every judgement, in order."""
        found = self.journal.of("judgement")
        return tuple(Judgement.model_validate(entry.data) for entry in found)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What was not as before, volatile facts included."""
        steps = self.journal.of("differences")
        return _DIFFERENCES.validate_python(steps[-1].data["differences"]) if steps else ()

    def at(self, step: str) -> float | None:
        """When a step was first written (seconds on the drill's clock)."""
        return next((entry.at for entry in self.own if entry.step == step), None)

    def first(self, *steps: str) -> dict[str, Any]:
        """The data of the first entry of any of these steps; empty when there is none."""
        for entry in self.journal.entries:
            if entry.step in steps:
                return entry.data
        return {}


def read_directory(directory: Path) -> Recorded:
    """Read a drill's directory.

    Raises ``JournalError`` when the journal is missing, damaged before its last line, or
    does not begin with ``drill.begin``. A torn last line, and files that are absent
    because the drill stopped early, are no error.
    """
    journal = read(directory / FILE_NAME)
    if not journal.entries or journal.entries[0].step != "drill.begin":
        raise JournalError(f"{directory / FILE_NAME}: does not begin with drill.begin")
    unreadable: list[str] = []
    return Recorded(
        directory=directory,
        journal=journal,
        series=_load(directory / SAMPLES, _SERIES, unreadable) or (),
        facts_before=_load(directory / FACTS_BEFORE, TypeAdapter(SiteFacts), unreadable),
        unreadable=tuple(unreadable),
    )


def _load(path: Path, kind: TypeAdapter[T], unreadable: list[str]) -> T | None:
    if not path.exists():
        return None
    try:
        return kind.validate_json(path.read_bytes())
    except ValidationError:
        unreadable.append(path.name)
        return None
