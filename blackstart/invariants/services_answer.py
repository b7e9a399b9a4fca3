"""Every declared service answers again, within its budget: what a person would notice.

A container can run, and its guest be booted, while nothing answers at the service's own
address; only the probes of the service itself tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.invariants.recovering import longest, within_budget
from blackstart.model.quantities import format_duration
from blackstart.model.subjects import subject
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class ServicesAnswer:
    """The promise for every declared service."""

    name: str = "services-answer"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for each service, from what its probes saw."""
        services = evidence.inventory.services
        if not services:
            site = evidence.inventory.site
            return nothing_to_judge(self.name, site, "the inventory declares no service")
        return tuple(
            self._service(evidence, name, service.budget) for name, service in services.items()
        )

    def _service(self, evidence: Evidence, name: str, budget_s: float) -> Judgement:
        findings = Findings(self.name, name)
        seen = within_budget(findings, evidence, subject("service", name), budget_s)
        return findings.judgement(f"{longest(seen)}, budget {format_duration(budget_s)}")


def services_answer() -> ServicesAnswer:
    """Every declared service answers again in its budget."""
    return ServicesAnswer()
