"""Every declared server gives every declared name exactly its declared addresses.

Each server is asked for each name: a secondary that serves yesterday's zone, or a
primary that refused today's, hides behind the other one otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.invariants.recovering import longest, within_budget
from blackstart.model.facts import Observed, SiteFacts
from blackstart.model.inventory import Dns, NameServer
from blackstart.model.quantities import format_duration
from blackstart.model.subjects import subject
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class NamesResolve:
    """The promise for all servers and all names of the site."""

    name: str = "names-resolve"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each server, naming every name that fails there."""
        dns = evidence.inventory.dns
        if dns is None or not dns.servers or not dns.names:
            site = evidence.inventory.site
            reason = "the inventory declares no DNS server, or no name to ask for"
            return nothing_to_judge(self.name, site, reason)
        return tuple(
            self._server(evidence, dns, name, server) for name, server in dns.servers.items()
        )

    def _server(self, evidence: Evidence, dns: Dns, name: str, server: NameServer) -> Judgement:
        findings = Findings(self.name, name)
        for asked, declared in dns.names.items():
            addresses = {str(address) for address in declared.addresses}
            self._name(findings, evidence, (name, asked), addresses)
        seen = within_budget(findings, evidence, subject("dns", name), server.budget)
        budget = format_duration(server.budget)
        return findings.judgement(
            f"{len(dns.names)} names resolve; {longest(seen)}, budget {budget}"
        )

    def _name(
        self, findings: Findings, evidence: Evidence, asked: tuple[str, str], right: set[str]
    ) -> None:
        server, name = asked
        was_seen = _answer(evidence.before, server, name)
        was = was_seen.value if was_seen is not None and was_seen.known else None
        if was_seen is None or was is None:
            why = was_seen.error if was_seen is not None else "nobody asked"
            findings.unproven(f"answer of {server} to {name} before the fault not seen: {why}")
        elif set(was) != right:
            findings.unproven(
                f"{server} gave {name} {_list(was)} before the fault already; "
                f"declared {_list(right)}"
            )
            return
        seen = _answer(evidence.after, server, name)
        now = findings.after(seen, f"answer of {server} to {name}")
        if seen is not None and now is not None and set(now) != right:
            before = _list(was) if was is not None else "not known"
            findings.failed(
                f"{server} gives {name} {_list(now)} ({seen.source}); before the fault {before}"
            )


def _answer(facts: SiteFacts, server: str, name: str) -> Observed[tuple[str, ...]] | None:
    return facts.names.get(f"{server}/{name}")


def _list(addresses: set[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(addresses)) or "no address"


def names_resolve() -> NamesResolve:
    """Every declared name resolves at every declared server, as declared."""
    return NamesResolve()
