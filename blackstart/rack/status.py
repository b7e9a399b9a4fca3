"""What runs of a rack on this host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blackstart.rack import client, record
from blackstart.rack.errors import HostError, RackError
from blackstart.rack.record import Record
from blackstart.rack.topology import TOPOLOGIES, Guest, Machine


@dataclass(frozen=True, slots=True)
class Status:
    """One look at the rack; ``machines`` is empty when the controller does not answer."""

    record: Record | None
    machines: dict[str, dict[str, Any]]
    kvm: bool
    problem: str

    @property
    def healthy(self) -> bool:
        """Up, ready, and every machine switched on."""
        on = [machine["power"] == "On" for machine in self.machines.values()]
        return self.record is not None and self.record.phase == "ready" and bool(on) and all(on)

    def as_json(self) -> dict[str, Any]:
        """For programs; keys are stable."""
        entry = self.record
        return {
            "up": entry is not None and entry.alive,
            "healthy": self.healthy,
            "phase": entry.phase if entry else "down",
            "topology": entry.topology if entry else None,
            "clone": entry.clone if entry else None,
            "home": entry.home if entry else None,
            "saved": entry is not None and entry.files().saved.exists(),
            "kvm": self.kvm,
            "machines": self.machines,
            "problem": self.problem or None,
        }

    def as_text(self) -> str:
        """For a person."""
        if self.record is None:
            return "no rack is up"
        lines = [f"rack '{self.record.topology}' of {self.record.clone}: {self.record.phase}"]
        lines += [
            f"  {name:6} {machine['power']:3}  {machine['address']:12} {machine['bmc']}"
            for name, machine in self.machines.items()
        ]
        return "\n".join([*lines, self.problem] if self.problem else lines)


def observe() -> Status:
    """Ask the record and the controller; never raises for a rack that is ill."""
    entry = record.read()
    if entry is None:
        return Status(None, {}, kvm=False, problem="")
    try:
        answer = client.call("GET", "/")
    except RackError as error:
        return Status(entry, {}, kvm=False, problem=str(error))
    machines = {
        machine.name: {
            **answer["machines"][machine.name],
            "address": str(machine.address),
            "bmc": f"https://{machine.bmc_address}/redfish/v1/",
        }
        for machine in TOPOLOGIES[entry.topology].machines
    }
    return Status(entry, machines, kvm=bool(answer["kvm"]), problem="")


def running_host(name: str) -> tuple[Record, Machine, Guest | None]:
    """The running rack's record, and the machine of that name or of that guest.

    Raises `HostError` when no rack is up or it has no such machine or guest.
    """
    entry = record.read()
    if entry is None or not entry.alive:
        raise HostError("no rack is up", "blackstart rack up")
    topology = TOPOLOGIES[entry.topology]
    for machine in topology.machines:
        if machine.name == name:
            return entry, machine, None
        for guest in topology.guests_of(machine.name):
            if guest.name == name:
                return entry, machine, guest
    known = [machine.name for machine in topology.machines]
    names = ", ".join([*known, *(guest.name for guest in topology.guests)])
    raise HostError(f"the rack has no machine or guest '{name}'", f"one of: {names}")
