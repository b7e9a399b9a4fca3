"""Every declared guest runs and is booted again, on its node, within its budget.

Running is not booted: the guest's agent (QEMU) or init (LXC) must answer. And a guest
that was never seen down under a hypervisor that rebooted was not watched at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.invariants.recovering import longest, within_budget
from blackstart.model.inventory import Guest
from blackstart.model.quantities import format_duration
from blackstart.model.subjects import subject
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class GuestsBoot:
    """The promise for the guests of one node, or of the whole site when it is ``None``."""

    node: str | None = None
    name: str = "guests-boot"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each declared guest that is meant to run."""
        guests = {
            name: guest
            for name, guest in evidence.inventory.guests.items()
            if guest.running and self.node in {None, guest.node}
        }
        if not guests:
            where = self.node or evidence.inventory.site
            return nothing_to_judge(self.name, where, f"no running guest is declared on {where}")
        return tuple(self._guest(evidence, name, guest) for name, guest in guests.items())

    def _guest(self, evidence: Evidence, name: str, guest: Guest) -> Judgement:
        findings = Findings(self.name, name)
        node = self._before(findings, evidence, name)
        self._after(findings, evidence, name, node)
        seen = within_budget(findings, evidence, subject("guest", name), guest.budget)
        if seen and not any(item.fell for item in seen):
            self._never_fell(findings, evidence, guest.node)
        budget = format_duration(guest.budget)
        return findings.judgement(f"runs and is booted; {longest(seen)}, budget {budget}")

    def _before(self, findings: Findings, evidence: Evidence, name: str) -> str | None:
        facts = evidence.before.guests.get(name)
        status = findings.before(facts.status if facts else None, f"status of {name}")
        booted = findings.before(facts.booted if facts else None, f"boot state of {name}")
        if status not in {None, "running"}:
            findings.ill_before(f"{name} was {status} before the fault")
        elif booted is False:
            findings.ill_before(f"{name} ran and was not booted before the fault")
        return findings.before(facts.node if facts else None, f"node of {name}")

    def _after(self, findings: Findings, evidence: Evidence, name: str, was_on: str | None) -> None:
        facts = evidence.after.guests.get(name)
        status = findings.after(facts.status if facts else None, f"status of {name}")
        booted = findings.after(facts.booted if facts else None, f"boot state of {name}")
        node = findings.after(facts.node if facts else None, f"node of {name}")
        if status not in {None, "running"}:
            findings.failed(f"{name} is {status}{_onboot(facts.onboot.value if facts else None)}")
        elif booted is False:
            findings.failed(f"{name} runs and has not booted")
        if node is not None and was_on is not None and node != was_on:
            findings.failed(f"{name} runs on {node}; before the fault on {was_on}")

    def _never_fell(self, findings: Findings, evidence: Evidence, node: str) -> None:
        before, after = evidence.before.hosts.get(node), evidence.after.hosts.get(node)
        was = findings.after(
            before.boot_id if before else None, f"boot id of {node} before the fault"
        )
        now = findings.after(after.boot_id if after else None, f"boot id of {node}")
        if was is not None and now is not None and was != now:
            findings.unproven(f"{node} rebooted and no answer failed: who was asked?")


def _onboot(onboot: bool | None) -> str:
    return ": onboot is off, so its node does not start it; set onboot 1" if onboot is False else ""


def guests_boot(node: str | None = None) -> GuestsBoot:
    """Every declared running guest (of ``node``) is back in its budget."""
    return GuestsBoot(node)
