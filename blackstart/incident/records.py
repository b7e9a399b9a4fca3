"""What a replay saw, kept on disk: it is judged anew whenever what was expected is written anew."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from blackstart.errors import UsageError
from blackstart.incident.loading import Case
from blackstart.incident.model import Key
from blackstart.model.finding import Finding
from blackstart.model.observed import Record
from blackstart.model.verdict import Judgement, Verdict

R = TypeVar("R", bound=Record)

HEALTHY = "healthy"
COMPILED = "__pycache__"
EXPECTED = {"changes", "decision", "red", "follows", "unseen", "stays", "predict_only"}
"""What is written down of a drift and not done: of a record these may change afterwards."""


class Verified(Record):
    """What ``blackstart verify`` said: ``wrong`` is all that does not hold and is not accepted.

    ``good`` was looked at and holds; where there was nothing to look at it is ``not_applicable``.
    """

    decision: str
    wrong: tuple[Finding, ...]
    accepted: tuple[Key, ...]
    good: tuple[Key, ...]
    not_applicable: tuple[Key, ...]

    def of(self, verdict: Verdict) -> dict[Key, Finding]:
        """Findings of one verdict, by check and target."""
        return {item.key: item for item in self.wrong if item.verdict is verdict}


class Drilled(Record):
    """What a drill proved; ``refused`` holds a guard's reasons: then nothing was touched."""

    verdict: Verdict
    reason: str
    refused: tuple[str, ...]
    judged: tuple[Judgement, ...]

    def of(self, verdict: Verdict) -> dict[Key, Judgement]:
        """Judgements of one verdict, by promise and target."""
        return {(it.name, it.target): it for it in self.judged if it.verdict is verdict}


class _Healthy(Record):
    """The site before anything was changed, and the code that saw it."""

    code: str
    seen: Verified


class _Applied(Record):
    """Which drift is being replayed, ``INCIDENT@DRIFT``."""

    case: str


class Replayed(Record):
    """One replay: what was foreseen, what the drill showed, what was left after the fix.

    ``trouble`` is what did not go as it should: a command that failed, a site that was not well.
    ``done`` is the digest of what was run (code, commands), ``took_s`` its seconds.
    """

    incident: str
    drift: str
    done: str
    took_s: float
    before: Verified | None = None
    drill: Drilled | None = None
    after: Verified | None = None
    trouble: tuple[str, ...] = ()


def digest(*paths: Path) -> str:
    """Of these files and all below these directories, the rack's own scripts as well as Python: a
    result counts for what gave it, and for nothing else."""
    whole = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and COMPILED not in file.parts:
                content = file.read_bytes()
                whole.update(f"{file.relative_to(path)}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def done_by(code: str, case: Case) -> str:
    """Of code and commands of a replay. What is expected of it may change without a new one."""
    text = case.drift.model_dump_json(exclude=EXPECTED | {"drill"})
    drill = case.drift.drill
    text += drill.model_dump_json(exclude={"red", "follows"}) if drill is not None else ""
    return hashlib.sha256(f"{code}\n{text}".encode()).hexdigest()


@dataclass
class Records:
    """A directory with one file a drift, the healthy site's findings, and what is applied now."""

    directory: Path
    code: str
    _applied: str = field(default="applied.json", init=False)

    def path(self, name: str) -> Path:
        """Where a drift's record lies."""
        return self.directory / f"{name}.json"

    def keep(self, record: Replayed) -> None:
        """Write a record, whole or not at all."""
        self.write(self.path(f"{record.incident}@{record.drift}"), record.model_dump_json(indent=1))

    def of(self, case: Case) -> Replayed | None:
        """The record of a drift by the code and commands of today; ``None`` without one.

        Raises ``UsageError`` for a file that is no record.
        """
        found = self._read(self.path(case.id), Replayed)
        return found if found is not None and found.done == done_by(self.code, case) else None

    def keep_healthy(self, seen: Verified) -> None:
        """What was wrong with the site before anything was changed."""
        kept = _Healthy(code=self.code, seen=seen)
        self.write(self.path(HEALTHY), kept.model_dump_json(indent=1))

    def healthy(self) -> Verified | None:
        """The same, as the code of today saw it. Raises ``UsageError`` as ``of`` does."""
        kept = self._read(self.path(HEALTHY), _Healthy)
        return kept.seen if kept is not None and kept.code == self.code else None

    def applied(self) -> str | None:
        """The drift that is being replayed, or was when the process was killed.

        Raises ``UsageError`` as ``of`` does.
        """
        kept = self._read(self.directory / self._applied, _Applied)
        return kept.case if kept is not None else None

    def begin(self, case: Case) -> None:
        """On disk before anything is changed."""
        self.write(self.directory / self._applied, _Applied(case=case.id).model_dump_json())

    def forget(self) -> None:
        """The rack is as new: nothing is applied any more."""
        (self.directory / self._applied).unlink(missing_ok=True)

    def write(self, path: Path, text: str) -> None:
        """Write a file that a killed process leaves whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        with part.open("w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def _read(self, path: Path, kind: type[R]) -> R | None:
        if not path.exists():
            return None
        try:
            return kind.model_validate_json(path.read_bytes())
        except ValidationError as error:
            wrong = error.errors()[0]
            raise UsageError(f"{path}: no record ({wrong['msg']}); delete it") from None
