"""The vendor's section files: ``storage.cfg`` and ``jobs.cfg``.

``type: id`` begins a section, indented ``key value`` lines follow; a key
without a value is a switch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Section:
    """One section, with its settings as they stand in the file."""

    kind: str
    name: str
    settings: dict[str, str] = field(default_factory=dict)

    def switch(self, key: str, default: bool = False) -> bool:
        """A switch: set when the key stands there, unless it says 0, no, off or false."""
        if key not in self.settings:
            return default
        return self.settings[key].lower() not in ("0", "no", "off", "false")

    def words(self, key: str) -> tuple[str, ...]:
        """A list separated by commas, semicolons or blanks."""
        text = self.settings.get(key, "").replace(",", " ").replace(";", " ")
        return tuple(text.split())


def read_sections(path: Path) -> list[Section]:
    """All sections in the file's order; a file that is not there has none."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    sections: list[Section] = []
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        if not line[0].isspace():
            kind, _, name = line.partition(":")
            sections.append(Section(kind.strip(), name.strip()))
        elif sections:
            key, _, value = line.strip().partition(" ")
            sections[-1].settings[key] = value.strip()
    return sections
