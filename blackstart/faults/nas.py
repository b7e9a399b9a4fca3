"""A NAS goes away: its server stops, its packets are dropped, or its handles go stale.

Three ways, because clients fare differently: a server that is stopped or silent makes a
``hard`` mount hang (nfs(5)), one that no longer exports gives ``ESTALE``. Whether it bit
is asked of the clients: what the server says of itself proves nothing about them.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected
from blackstart.faults.base import Plan, Proof
from blackstart.faults.on_host import LOOK_TIMEOUT_S, HostFault
from blackstart.model.changes import Change, DropPort, StopUnit, Unexport
from blackstart.model.inventory import FaultName, NfsMount
from blackstart.model.mount_answer import MountAnswer, MountState, question, understand
from blackstart.model.subjects import mounts_asked, subject

NFS_PORT = 2049
TABLE = "blackstart_nas_block"
UNITS = "systemctl show --property=Id,ActiveState nfs-server.service nfs-kernel-server.service"
"""One of the two is the other's alias, depending on the distribution; ``Id`` is its name."""
EXPORTS = "exportfs -s"
DECLARED = "cat /etc/exports /etc/exports.d/*.exports 2>/dev/null; true"
QUESTION_S = 3
BITE_WINDOW_S = 20.0
"""Seconds in which a client must notice; it asks its server anew at each question."""
_EXPORT = re.compile(r"^(\S+)\s+([^\s(]+)\((\S*)\)$")


@dataclass(frozen=True)
class NasFault(HostFault):
    """What the three have in common: whose mounts fall, and how a client shows it."""

    target: str
    bites_as: frozenset[MountState] = field(init=False)

    @abstractmethod
    def changes(self, site: Site) -> tuple[Change, ...]:
        """What it does to the NAS. Raises ``DriverError``."""

    def mounts(self, site: Site) -> dict[str, NfsMount]:
        """The declared mounts of this server. Raises ``Rejected`` when there is none."""
        declared = mounts_asked(site.inventory)
        found = {name: mount for name, mount in declared.items() if mount.server == self.target}
        if not found:
            raise Rejected(
                f"{self.target}: the inventory declares no mount of it, so nobody could see "
                f"{self.name} bite; add mounts: {{NAME: {{host: HOST, path: /mnt/NAME, "
                f"server: {self.target}, export: /EXPORT}}}}"
            )
        return found

    def blast_radius(self, site: Site) -> tuple[str, ...]:
        """Its mounts, and the Compose projects that live on them."""
        mounts = self.mounts(site)
        projects = [
            f"compose/{name}"
            for name, project in site.inventory.compose.items()
            for mount in mounts.values()
            if mount.host == project.guest
            and any(
                f"{place}/".startswith(f"{mount.path}/")
                for place in (project.directory, project.sentinel)
            )
        ]
        return (*(subject("mount", name) for name in mounts), *dict.fromkeys(projects))

    def prior(self, site: Site) -> Mapping[str, Any]:
        """How each mount is now. Raises ``Rejected`` for one that is ill before the fault."""
        ill = [
            f"{subject('mount', name)} on {mount.host} {seen.state}: {seen.detail}"
            for name, mount in self.mounts(site).items()
            if (seen := ask(site, mount)).state is not MountState.ANSWERS
        ]
        if ill:
            raise Rejected(
                f"{self.name} would prove nothing: {'; '.join(ill)}; put that right first"
            )
        return {"answering": [subject("mount", name) for name in self.mounts(site)]}

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """Every client shows it, within the bite window; one mount a client is asked."""
        clients = {mount.host: (name, mount) for name, mount in self.mounts(site).items()}
        seen: list[str] = []

        def look() -> Proof | None:
            looks = [self._bitten(site, name, mount) for name, mount in clients.values()]
            seen[:] = [detail for _, detail in looks]
            return Proof(True, "; ".join(seen)) if all(bitten for bitten, _ in looks) else None

        proof = wait_for(site.clock, look, bound_s=BITE_WINDOW_S)
        return proof or Proof(False, f"{BITE_WINDOW_S:.0f} s after {self.name}: {'; '.join(seen)}")

    def _bitten(self, site: Site, name: str, mount: NfsMount) -> tuple[bool, str]:
        try:
            answer = ask(site, mount)
        except DriverError as error:
            site.runner.forget(mount.host)
            return False, f"{subject('mount', name)} could not be asked: {error}"
        bitten = answer.state in self.bites_as
        still = "still " if answer.state is MountState.ANSWERS else ""
        detail = f": {answer.detail}" if answer.detail else ""
        return bitten, f"{subject('mount', name)} on {mount.host} {still}{answer.state}{detail}"


