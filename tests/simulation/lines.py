"""Command lines read backwards: from what production code would send to what it means.

Nothing here repeats a shell line. A pattern is made from the action or change itself, with
sample values that are then exchanged for groups, so that a line that changes is still read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from blackstart.faults.service_chain import question as units_question
from blackstart.model.changes import (
    DropPort,
    FillMemory,
    RestartUnit,
    StopGuest,
    StopUnit,
    Unexport,
)
from blackstart.model.deadman import HOME, DeadMan
from blackstart.model.filling import CHUNK_MIB
from blackstart.model.mount_answer import question
from blackstart.model.undo import (
    DropTable,
    EndOwnUnit,
    Reexport,
    StartGuest,
    StartUnit,
    Step,
    Unmount,
)

UNIT, OWN_UNIT = "unit-5137.service", "blackstart-own-5731.service"
TABLE, OWN_PATH, NAME = "blackstart_sample_7351", "/run/blackstart/sample-7351", "sample-7351"
PATH, CLIENT, OPTIONS = "/sample/7351", "198.51.100.73", "ro,x73"
VMID, PORT, CHUNKS = 735173517, 57351, 735173
SAMPLES: dict[str, tuple[str, str]] = {
    "unit": (UNIT, r"[\w@.:\\-]+"),
    "own": (OWN_UNIT, r"blackstart-[\w-]+\.service"),
    "table": (TABLE, r"blackstart_\w+"),
    "own_path": (OWN_PATH, r"/run/blackstart/[\w-]+"),
    "name": (NAME, r"[\w-]+"),
    "path": (PATH, r"/[\w/.-]+"),
    "client": (CLIENT, r"[\w*./:-]+"),
    "options": (OPTIONS, r"[\w,=.-]+"),
    "vmid": (str(VMID), r"\d+"),
    "port": (str(PORT), r"\d+"),
    "size": (str((CHUNKS + 1) * CHUNK_MIB), r"\d+"),
    "chunks": (str(CHUNKS), r"\d+"),
    "back": (str(CHUNKS // 8), r"\d+"),
    "last": (str(CHUNKS * CHUNK_MIB // 20 * 1024), r"\d+"),
}

Meaning = tuple[str, Mapping[str, str]]
"""What a line is (``start-unit proof``), and the values in it."""


def _pattern(line: str) -> re.Pattern[str]:
    text = re.escape(line)
    for name, (sample, values) in SAMPLES.items():
        text = text.replace(re.escape(sample), f"(?P<{name}>{values})", 1)
        text = text.replace(re.escape(sample), f"(?P={name})")
    return re.compile(text)


def _steps() -> list[Step]:
    steps: list[Step] = [StartUnit(unit=UNIT), EndOwnUnit(unit=OWN_UNIT), DropTable(table=TABLE)]
    export: dict[str, Any] = {"path": PATH, "client": CLIENT, "options": OPTIONS}
    steps += [Unmount(path=OWN_PATH), Reexport(**export), Unexport(**export)]
    steps += [StopUnit(unit=UNIT), RestartUnit(unit=UNIT), DropPort(table=TABLE, port=PORT)]
    steps += [FillMemory(name=NAME, mib=CHUNKS * CHUNK_MIB)]
    for tool in ("qm", "pct"):
        steps += [StartGuest(vmid=VMID, tool=tool), StopGuest(vmid=VMID, tool=tool)]
    return steps


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """What is known, an action's proof before a change's question, which is often the same."""
    found: list[tuple[str, re.Pattern[str]]] = []
    for step in _steps():
        for role in ("proof", "command", "possible"):
            if hasattr(step, role):
                line = getattr(step, role)()
                kind = step.kind  # type: ignore[attr-defined]
                found.append((f"{kind} {role}", _pattern(line)))
    for tool in ("qm", "pct"):
        status = StartGuest(vmid=VMID, tool=tool).proof().partition(" | ")[0]
        found.append(("guest-status", _pattern(status)))
    found.append(("mount", _pattern(question(PATH, VMID))))
    order = {"proof": 0, "command": 1, "possible": 2}
    return tuple(sorted(found, key=lambda item: order.get(item[0].split()[-1], 3)))


@cache
def meaning(line: str) -> Meaning | None:
    """What a line asks for; ``None`` for one that is no action, change or question."""
    for kind, pattern in patterns():
        match = pattern.fullmatch(line)
        if match is not None:
            return kind, match.groupdict()
    return None


@cache
def guarded(line: str) -> tuple[str, str] | None:
    """The dead-man's id and the line that it guards; ``None`` for a line without a guard."""
    match = re.match(rf"if \[ -e {re.escape(HOME)}/([a-z0-9-]+)/", line)
    if match is None:
        return None
    before, after = DeadMan(match[1], "any", 1).guarding("\0").split("\0")
    if not (line.startswith(before) and line.endswith(after)):
        return None
    return match[1], line[len(before) : len(line) - len(after)]


@cache
def units_of(line: str) -> tuple[str, ...] | None:
    """The units whose state and dependencies a line asks for."""
    before = units_question(())
    if not line.startswith(before):
        return None
    return tuple(re.findall(r"'([^']+)'", line[len(before) :]))


@cache
def invocation_of(line: str) -> str | None:
    """The unit whose invocation id a line asks for."""
    match = re.fullmatch(r"systemctl show --property=InvocationID --value '([^']+)'", line)
    return match[1] if match else None
