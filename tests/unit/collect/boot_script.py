"""Sections of the boot script run here, on directories and programs of the test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from blackstart.collect.boot_parse import understand
from blackstart.collect.boot_script import BOOT_SECTIONS
from blackstart.collect.sections import Answer, run
from blackstart.model.host_boot import HostBootFacts

from .local import LocalRunner


def asked(*names: str, tools: Path | None = None, **places: Path) -> HostBootFacts:
    """The facts that these sections give, with directories of the test in place of the real."""
    sections = []
    for section in BOOT_SECTIONS:
        if section.name in names:
            line = section.line
            for path, real in places.items():
                line = line.replace(f"/{path}/", f"{real}/")
            sections.append(replace(section, line=line))
    answers = {item.name: Answer(error="not asked") for item in BOOT_SECTIONS}
    for name, answer in run(LocalRunner(tools), "here", sections, timeout_s=60).items():
        said = answer.lines
        for path, real in places.items():
            said = tuple(line.replace(f"{real}/", f"/{path}/") for line in said)
        answers[name] = replace(answer, lines=said)
    return understand("here", answers)
