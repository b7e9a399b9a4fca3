"""What runs of a rack on this host."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from typing import Any

from blackstart.model.drift_mark import MARK, look_for
from blackstart.rack import client, record, ssh
from blackstart.rack.errors import HostError, RackError
from blackstart.rack.record import Record
from blackstart.rack.topology import TOPOLOGIES, Guest, Machine

DRIFT_S = 15.0


@dataclass(frozen=True, slots=True)
class Status:
    """One look at the rack; ``machines`` is empty when the controller does not answer.

    ``drift`` is that of an incident which is applied, ``drift_unread`` why nobody knows.
    """

    record: Record | None
    machines: dict[str, dict[str, Any]]
    kvm: bool
    problem: str
    drift: str = ""
    drift_unread: str = ""

    @property
    def healthy(self) -> bool:
        """Up, ready, every machine switched on, and no drift known to be applied."""
        if self.drift:
            return False
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
            "drift": self.drift or None,
            "drift_unread": self.drift_unread or None,
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
        if self.drift:
            lines.append(f"the drift {self.drift} is applied; run: blackstart rack reset")
        if self.drift_unread:
            lines.append(f"whether a drift is applied is not known: {self.drift_unread}")
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


def look_for_drift(now: Status) -> Status:
    """The same, and whether an incident's drift is applied, within 15 s.

    Never raises for a rack that is ill. The mark is on the last machine, which is asked when the
    rack is ready and that one on.
    """
    entry = now.record
    if entry is None:
        return now
    keeper = TOPOLOGIES[entry.topology].machines[-1]
    power = now.machines.get(keeper.name, {}).get("power", "not known")
    if entry.phase != "ready" or power != "On":
        why = f"the rack is {entry.phase}, the power of {keeper.name} {power}"
        return replace(now, drift_unread=why)
    try:
        done = ssh.run(entry.files(), keeper.address, look_for(MARK), timeout=DRIFT_S)
    except subprocess.TimeoutExpired:
        return replace(now, drift_unread=f"{keeper.name} gave no answer within {DRIFT_S:.0f} s")
    if done.returncode != 0:
        return replace(now, drift_unread=f"{keeper.name}: {done.stderr.strip()}")
    return replace(now, drift=done.stdout.strip())


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
