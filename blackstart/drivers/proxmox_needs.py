"""What a token of the Proxmox VE API must be allowed to see, and what it lacks of that.

Lists of this API are filtered and not refused, so that a token without a privilege sees
nothing and hears no complaint. What it may see is asked beforehand: ``access/permissions``
gives, by path, each privilege with 1 where it holds below the path as well and 0 where it
holds for the path alone (pve-access-control, RPCEnvironment.pm).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from blackstart.drivers import proxmox_answers as answers
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.model.proxmox_rights import grant

PERMISSIONS = "access/permissions"
OWN_PRIVILEGES_SINCE = 9
"""The release from which a guest's agent has privileges of its own, which PVEAuditor has."""


@dataclass(frozen=True, slots=True)
class Need:
    """One of ``privileges`` on ``path``, ``below`` it as well, and what it shows."""

    privileges: tuple[str, ...]
    path: str
    below: bool
    shows: str

    @property
    def words(self) -> str:
        """For a person."""
        return f"{self.privileges[0]} on {self.path} ({self.shows})"


_ALWAYS = (
    Need(("Sys.Audit",), "/", False, "membership, quorum, high availability, backup jobs"),
    Need(("Sys.Audit",), "/nodes", True, "state and tasks of nodes"),
    Need(("VM.Audit",), "/vms", True, "guests, their configuration, containers' addresses"),
    Need(("Datastore.Audit",), "/storage", True, "stores"),
)
_SHOWS = "addresses inside QEMU guests, and whether they have booted"
_AGENT = Need(("VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"), "/vms", True, _SHOWS)
_MONITOR = Need(("VM.Monitor",), "/vms", True, _SHOWS)


def needs(release: str) -> tuple[Need, ...]:
    """What facts and checks need of a Proxmox VE of that version (``9.1.7``)."""
    major = release.partition(".")[0]
    own = not major.isdigit() or int(major) >= OWN_PRIVILEGES_SINCE
    return (*_ALWAYS, _AGENT if own else _MONITOR)


def missing(granted: Mapping[str, Any], wanted: Iterable[Need]) -> tuple[Need, ...]:
    """Those of ``wanted`` that an answer of ``access/permissions`` does not show."""
    return tuple(need for need in wanted if not _holds(granted.get(need.path), need))


def _holds(there: object, need: Need) -> bool:
    if not isinstance(there, Mapping):
        return False
    levels = {str(there[name]) for name in need.privileges if name in there}
    return "1" in levels if need.below else bool(levels)


def lacking(api: ProxmoxApi, release: str) -> tuple[Need, ...]:
    """What the token of an API may not see and should. Raises ``DriverError``."""
    granted = answers.record(api.get(PERMISSIONS), PERMISSIONS)
    return missing(granted, needs(release))


def granting(who: str, lacked: Iterable[Need]) -> str:
    """The command, for root on any node, that lets a token see what it lacks.

    All of it on ``/``: a role further down would replace those from above it (pveum(1)).
    """
    return grant(who, "/", *(need.privileges[0] for need in lacked))


def remedy(who: str, error: str) -> str:
    """What mends a refusal in the API's own words; nothing where they do not tell."""
    if error.startswith("401"):
        listed = f"pveum user token list '{who.partition('!')[0]}'"
        return f"look whether the token is there and has not expired: {listed}"
    return granting(who, _ALWAYS) if error.startswith("403") else ""
