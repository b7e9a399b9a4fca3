"""What a drill says while it runs: its journal, its observers, its verdicts, its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from blackstart.model.verdict import Judgement, Verdict, worst
from blackstart.safety.journal import Journal
from blackstart.terms import DrillObserver


@dataclass
class DrillLog:
    """One drill's. ``directory`` is where its files go."""

    journal: Journal
    observer: DrillObserver
    directory: Path
    verdicts: list[Judgement] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str, detail: str = "") -> Iterator[None]:
        """A phase, journalled before and after."""
        self.journal.write("phase.begin", phase=name)
        self.observer.phase_begin(name, detail)
        ended = "interrupted"
        try:
            yield
            ended = "done"
        finally:
            self.journal.write("phase.end", phase=name, ended=ended)
            self.observer.phase_end(name, ended)

    def note(self, text: str) -> None:
        """Something worth a line."""
        self.observer.note(text)

    def judged(self, judgement: Judgement) -> None:
        """A verdict; the drill's own is the worst of all."""
        self.verdicts.append(judgement)
        self.journal.write("judgement", **judgement.model_dump(mode="json"))

    def unproven(self, name: str, target: str, reason: str) -> None:
        """Something that keeps the drill from proving anything."""
        self.judged(Judgement(name=name, target=target, verdict=Verdict.UNPROVEN, reason=reason))

    def failed(self, name: str, target: str, reason: str) -> None:
        """Something that was broken."""
        self.judged(Judgement(name=name, target=target, verdict=Verdict.FAIL, reason=reason))

    def save(self, name: str, text: str) -> None:
        """A file of the drill, whole or not at all."""
        path = self.directory / name
        temporary = path.with_suffix(".part")
        temporary.write_text(text)
        temporary.replace(path)

    def close(self) -> None:
        """The last line."""
        self.journal.write("drill.end", verdict=worst(item.verdict for item in self.verdicts))
