"""Reboot a node: gracefully, or by cutting its power.

The proof is the boot id (random(4): new at every boot): a command that was accepted
and did nothing leaves it as it was. A power cut is one command to the management
controller that also switches on again, so that no harness has to be alive for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable
from blackstart.faults.base import Plan, Proof, Reversibility, by_hand
from blackstart.model.inventory import FaultName

LOOK = "cat /proc/sys/kernel/random/boot_id; systemctl is-system-running"
COMMAND_TIMEOUT_S = 10.0
BITE_WINDOW_S = 30.0
"""Seconds after which a node that runs on, untouched, has plainly not been rebooted."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A node seen by ssh: which boot, and the state systemd is in (systemctl(1))."""

    boot_id: str
    state: str

    @property
    def settled(self) -> bool:
        """Whether the boot has ended: ``degraded`` has, ``starting`` has not."""
        return self.state in {"running", "degraded"}


def look_at(site: Site, node: str) -> Sighting:
    """What a node shows now. Raises ``DriverError`` when it cannot be read."""
    result = site.runner.run(node, LOOK, timeout_s=COMMAND_TIMEOUT_S)
    lines = result.stdout.split()
    if len(lines) != 2:
        raise Rejected(f"{node}: {LOOK!r} exited {result.exit_code}: {result.stderr.strip()}")
    return Sighting(boot_id=lines[0], state=lines[1])


@dataclass(frozen=True, slots=True)
class Reboot:
    """Reboot ``target``. ``power_cut`` cuts the power in place of asking systemd."""

    target: str
    power_cut: bool = False

    @property
    def name(self) -> FaultName:
        """``reboot`` or ``power-cut``: each needs its own consent."""
        return "power-cut" if self.power_cut else "reboot"

    def plan(self, site: Site) -> Plan:
        """Remember the boot id, so that a reboot can be told from a swallowed command."""
        node = site.inventory.nodes[self.target]
        return Plan(
            fault=self.name,
            target=self.target,
            reversibility=Reversibility.SELF_HEALING,
            blast_radius=(self.target, *site.inventory.guests_of(self.target)),
            rescue=(
                by_hand(site.inventory, self.target, "systemctl --failed; journalctl -b -p err"),
                f"# if {self.target} stays away, switch it on at its management controller",
            ),
            needs_out_of_band=self.power_cut,
            nodes_down=(self.target,),
            parameters={"boot_budget_s": node.boot_budget},
            prior={"boot_id": look_at(site, self.target).boot_id},
        )

    def inject(self, site: Site, plan: Plan) -> None:
        """Send the one command. The connection breaking under it is expected."""
        if self.power_cut:
            site.power.power_cycle(self.target)
            return
        # --no-block: the answer must not depend on how far the shutdown gets.
        command = "systemctl reboot --no-block"
        try:
            result = site.runner.run(self.target, command, timeout_s=COMMAND_TIMEOUT_S)
        except (Unreachable, TimedOut):
            return
        if not result.ok:
            raise Rejected(f"{self.target}: {command!r} failed: {result.stderr.strip()}")

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """Wait for another boot id, within the node's boot budget (seconds).

        A node that still answers with the old one, and is not shutting down, after
        the bite window has not been touched: no use in waiting longer.
        """
        before = plan.prior["boot_id"]
        began = site.clock.monotonic()
        last = "it is shutting down"

        def look() -> Proof | None:
            nonlocal last
            try:
                seen = look_at(site, self.target)
            except DriverError as error:
                site.runner.forget(self.target)
                last = f"it cannot be asked: {error}"
                return None
            if seen.boot_id != before:
                return Proof(True, f"boot id {before} became {seen.boot_id}")
            if seen.state != "stopping" and site.clock.monotonic() - began > BITE_WINDOW_S:
                return Proof(
                    False,
                    f"{self.target} runs on with boot id {before} "
                    f"{BITE_WINDOW_S:.0f} s after the {self.name}",
                )
            return None

        bound = float(plan.parameters["boot_budget_s"])
        proof = wait_for(site.clock, look, bound_s=bound)
        return proof or Proof(
            False, f"{self.target} showed no new boot within {bound:.0f} s ({last})"
        )

    def revert(self, site: Site, plan: Plan) -> None:
        """Nothing to undo: a reboot ends by itself or it has failed, which must be seen."""

    def prove_reverted(self, site: Site, plan: Plan) -> Proof:
        """The node answers and its boot has ended, within its boot budget (seconds)."""
        bound = float(plan.parameters["boot_budget_s"])
        last = "no answer"

        def look() -> Sighting | None:
            nonlocal last
            try:
                seen = look_at(site, self.target)
            except DriverError as error:
                site.runner.forget(self.target)
                last = str(error)
                return None
            last = f"systemd says {seen.state}"
            return seen if seen.settled else None

        seen = wait_for(site.clock, look, bound_s=bound)
        if seen is None:
            return Proof(False, f"{self.target} had not ended its boot after {bound:.0f} s: {last}")
        return Proof(True, f"{self.target} has ended its boot: {seen.state}")


def reboot(node: str) -> Reboot:
    """A graceful reboot of a node."""
    return Reboot(node)


def power_cut(node: str) -> Reboot:
    """A power cut of a node, restored by its management controller."""
    return Reboot(node, power_cut=True)
