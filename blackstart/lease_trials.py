"""Leases are tried before a fault and after it, and in no other snapshot: it is no mere look."""

from __future__ import annotations

from blackstart.drill_log import DrillLog
from blackstart.drivers.base import Site
from blackstart.model.facts import SiteFacts


def with_leases(site: Site, log: DrillLog, facts: SiteFacts) -> SiteFacts:
    """The same facts, and what came of a lease from every DHCP server that allows it."""
    servers = [name for name, server in site.inventory.dhcp.items() if server.lease]
    if not servers:
        return facts
    log.journal.write("leases.trying", servers=servers)
    tried = dict(site.leases())
    said = {
        name: trial.error or (trial.value.refused if trial.value else None) or "given and renewed"
        for name, trial in tried.items()
    }
    log.journal.write("leases.tried", said=said)
    for name, text in said.items():
        log.note(f"lease of {name}: {text}")
    return facts.model_copy(update={"leases": tried})
