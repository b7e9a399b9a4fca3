"""No hypervisor's kernel has killed anybody for want of memory.

A guest that was killed and started again looks well afterwards, and may be for years: only the
kernel's own line says what happened (outage of July 2025, MAAS killed during an image import).
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.model.facts import HostFacts
from blackstart.model.oom import OOM_KILL, killed_guest
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class NobodyKilled:
    """The promise for every node that guests are declared to run on."""

    name: str = "nobody-killed"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each such node; a kill is told with the kernel's line."""
        guests = evidence.inventory.guests.values()
        nodes = dict.fromkeys(guest.node for guest in guests if guest.running)
        if not nodes:
            site = evidence.inventory.site
            return nothing_to_judge(self.name, site, "the inventory declares no running guest")
        return tuple(self._node(evidence, node) for node in nodes)

    def _node(self, evidence: Evidence, node: str) -> Judgement:
        findings = Findings(self.name, node)
        before, after = evidence.before.hosts.get(node), evidence.after.hosts.get(node)
        was = findings.before(before.oom_lines if before else None, f"kernel log of {node}")
        now = findings.after(after.oom_lines if after else None, f"kernel log of {node}")
        self._one_boot(findings, node, before, after)
        source = after.oom_lines.source if after else ""
        for line in (line for line in now or () if OOM_KILL in line and line not in (was or ())):
            whom = _whom(evidence, killed_guest(line))
            findings.failed(f"the kernel of {node} killed {whom} ({source}): {line}")
        return findings.judgement(f"the kernel of {node} killed nobody for want of memory")

    def _one_boot(
        self, findings: Findings, node: str, before: HostFacts | None, after: HostFacts | None
    ) -> None:
        """The log begins anew with each boot: what was in the last one is not known."""
        was = findings.before(before.boot_id if before else None, f"boot id of {node}")
        now = findings.after(after.boot_id if after else None, f"boot id of {node}")
        if was is not None and now is not None and was != now:
            findings.unproven(f"{node} has booted anew; the log of the boot before was not read")


def _whom(evidence: Evidence, vmid: int | None) -> str:
    if vmid is None:
        return "a process of no guest"
    guests = evidence.inventory.guests.items()
    return next((name for name, guest in guests if guest.vmid == vmid), f"guest {vmid}")


def nobody_killed() -> NobodyKilled:
    """No guest or other process was killed for want of memory on any hypervisor."""
    return NobodyKilled()
