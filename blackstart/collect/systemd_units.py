"""Units in what ``systemctl show`` and ``list-unit-files`` print (systemctl(1))."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blackstart.model.host_units import ALWAYS_THERE, Unit

_STARTED_BY = ("WantedBy", "RequiredBy", "UpheldBy", "BoundBy")


def read_units(lines: Sequence[str]) -> tuple[Unit, ...]:
    """Each block of ``NAME=VALUE`` lines. Raises ``ValueError`` or ``KeyError`` on anything else.

    No units at all is not understood: there is no systemd without any.
    """
    units = tuple(_unit(block) for block in _blocks(lines))
    if not units:
        raise ValueError("not one unit")
    return units


def read_unit_files(lines: Sequence[str]) -> dict[str, str]:
    """State of each unit file that was asked for and is there. Raises ``ValueError`` otherwise."""
    found = {}
    for line in lines:
        name, state, *_ = line.split()
        found[name] = state
    if ALWAYS_THERE not in found:
        raise ValueError(f"not even {ALWAYS_THERE}")
    return found


def _blocks(lines: Sequence[str]) -> Iterator[dict[str, str]]:
    block: dict[str, str] = {}
    for line in (*lines, ""):
        if line:
            key, _, value = line.partition("=")
            block[key] = value
        elif block:
            yield block
            block = {}


def _unit(block: dict[str, str]) -> Unit:
    return Unit(
        name=block["Id"],
        load=block["LoadState"],
        active=block["ActiveState"],
        sub=block["SubState"],
        enabled=block["UnitFileState"],
        file=block["FragmentPath"],
        source=block.get("SourcePath", ""),
        where=block.get("Where", ""),
        stale=block["NeedDaemonReload"] == "yes",
        wanted_by=tuple(
            sorted({name for key in _STARTED_BY for name in block.get(key, "").split()})
        ),
        triggered_by=tuple(block.get("TriggeredBy", "").split()),
    )
