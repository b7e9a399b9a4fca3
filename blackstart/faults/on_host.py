"""Faults that are changes on one host: planned, guarded by a dead-man, undone by data.

A family says which changes it makes and how it sees that they bit; the rest is the same
for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from blackstart.drivers.base import Site
from blackstart.errors import Rejected
from blackstart.faults.base import Plan, Proof, Reversibility, by_hand
from blackstart.faults.undoing import Undoing
from blackstart.model.changes import CHANGES, Change, undo_of
from blackstart.model.deadman import FIRED
from blackstart.model.inventory import FaultName

CHANGE_TIMEOUT_S = 60.0
LOOK_TIMEOUT_S = 15.0


class HostFault(Undoing, ABC):
    """A fault on the host ``host`` (the target itself, unless a family says otherwise)."""

    target: str
    name: FaultName
    reversibility: Reversibility = Reversibility.REVERSIBLE

    @abstractmethod
    def changes(self, site: Site) -> tuple[Change, ...]:
        """What it does to the host. May ask the host. Raises ``DriverError``."""

    @abstractmethod
    def blast_radius(self, site: Site) -> tuple[str, ...]:
        """The names of everything that is expected to go down."""

    @abstractmethod
    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """Whether it bit."""

    def host(self, site: Site) -> str:
        """Where the changes are made."""
        return self.target

    def prior(self, site: Site) -> Mapping[str, Any]:
        """What must be remembered to see that it bit. Raises ``DriverError``."""
        return {}

    def plan(self, site: Site) -> Plan:
        """Ask the host whether every change is possible; touches nothing.

        Raises ``Rejected`` when one is not: its undo would not lead back to today.
        """
        host, changes = self.host(site), self.changes(site)
        for change in changes:
            if not site.runner.run(host, change.possible(), timeout_s=LOOK_TIMEOUT_S).ok:
                raise Rejected(
                    f"{host}: {self.name} is not possible as it is now ({change.possible()})"
                )
        undo = undo_of(changes)
        return Plan(
            fault=self.name,
            target=self.target,
            reversibility=self.reversibility,
            blast_radius=self.blast_radius(site),
            rescue=tuple(
                by_hand(site.inventory, action.on(host), action.command()) for action in undo
            ),
            parameters={"changes": [change.model_dump() for change in changes]},
            prior=self.prior(site),
            undo=undo,
            undo_host=host,
        )

    def inject(self, site: Site, plan: Plan) -> None:
        """Make every change, each only while the dead-man guards it.

        Raises ``Rejected`` when a command failed or the dead-man has fired.
        """
        if plan.deadman is None:
            raise Rejected(f"{self.name} on {self.target}: no dead-man guards it")
        for change in CHANGES.validate_python(plan.parameters["changes"]):
            command = plan.deadman.guarding(change.command())
            result = site.runner.run(plan.deadman.host, command, timeout_s=CHANGE_TIMEOUT_S)
            if result.exit_code == FIRED:
                raise Rejected(f"{plan.deadman.host}: the dead-man has fired before its time")
            if not result.ok:
                said = result.stderr.strip() or f"exit {result.exit_code}"
                raise Rejected(f"{plan.deadman.host}: {change.kind} failed: {said}")
