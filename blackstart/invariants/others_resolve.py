"""While one name server is away, every other one answers every declared name.

That all of them answer afterwards is ``names-resolve``. A household notices the time between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.invariants.recovering import longest, within_budget
from blackstart.model.inventory import Dns, NameServer
from blackstart.model.quantities import format_duration
from blackstart.model.subjects import subject
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class OthersResolve:
    """The promise for every name server that does not run on what was broken."""

    name: str = "others-resolve"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each other server, of the time in which the fault was held."""
        dns = evidence.inventory.dns
        servers = dns.servers if dns is not None else {}
        others = {name: it for name, it in servers.items() if it.guest != evidence.target}
        if dns is None or not others or not dns.names:
            reason = f"no name server is declared beside {evidence.target}, or no name to ask for"
            return nothing_to_judge(self.name, evidence.inventory.site, reason)
        if evidence.withheld_s <= 0:
            return nothing_to_judge(self.name, evidence.target, "the fault was held for no time")
        return tuple(self._server(evidence, dns, name, it) for name, it in others.items())

    def _server(self, evidence: Evidence, dns: Dns, name: str, server: NameServer) -> Judgement:
        findings, asked = Findings(self.name, name), subject("dns", name)
        ended_at = evidence.began_at + evidence.withheld_s
        held = replace(evidence, ended_at=ended_at, withheld_s=0.0, later_s={})
        seen = within_budget(findings, held, asked, server.budget)
        samples = [
            sample
            for series in evidence.during
            for sample in series.samples
            if series.subject == asked and evidence.began_at <= sample.at <= ended_at
        ]
        # Names are asked in turn, so that so many answers are one for each.
        if len(samples) < len(dns.names):
            findings.unproven(
                f"{name} was asked {len(samples)} times in {format_duration(evidence.withheld_s)}, "
                f"and {len(dns.names)} names are declared; hold the fault for longer"
            )
        budget = format_duration(server.budget)
        good = f"{len(dns.names)} names resolved meanwhile; {longest(seen)}, budget {budget}"
        return findings.judgement(good)


def others_resolve() -> OthersResolve:
    """While the target is away, every other name server answers, within its budget."""
    return OthersResolve()
