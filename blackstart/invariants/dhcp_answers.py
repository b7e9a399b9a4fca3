"""Every declared DHCP server offers addresses again within its budget, and nobody else does.

Two servers that do not know of each other give one address twice, or each its own half of the
site; so that there is one is a promise as much as that it answers. Where the inventory allows
it (``lease: true``), a lease was also really given and renewed: an offer binds a server to
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.invariants.recovering import longest, within_budget
from blackstart.model.addressing import DhcpServer
from blackstart.model.quantities import format_duration
from blackstart.model.subjects import subject
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class DhcpAnswers:
    """The promise for every declared DHCP server."""

    name: str = "dhcp-answers"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each server."""
        servers = evidence.inventory.dhcp
        if not servers:
            site = evidence.inventory.site
            return nothing_to_judge(self.name, site, "the inventory declares no DHCP server")
        return tuple(self._server(evidence, name, server) for name, server in servers.items())

    def _server(self, evidence: Evidence, name: str, server: DhcpServer) -> Judgement:
        findings = Findings(self.name, name)
        declared = {
            str(item.address)
            for item in evidence.inventory.dhcp.values()
            if item.interface == server.interface
        }
        self._before(findings, evidence, server, declared)
        seen = evidence.after.offers.get(server.interface)
        offers = findings.after(seen, f"offers on {server.interface}")
        if offers is not None and seen is not None:
            if str(server.address) not in offers:
                findings.failed(f"{server.address} offers no address ({seen.source})")
            for stranger in sorted({*offers} - declared):
                findings.failed(f"{stranger} offers addresses, undeclared ({seen.source})")
        if server.lease:
            self._lease(findings, evidence, name, server)
        answered = within_budget(findings, evidence, subject("dhcp", name), server.budget)
        budget = format_duration(server.budget)
        does = "offers, gives and renews leases" if server.lease else "offers"
        return findings.judgement(
            f"{does}, and nobody undeclared; {longest(answered)}, budget {budget}"
        )

    def _lease(self, findings: Findings, evidence: Evidence, name: str, server: DhcpServer) -> None:
        was = findings.before(evidence.before.leases.get(name), f"lease of {name}")
        if was is not None and was.refused is not None:
            findings.ill_before(f"{server.address} before the fault: {was.refused}")
        seen = evidence.after.leases.get(name)
        now = findings.after(seen, f"lease of {name}")
        if now is not None and seen is not None and now.refused is not None:
            findings.failed(f"{server.address} {now.refused} ({seen.source})")

    def _before(
        self, findings: Findings, evidence: Evidence, server: DhcpServer, declared: set[str]
    ) -> None:
        was = findings.before(
            evidence.before.offers.get(server.interface), f"offers on {server.interface}"
        )
        if was is None:
            return
        if str(server.address) not in was:
            findings.ill_before(f"{server.address} offered no address before the fault")
        for stranger in sorted({*was} - declared):
            findings.ill_before(f"{stranger} offered addresses before the fault, undeclared")


def dhcp_answers() -> DhcpAnswers:
    """Every declared DHCP server offers (and gives) again in its budget, and no other does."""
    return DhcpAnswers()
