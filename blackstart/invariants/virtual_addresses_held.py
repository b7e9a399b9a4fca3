"""Every virtual address is held by one of its holders: by whom is their affair.

With nobody the service behind it is gone, and two at once answer in turns (a "split brain" of
VRRP: both routers believe that they are master, RFC 5798).
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.model.addressing import VirtualAddress
from blackstart.model.facts import SiteFacts
from blackstart.model.verdict import Judgement
from blackstart.model.virtual_addresses import cards_of, plain


@dataclass(frozen=True, slots=True)
class VirtualAddressesHeld:
    """The promise for every virtual address that stands on a card."""

    name: str = "virtual-addresses-held"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each address; that it moved is no fault."""
        declared = evidence.inventory.virtual_addresses.items()
        held = {name: item for name, item in declared if item.held_by}
        if not held:
            reason = "the inventory declares no virtual address with `held_by`"
            return nothing_to_judge(self.name, evidence.inventory.site, reason)
        return tuple(self._address(evidence, name, item) for name, item in held.items())

    def _address(self, evidence: Evidence, name: str, declared: VirtualAddress) -> Judgement:
        findings = Findings(self.name, name)
        was, _ = self._holders(findings, evidence.before, declared, after=False)
        now, all_seen = self._holders(findings, evidence.after, declared, after=True)
        if len(was) != 1:
            findings.ill_before(f"{declared.address} was held by {_list(was)} before the fault")
        if len(now) > 1 or (not now and all_seen):
            findings.failed(f"{declared.address} is held by {_list(now)}")
        moved = "" if was == now else f", before the fault by {_list(was)}"
        return findings.judgement(f"{declared.address} is held by {_list(now)}{moved}")

    def _holders(
        self, findings: Findings, facts: SiteFacts, declared: VirtualAddress, *, after: bool
    ) -> tuple[list[str], bool]:
        """Who shows the address, and whether all were seen: one that was not may show it too."""
        read, found, all_seen = findings.after if after else findings.before, [], True
        for name in declared.held_by:
            cards = read(cards_of(facts, name), f"addresses of {name}")
            all_seen = all_seen and cards is not None
            shown = [plain(item) for items in (cards or {}).values() for item in items]
            if str(declared.address) in shown:
                found.append(name)
        return found, all_seen


def _list(names: list[str]) -> str:
    return " and ".join(names) or "nobody"


def virtual_addresses_held() -> VirtualAddressesHeld:
    """One of its holders, and only one, has each virtual address."""
    return VirtualAddressesHeld()
