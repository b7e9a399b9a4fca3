"""Backup jobs of ``jobs.cfg``, and the guests that none of them covers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import Died
from .node import Node
from .parameters import BOOLEAN, COUNT, convert
from .propertystring import parse
from .sections import Section, read_sections

_SWITCHES = ("all", "enabled", "protected", "quiet", "remove", "repeat-missed", "stdexcludes")
_NUMBERS = ("bwlimit", "ionice", "lockwait", "maxfiles", "pigz", "stopwait", "zstd")


def jobs(etc_pve: Path) -> list[dict[str, Any]]:
    """Every backup job, with its settings in the types of the API."""
    return [_job(section) for section in _sections(etc_pve)]


def not_covered(node: Node) -> list[dict[str, Any]]:
    """Guests that no job of the cluster names; a disabled job counts, as the vendor's does."""
    covered = _covered(node)
    missing = []
    for name in node.guests.nodes():
        for guest, config in node.guests.configs(name):
            if guest.vmid not in covered:
                entry = {"vmid": guest.vmid, "type": guest.kind}
                missing.append(entry | ({"name": config.name} if config.name else {}))
    return missing


def _sections(etc_pve: Path) -> list[Section]:
    return [s for s in read_sections(etc_pve / "jobs.cfg") if s.kind == "vzdump"]


def _job(section: Section) -> dict[str, Any]:
    job: dict[str, Any] = {"id": section.name, "type": "vzdump"}
    for key, text in section.settings.items():
        try:
            if key in _SWITCHES:
                job[key] = convert(BOOLEAN, text or "1")
            elif key in _NUMBERS:
                job[key] = convert(COUNT, text)
            elif key == "prune-backups":
                kept = parse(text, "keep-last")
                job[key] = {name: convert(COUNT, count) for name, count in kept.items()}
            else:
                job[key] = text
        except Died:
            job[key] = text
    return job


def _covered(node: Node) -> set[int]:
    covered: set[int] = set()
    for section in _sections(node.layout.etc_pve):
        everyone = {
            guest.vmid
            for name in node.guests.nodes()
            for guest in node.guests.of_node(name)
            if section.settings.get("node", name) == name
        }
        named = {int(word) for word in section.words("vmid") if word.isdigit()}
        if named:
            covered |= named & everyone
        elif section.switch("all"):
            covered |= everyone - {int(word) for word in section.words("exclude")}
    return covered
