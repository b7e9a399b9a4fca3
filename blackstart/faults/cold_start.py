"""Whole-site cold start: every machine loses its power and gets it back, storage last.

Nothing on a target can undo this: while it lasts there is no target. So it has a witness
outside of them: each machine's own controller, told in one command to cut the power and to
restore it by its own timer; where a controller has no timer, a person who attends, and the
harness sends the second command. Storage comes last because that is the worst order: every
hypervisor boots, and wants its mounts, while the storage is still dark.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected
from blackstart.faults.base import Plan, Proof, Reversibility
from blackstart.faults.dark import POLL_S, Dark
from blackstart.faults.reboot import Sighting, look_at
from blackstart.model.inventory import FaultName, Inventory, NfsMount
from blackstart.model.subjects import subject


@dataclass(slots=True)
class ColdStart:
    """Every machine of the site ``target`` at once.

    All are without power for ``off_s`` seconds, storage for ``nas_later_s`` more.
    ``switched_on`` are the machines that this process had to switch on.
    """

    target: str
    off_s: float = 30.0
    nas_later_s: float = 120.0
    switched_on: set[str] = field(default_factory=set, init=False)

    @property
    def name(self) -> FaultName:
        """``cold-start``; every single machine consents to it."""
        return "cold-start"

    def plan(self, site: Site) -> Plan:
        """Remember every boot id, and ask every controller what would switch it on again.

        Raises ``DriverError`` when a machine cannot be read now. A machine that nothing
        could switch on again is written down: the guard refuses for it.
        """
        inventory, machines = site.inventory, in_order(site.inventory)
        back_on_by, unwitnessed = _witnesses(site, machines)
        held = all(by == "timer" for by in back_on_by.values()) and not unwitnessed
        return Plan(
            fault=self.name,
            target=self.target,
            reversibility=Reversibility.SELF_HEALING if held else Reversibility.IRREVERSIBLE,
            blast_radius=(*machines, *inventory.guests, *_mounts(inventory)),
            rescue=tuple(_on_by_hand(inventory, host) for host in reversed(machines)),
            needs_out_of_band=True,
            nodes_down=machines,
            consents=machines,
            parameters={
                "off_s": {host: self._off_s(inventory, host) for host in machines},
                "boot_budget_s": {host: inventory.nodes[host].boot_budget for host in machines},
                "back_on_by": back_on_by,
                "unwitnessed": unwitnessed,
            },
            prior={
                "boot_id": {host: look_at(site, host).boot_id for host in machines},
                "restore_policy": {host: _restore_policy(site, host) for host in machines},
            },
            off_s=self.off_s,
            later_s=self._later_s(inventory),
        )

    def _off_s(self, inventory: Inventory, host: str) -> float:
        return self.off_s + (self.nas_later_s if _is_storage(inventory, host) else 0.0)

    def _later_s(self, inventory: Inventory) -> Mapping[str, float]:
        """What is kept down for longer than the rest, on purpose: storage and its mounts."""
        stores = [host for host in inventory.nodes if _is_storage(inventory, host)]
        late = [subject("node", host) for host in stores]
        late += [name for name, mount in _mounts(inventory).items() if mount.server in stores]
        return dict.fromkeys(late, self.nas_later_s)

    def inject(self, site: Site, plan: Plan) -> None:
        """One command a machine, each complete in itself.

        Whoever dies between two of them leaves machines that come back by their timers and
        machines that never went. Raises ``DriverError`` when a command failed, and
        ``Rejected`` when they took so long that never were all machines dark at once.
        """
        if plan.parameters["unwitnessed"]:
            raise Rejected(f"no witness for {', '.join(plan.parameters['unwitnessed'])}")
        began = site.clock.monotonic()
        off_s: Mapping[str, float] = plan.parameters["off_s"]
        for host in plan.nodes_down:
            if plan.parameters["back_on_by"][host] == "timer":
                site.power.off_for(host, off_s[host])
            else:
                site.power.off(host)
        took_s = site.clock.monotonic() - began
        if took_s >= min(off_s.values()):
            raise Rejected(
                f"switching everything off took {took_s:.0f} s: the first machine was back "
                "before the last one went, which is no cold start"
            )

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """Every machine was dark and shows another boot id, in its time without power plus
        its boot budget (seconds). Whoever did not bite is named.
        """
        return Dark(site, plan, self.switched_on).proof()

    def revert(self, site: Site, plan: Plan) -> None:
        """Switch on what is still off, storage first: the one thing of ours that can remain.

        One machine that fails never stops the next. Raises ``Rejected`` with all that failed.
        """
        wrong: list[str] = []
        for host in reversed(plan.nodes_down):
            try:
                if site.power.state(host) == "off":
                    site.power.power_on(host)
                    self.switched_on.add(host)
            except DriverError as error:
                wrong.append(str(error))
        if wrong:
            raise Rejected("; ".join(wrong))

    def prove_reverted(self, site: Site, plan: Plan) -> Proof:
        """Every controller says on, and every boot has ended, in the longest boot budget (s)."""
        booted: dict[str, Sighting] = {}
        waits: dict[str, str] = {}

        def look() -> tuple[()] | None:
            for host in plan.nodes_down:
                if host in booted:
                    continue
                try:
                    power, seen = site.power.state(host), look_at(site, host)
                except DriverError as error:
                    site.runner.forget(host)
                    waits[host] = str(error)
                    continue
                waits[host] = f"{host}: power {power}, systemd says {seen.state}"
                if power == "on" and seen.settled:
                    booted[host] = seen
            return () if len(booted) == len(plan.nodes_down) else None

        bound = max(plan.parameters["boot_budget_s"].values())
        if wait_for(site.clock, look, bound_s=bound, poll_s=POLL_S) is None:
            left = "; ".join(waits[host] for host in plan.nodes_down if host not in booted)
            return Proof(False, f"not every boot had ended after {bound:.0f} s: {left}")
        return Proof(True, f"every machine is on and has booted; {self._by_whom(plan, booted)}")

    def _by_whom(self, plan: Plan, booted: Mapping[str, Sighting]) -> str:
        """What came back by itself, and what did not: nobody should take one for the other."""
        by: dict[str, list[str]] = {}
        for host in plan.nodes_down:
            if booted[host].boot_id == plan.prior["boot_id"][host]:
                how = "never went down"
            elif host in self.switched_on:
                how = "switched on by the harness, not by itself"
            elif plan.parameters["back_on_by"][host] == "timer":
                how = "switched on by its controller's timer, as ordered"
            else:
                how = "switched on by somebody else"
            by.setdefault(how, []).append(host)
        said = [f"{how}: {', '.join(hosts)}" for how, hosts in by.items()]
        policies = ", ".join(f"{host} {it}" for host, it in plan.prior["restore_policy"].items())
        said.append(f"not tested is whether mains alone would do it (restore policy: {policies})")
        return "; ".join(said)


def _is_storage(inventory: Inventory, host: str) -> bool:
    return inventory.nodes[host].role == "nas"


def _mounts(inventory: Inventory) -> dict[str, NfsMount]:
    return {subject("mount", name): mount for name, mount in inventory.mounts.items()}


def in_order(inventory: Inventory) -> tuple[str, ...]:
    """All machines, storage last, otherwise as declared."""
    return tuple(sorted(inventory.nodes, key=lambda host: _is_storage(inventory, host)))


def _witnesses(site: Site, machines: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """What would switch each machine on again; and why nothing would, where that is so."""
    back_on_by: dict[str, str] = {}
    unwitnessed: dict[str, str] = {}
    for host in machines:
        try:
            back_on_by[host] = site.power.back_on_by(host)
        except DriverError as error:
            unwitnessed[host] = str(error)
    return back_on_by, unwitnessed


def _restore_policy(site: Site, host: str) -> str:
    try:
        return site.power.restore_policy(host)
    except DriverError:
        return "unknown"


def _on_by_hand(inventory: Inventory, host: str) -> str:
    """How a person switches a machine on, whether or not we are alive. Asks for the password."""
    access = inventory.nodes[host].out_of_band
    if inventory.rack is not None:
        return f"blackstart rack power {host} on"
    if access is None:
        return f"# press the power button of {host}"
    path = posixpath.join("/redfish/v1/Systems", access.system)  # or the whole path it is
    url = f"{access.url.rstrip('/')}{path}/Actions/ComputerSystem.Reset"
    kind, _, file = (access.ca or "").partition(":")
    words = ["curl", "--user", access.user, *(["--cacert", file] if kind == "file" else [])]
    words += ["--json", '{"ResetType": "On"}', url]
    return shlex.join(words)


def cold_start(site: str, *, off_s: float = 30.0, nas_later_s: float = 120.0) -> ColdStart:
    """A cold start of a whole site, by its name; times in seconds."""
    return ColdStart(site, off_s, nas_later_s)
