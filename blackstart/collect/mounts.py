"""What is mounted where the inventory declares a mount, and whether it answers.

A node is read whole anyway; a guest that mounts something is asked for that alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.collect.host_parse import mounts_of, nothing_read
from blackstart.collect.host_script import HOST_SECTIONS
from blackstart.collect.sections import run
from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError
from blackstart.model.facts import Mount, Observed
from blackstart.model.inventory import NfsMount

Mounts = Observed[tuple[Mount, ...]]
SECTIONS = tuple(section for section in HOST_SECTIONS if section.name == "mounts")


def look_at_mounts(runner: CommandRunner, host: str, *, timeout_s: float) -> Mounts:
    """Every mount of a host, within ``timeout_s`` seconds; never raises ``DriverError``."""
    try:
        answers = run(runner, host, SECTIONS, timeout_s=timeout_s)
    except DriverError as error:
        return nothing_read(host, str(error)).facts.mounts
    return mounts_of(host, answers["mounts"])


def declared(mounts: Mapping[str, NfsMount], seen: Mapping[str, Mounts]) -> dict[str, Mounts]:
    """What is at the path of each declared mount, by its name; ``seen`` is by host."""
    return {name: _at(mount, seen.get(mount.host)) for name, mount in mounts.items()}


def _at(mount: NfsMount, seen: Mounts | None) -> Mounts:
    if seen is None:
        return Observed(source=f"ssh {mount.host}", error="nobody looked")
    if seen.value is None:
        return seen
    there = tuple(item for item in seen.value if item.target == mount.path)
    return Observed(value=there, source=seen.source)
