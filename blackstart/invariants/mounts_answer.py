"""Every declared mount is mounted from its server and answers again, within its budget.

Mounted is not answering: a stale or hung handle is in the table of mounts all the same.
And a mount that failed at boot leaves an empty directory, into which programs then write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.invariants.recovering import longest, within_budget
from blackstart.model.facts import Mount
from blackstart.model.inventory import Inventory, NfsMount
from blackstart.model.quantities import format_duration
from blackstart.model.subjects import mounts_asked, subject
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class MountsAnswer:
    """The promise for every declared mount."""

    name: str = "mounts-answer"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each mount."""
        mounts = mounts_asked(evidence.inventory)
        if not mounts:
            site = evidence.inventory.site
            return nothing_to_judge(self.name, site, "the inventory declares no mount")
        return tuple(self._mount(evidence, name, mount) for name, mount in mounts.items())

    def _mount(self, evidence: Evidence, name: str, mount: NfsMount) -> Judgement:
        findings = Findings(self.name, name)
        full_name = subject("mount", name)
        where = f"{mount.path} on {mount.host}"
        was = findings.before(evidence.before.mounts.get(name), where)
        now = findings.after(evidence.after.mounts.get(name), where)
        if was is not None:
            for reason in _wrong(evidence.inventory, mount, was):
                findings.ill_before(f"before the fault {reason}")
        if now is not None:
            for reason in _wrong(evidence.inventory, mount, now):
                findings.failed(reason)
        seen = within_budget(findings, evidence, full_name, mount.budget)
        if seen and full_name in evidence.blast_radius and not any(item.fell for item in seen):
            findings.unproven(f"{evidence.fault} was to take it down and no answer failed")
        budget = format_duration(mount.budget)
        return findings.judgement(f"{where}: {longest(seen)}, budget {budget}")


def _wrong(inventory: Inventory, mount: NfsMount, seen: tuple[Mount, ...]) -> Iterator[str]:
    where = f"{mount.path} on {mount.host}"
    if not seen:
        yield f"nothing is mounted at {where}; mount it: mount {mount.path}"
        return
    for item in seen:
        server, _, export = item.source.rpartition(":")
        if not item.fstype.startswith("nfs") or server not in _names(inventory, mount.server):
            yield f"{where} is {item.source} ({item.fstype}); declared is server {mount.server}"
        elif (export.rstrip("/") or "/") != mount.export:
            yield f"{where} is {item.source}; declared is export {mount.export}"
        elif not item.answers:
            yield f"{where} is mounted and does not answer"


def _names(inventory: Inventory, server: str) -> frozenset[str]:
    """What a client may call a server: its name, its address, and names that lead there."""
    address = inventory.nodes[server].address
    names = inventory.dns.names.items() if inventory.dns else ()
    full = {name.rstrip(".") for name, declared in names if address in declared.addresses}
    short = {name.partition(".")[0] for name in full}
    return frozenset({server, str(address), *full, *short})


def mounts_answer() -> MountsAnswer:
    """Every declared mount answers again in its budget, from the server it had."""
    return MountsAnswer()
