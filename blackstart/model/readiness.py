"""What checks ask beside the facts that drills compare: the API, controllers, copies."""

from __future__ import annotations

from blackstart.model.observed import Observed, Record
from blackstart.model.proxmox_facts import ProxmoxFacts


class ControllerFacts(Record):
    """A machine's management controller.

    ``answers`` is false when it answered and refused, with its words in the source; without
    any answer it is not known. ``restore_policy`` is what the machine does when mains power
    returns (Redfish, ``PowerRestorePolicy``).
    """

    answers: Observed[bool]
    restore_policy: Observed[str]


class ConfigurationCopy(Record):
    """The newest archive of ``/etc/pve`` below the declared directory, read to its end.

    ``age_s`` by that host's own clock, ``files`` its regular files as named below ``/etc/pve``.
    ``parsed`` is what could be made of those that are no secret: the keys of a guest's
    configuration, the names of the stores in ``storage.cfg``; by file. Where there is none at
    all, ``path`` is empty.
    """

    path: str
    age_s: float
    files: tuple[str, ...]
    parsed: dict[str, tuple[str, ...]]

    @classmethod
    def none(cls) -> ConfigurationCopy:
        """The directory was read, and no archive is in it."""
        return cls(path="", age_s=0.0, files=(), parsed={})


class HostFiles(Record):
    """Paths of a host that were looked for, and the most that ZFS' cache may take (bytes)."""

    there: dict[str, bool]
    arc_max: int


class Readiness(Record):
    """All of it. Hosts by the inventory's names; ``proxmox`` and ``copy`` where declared."""

    proxmox: ProxmoxFacts | None = None
    controllers: dict[str, ControllerFacts] = {}
    configuration_copy: Observed[ConfigurationCopy] | None = None
    files: dict[str, Observed[HostFiles]] = {}