@dataclass(frozen=True)
class NasStop(NasFault):
    """Stop the server's unit, which also takes back all its exports (nfs.systemd(7))."""

    name: FaultName = field(default="nas-stop", init=False)
    bites_as: frozenset[MountState] = field(
        default=frozenset({MountState.HANGS, MountState.FAILS}), init=False
    )

    def changes(self, site: Site) -> tuple[Change, ...]:
        """Stop the unit. Raises ``Rejected`` when its start would not bring the exports back."""
        paths = sorted({str(mount.export) for mount in self.mounts(site).values()})
        declared = {line.split()[0].strip('"') for line in _lines(site, self.target, DECLARED)}
        lost = [path for path in paths if path not in declared]
        if lost:
            raise Rejected(
                f"{self.target}: {', '.join(lost)} is in no /etc/exports or /etc/exports.d, so "
                "the server would start again without it; write it there"
            )
        return (StopUnit(unit=self._unit(site)),)

    def _unit(self, site: Site) -> str:
        active = [
            shown["Id"] for shown in _units(site, self.target) if shown["ActiveState"] == "active"
        ]
        if not active:
            raise Rejected(
                f"{self.target}: no NFS server of systemd is active there ({UNITS}); "
                "use nas-block, which needs none"
            )
        return active[0]


@dataclass(frozen=True)
class NasBlock(NasFault):
    """Drop what comes to the server's port: it looks well to itself, and clients hang."""

    name: FaultName = field(default="nas-block", init=False)
    bites_as: frozenset[MountState] = field(
        default=frozenset({MountState.HANGS, MountState.FAILS}), init=False
    )

    def changes(self, site: Site) -> tuple[Change, ...]:
        """One rule, in a table of our own."""
        self.mounts(site)
        return (DropPort(table=TABLE, port=NFS_PORT),)


@dataclass(frozen=True)
class NasStale(NasFault):
    """Take the declared exports away while the server runs: handles go stale."""

    name: FaultName = field(default="nas-stale", init=False)
    bites_as: frozenset[MountState] = field(default=frozenset({MountState.STALE}), init=False)

    def changes(self, site: Site) -> tuple[Change, ...]:
        """One a client of an export. Raises ``Rejected`` for a path that is not exported."""
        paths = {str(mount.export) for mount in self.mounts(site).values()}
        lines = _lines(site, self.target, EXPORTS)
        shown = [match for line in lines if (match := _EXPORT.match(line))]
        missing = paths - {match[1] for match in shown}
        if missing:
            raise Rejected(
                f"{self.target} does not export {', '.join(sorted(missing))} ({EXPORTS}); "
                "write the export's path into the inventory as the server names it"
            )
        try:
            return tuple(
                Unexport(path=match[1], client=match[2], options=match[3])
                for match in shown
                if match[1] in paths
            )
        except ValidationError as error:
            raise Rejected(
                f"{self.target}: an export is written as nobody could put it back safely: {error}"
            ) from error


def ask(site: Site, mount: NfsMount) -> MountAnswer:
    """Ask a client for its mount, within a few seconds. Raises ``DriverError``."""
    line = question(mount.path, QUESTION_S)
    result = site.runner.run(mount.host, line, timeout_s=LOOK_TIMEOUT_S)
    seen = understand(mount.path, QUESTION_S, result.exit_code, result.stdout, result.stderr)
    if seen is None:
        raise Rejected(f"{mount.host} cannot ask for its mounts: {result.stderr.strip()}")
    return seen


def _lines(site: Site, host: str, command: str) -> Iterator[str]:
    result = site.runner.run(host, command, timeout_s=LOOK_TIMEOUT_S)
    if not result.ok:
        raise Rejected(f"{host}: {command!r} exited {result.exit_code}: {result.stderr.strip()}")
    return (line for line in map(str.strip, result.stdout.splitlines()) if line)


def _units(site: Site, host: str) -> Iterator[dict[str, str]]:
    """Blocks of ``KEY=VALUE``, an empty line between two (systemctl(1))."""
    result = site.runner.run(host, UNITS, timeout_s=LOOK_TIMEOUT_S)
    if not result.ok:
        raise Rejected(f"{host}: {UNITS!r} exited {result.exit_code}: {result.stderr.strip()}")
    for block in result.stdout.strip().split("\n\n"):
        shown = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if {"Id", "ActiveState"} <= shown.keys():
            yield shown


def nas_stop(node: str) -> NasStop:
    """Stop the NFS server of a NAS."""
    return NasStop(node)


def nas_block(node: str) -> NasBlock:
    """Drop everything that comes to the NFS port of a NAS."""
    return NasBlock(node)


def nas_stale(node: str) -> NasStale:
    """Unexport what the declared mounts of a NAS use."""
    return NasStale(node)
