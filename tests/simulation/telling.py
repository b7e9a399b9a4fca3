"""A journal as a story: one line a step, with virtual seconds and what is worth telling."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from blackstart.safety.journal import Entry

from .world import BEGAN_AT

TELLS = {
    "drill.begin": ("budget_s",),
    "deadman.armed": ("lease_s",),
    "deadman.arming": ("host",),
    "deadman.disarmed": ("left",),
    "fault.injecting": ("fault", "target"),
    "fault.active": ("proof",),
    "fault.inactive": ("proof",),
    "fault.revert-failed": ("attempt", "error"),
    "fault.revert-tried": ("attempt", "holds", "detail"),
    "fault.revert-proven": ("proof",),
    "fault.revert-unproven": ("reason",),
    "fault.closed": ("how",),
    "recover.begin": ("fault", "target"),
    "recover.progress": ("text",),
    "recover.end": ("missing", "lost"),
    "recover.ended": ("holds",),
    "leases.tried": ("said",),
    "judgement": ("verdict", "name", "target", "reason"),
    "drill.end": ("verdict", "refused"),
}
"""Of these steps, these data; of any other step, its name, so that a new one shows."""
QUIET = frozenset(
    {"phase.begin", "phase.end", "guard.answer", "rescue.saved", "differences", "leases.trying"}
)
_HALTED = re.compile(r"halted by \S+ since [^\s:]+(:\d\d)*[^\s:]*:")


@dataclass(frozen=True)
class Telling:
    """``root`` is left out of texts."""

    root: Path

    def lines(self, entries: Iterable[Entry]) -> Iterator[str]:
        """Line by line; many passes are one line, and so are guards without objection."""
        passed: Counter[str] = Counter()
        guards = 0
        for entry in entries:
            if entry.step == "guard.answer":
                guards += 1
                if entry.data["refusal"] is not None:
                    yield self._line(
                        entry, f"refused by {entry.data['guard']}: {entry.data['refusal']}"
                    )
                continue
            if entry.step in QUIET:
                continue
            if entry.step == "judgement" and entry.data["verdict"] == "pass":
                passed[entry.data["name"]] += 1
                continue
            if entry.step == "drill.end" and passed:
                names = ", ".join(f"{name} x{number}" for name, number in sorted(passed.items()))
                yield self._line(entry, f"pass: {names}")
            yield self._line(entry, f"{entry.step}{self._data(entry)}")

    def _data(self, entry: Entry) -> str:
        told = (
            f" {name}={entry.data[name]}"
            for name in TELLS.get(entry.step, ())
            if entry.data.get(name) not in (None, [], {}, ())
        )
        return "".join(told)

    def _line(self, entry: Entry, text: str) -> str:
        text = _HALTED.sub("halted by SOMEBODY since THEN:", text.replace(str(self.root), "ROOT"))
        return f"{entry.at - BEGAN_AT:7.1f}  {text}"
