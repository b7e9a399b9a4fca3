"""What a token of the Proxmox VE API must be allowed to see, and the command that allows it.

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
from blackstart.drivers.proxmox_api import ProxmoxApi, Token

PERMISSIONS = "access/permissions"
AGENT_ROLE = "BlackstartAgent"
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


def grant(token: Token, lacked: Iterable[Need]) -> str:
    """The commands, for root on any node, that let a token see what it lacks.

    A token with privilege separation has no more than its user, hence both. All of it on
    ``/``: a role further down would replace those from above it (pveum(1)).
    """
    commands: list[str] = []
    roles = sorted({AGENT_ROLE if need is _MONITOR else "PVEAuditor" for need in lacked})
    if AGENT_ROLE in roles:
        commands.append(f"pveum role add {AGENT_ROLE} --privs VM.Monitor")
    whom = [f"--tokens '{token.user}!{token.name}'"]
    whom += [f"--users '{token.user}'"] if token.user != "root@pam" else []
    commands += [f"pveum acl modify / {who} --roles {','.join(roles)}" for who in whom]
    return " && ".join(commands)


def remedy(token: Token, error: str) -> str:
    """What mends a refusal in the API's own words; nothing where they do not tell."""
    if error.startswith("401"):
        listed = f"pveum user token list '{token.user}'"
        return f"look whether the token is there and has not expired: {listed}"
    if error.startswith("403"):
        return f"run {grant(token, _ALWAYS)}"
    return ""
