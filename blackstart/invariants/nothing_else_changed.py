"""Whatever differs after a drill was declared: by the act, as volatile, or as tolerated.

The other invariants look where somebody thought of looking; this one looks everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings
from blackstart.model.differences import Difference, compare, expired, undeclared, unread
from blackstart.model.inventory import Inventory
from blackstart.model.verdict import Judgement
from blackstart.model.virtual_addresses import without_virtual

REBOOTING = frozenset({"reboot", "power-cut", "cold-start"})


@dataclass(frozen=True, slots=True)
class NothingElseChanged:
    """The promise for the whole site; ``today`` decides which tolerances are in force."""

    today: date
    name: str = "nothing-else-changed"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement, for the site."""
        inventory = evidence.inventory
        findings = Findings(self.name, inventory.site)
        found = changes(evidence)
        found = tuple(item for item in found if not _of_one_meant_off(item.path, inventory))
        for item in undeclared(found, inventory.tolerate, self.today):
            findings.failed(f"{item}{self._expiry(item, inventory)}")
        for line in unread(inventory, evidence.before, evidence.after):
            if not _of_one_meant_off(line.split()[0], inventory):
                findings.unproven(line)
        declared = [item for item in found if item.klass != "volatile" and not item.unread]
        for item in declared:
            findings.seen(f"{item.klass}: {item}")
        good = f"differs as declared in {len(declared)}, and in nothing else"
        return (findings.judgement(good),)

    def _expiry(self, item: Difference, inventory: Inventory) -> str:
        gone = expired(item.path, inventory.tolerate, self.today)
        return f" (tolerated until {gone.until})" if gone is not None else ""


def rebooted(evidence: Evidence) -> frozenset[str]:
    """The hosts whose new boot is the act itself."""
    if evidence.fault not in REBOOTING:
        return frozenset()
    return frozenset(name for name in evidence.blast_radius if name in evidence.inventory.nodes)


def filled(evidence: Evidence) -> frozenset[str]:
    """The hosts whose kernel was to kill a guest for want of memory."""
    killing = evidence.fault == "memory" and evidence.target in evidence.inventory.nodes
    others = set(evidence.blast_radius) - {evidence.target}
    return frozenset({evidence.target}) if killing and others else frozenset()


def changes(evidence: Evidence) -> tuple[Difference, ...]:
    """Every difference that the drill left, with what belongs to the act marked as expected."""
    was, now = (
        without_virtual(evidence.inventory, facts) for facts in (evidence.before, evidence.after)
    )
    return compare(was, now, rebooted=rebooted(evidence), filled=filled(evidence))


def _of_one_meant_off(path: str, inventory: Inventory) -> bool:
    """Whether a path tells of the inside of a guest that is declared to be off."""
    steps = path.split("/")
    if len(steps) < 3 or steps[0] != "guests" or steps[2] not in {"booted", "interfaces"}:
        return False
    guest = inventory.guests.get(steps[1])
    return guest is not None and not guest.running


def nothing_else_changed(today: date) -> NothingElseChanged:
    """No undeclared change anywhere on the site."""
    return NothingElseChanged(today)
