"""MAAS imports its boot images: does its guest live through that, and DHCP with it?

An owner's hypervisor had promised more memory than it had; the import took what MAAS was
allowed, the kernel killed the whole guest, and nobody had an address any more. The import is
accepted also when nothing comes of it, so the proof is the guest's memory, which its hypervisor
sees grow, or an image that is no longer whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from blackstart.drivers.base import ImageSync, Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected
from blackstart.faults.base import Plan, Proof, Reversibility, by_hand
from blackstart.faults.memory import UNHEARD_S
from blackstart.faults.memory_look import (
    look_at_kernel,
    require_protected_sshd,
    starts_of_running,
)
from blackstart.faults.undoing import Undoing
from blackstart.model.inventory import FaultName

BITE_S = 180.0
"""Seconds for an import to be seen: MAAS hands it to a worker, which asks the mirror first."""
LEAST_GROWTH_MIB = 32
MIB = 1 << 20
QUIET_S = 30.0
"""So long must memory no longer grow before an import that is not seen counts as ended."""


@dataclass(frozen=True)
class BootImageSync(Undoing):
    """Import boot images on the MAAS that runs in the guest ``target``."""

    target: str
    name: FaultName = "image-sync"

    def plan(self, site: Site) -> Plan:
        """The undo starts whatever guest the hypervisor's kernel killed meanwhile.

        Raises ``Rejected`` when the guest is not MAAS', an import runs already, or the
        kernel might take the hypervisor's sshd; ``DriverError`` when MAAS does not answer.
        """
        declared, images = site.inventory.maas, _images(site)
        if declared is None or declared.guest != self.target:
            raise Rejected(f"{self.target} is not the guest that MAAS is declared to run in")
        if images.importing():
            raise Rejected("MAAS imports images already; wait until it has ended")
        node, guest = site.inventory.guests[self.target].node, site.inventory.guests[self.target]
        require_protected_sshd(site, node)
        starts = starts_of_running(site, node)
        kernel = look_at_kernel(site, node)
        return Plan(
            fault=self.name,
            target=self.target,
            reversibility=Reversibility.SELF_HEALING,
            blast_radius=tuple(site.inventory.guests_of(node)),
            rescue=(
                *(by_hand(site.inventory, node, start.command()) for start in starts),
                "# if the import goes on: maas ADMIN boot-resources stop-import",
            ),
            parameters={
                "bound_s": guest.budget,
                "started_by": "the harness, not by themselves",
            },
            prior={
                "memory": site.guests.vitals(self.target).memory,
                "incomplete": images.incomplete(),
                "boot_id": kernel.boot_id,
                "newest": kernel.newest,
            },
            undo=starts,
            undo_host=node,
            unheard_s=UNHEARD_S,
        )

    def inject(self, site: Site, plan: Plan) -> None:
        """Start the import, only while the dead-man guards the hypervisor.

        Raises ``DriverError`` when MAAS refused, or the dead-man has fired.
        """
        if plan.deadman is None:
            raise Rejected(f"{self.name} on {self.target}: no dead-man guards it")
        site.deadmen.renew(plan.deadman)
        _images(site).start_import()

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """An import, an image that is not whole, more memory, or the kernel's record of a kill."""
        last: list[str] = []

        def look() -> Proof | None:
            last.clear()
            for sign in (self._killed, self._grown, self._says):
                try:
                    seen, said = sign(site, plan)
                except DriverError as error:
                    seen, said = False, str(error)
                if seen:
                    return Proof(True, said)
                last.append(said)
            return None

        proof = wait_for(site.clock, look, bound_s=BITE_S)
        return proof or Proof(False, f"no import in {BITE_S:.0f} s: {'; '.join(last)}")

    def _killed(self, site: Site, plan: Plan) -> tuple[bool, str]:
        node = site.inventory.guests[self.target].node
        kernel = look_at_kernel(site, node)
        if kernel.boot_id != plan.prior["boot_id"]:
            return False, f"{node} has booted anew"
        vmid = site.inventory.guests[self.target].vmid
        new = (kill for kill in kernel.kills if kill.number > plan.prior["newest"])
        line = next((kill.line for kill in new if kill.vmid == vmid), None)
        if line is None:
            return False, f"the kernel of {node} killed nobody"
        return True, f"the kernel of {node} killed {self.target}: {line}"

    def _grown(self, site: Site, plan: Plan) -> tuple[bool, str]:
        before, now = int(plan.prior["memory"]), site.guests.vitals(self.target).memory
        said = f"memory of {self.target}: {before // MIB} MiB before, {now // MIB} MiB now"
        return now - before >= LEAST_GROWTH_MIB * MIB, said

    def _says(self, site: Site, plan: Plan) -> tuple[bool, str]:
        images = _images(site)
        if images.importing():
            return True, "MAAS says that it imports images"
        fresh = sorted({*images.incomplete()} - {*plan.prior["incomplete"]})
        if fresh:
            return True, f"MAAS has images that are not whole any more: {', '.join(fresh)}"
        return False, "MAAS says nothing of an import"

    def revert(self, site: Site, plan: Plan) -> None:
        """Start who was killed and end the import. Raises ``DriverError`` when a start failed.

        A MAAS that has just been started does not answer yet, and imports nothing: whether
        that is so is asked by the proof.
        """
        super().revert(site, plan)
        try:
            _images(site).stop_import()
        except DriverError:
            return

    def prove_reverted(self, site: Site, plan: Plan) -> Proof:
        """Every guest runs and nothing is imported, within the guest's budget.

        MAAS says so; or, while it does not answer, memory that no longer grows does.
        """
        proof = super().prove_reverted(site, plan)
        if not proof.holds:
            return proof
        quiet, bound_s, last = Quiet(site, self.target), float(plan.parameters["bound_s"]), ""

        def look() -> str | None:
            nonlocal last
            try:
                _images(site).stop_import()
                last = "MAAS says that it imports images"
                return None if _images(site).importing() else "MAAS imports nothing"
            except DriverError as error:
                last = str(error)
            said = f"memory of {self.target} has not grown for {QUIET_S:.0f} s ({last})"
            return said if quiet() else None

        seen = wait_for(site.clock, look, bound_s=bound_s)
        if seen is None:
            return Proof(False, f"whether the import has ended is not known: {last}")
        return Proof(True, f"{proof.detail}; {seen}")


@dataclass
class Quiet:
    """Whether a guest's memory, as its hypervisor sees it, has not grown for 30 s."""

    site: Site
    guest: str
    _most: int = 0
    _grew_at: float | None = field(default=None)

    def __call__(self) -> bool:
        """One look; what cannot be asked is not quiet, and what is off is."""
        try:
            vitals = self.site.guests.vitals(self.guest)
        except DriverError:
            return False
        now = self.site.clock.monotonic()
        if self._grew_at is None or vitals.memory > self._most + MIB:
            self._most, self._grew_at = vitals.memory, now
        return not vitals.running or now - self._grew_at >= QUIET_S


@dataclass
class ImportEnd:
    """Whether an import has ended, asked again and again while a drill holds.

    MAAS may never be seen to import. So it has ended when its guest is off, or when memory is
    quiet, MAAS says no and every image is as whole as before.
    """

    site: Site
    plan: Plan
    _quiet: Quiet = field(init=False)

    def __post_init__(self) -> None:
        self._quiet = Quiet(self.site, self.plan.target)

    def __call__(self) -> bool:
        """One look; what cannot be asked has not ended."""
        quiet, images = self._quiet(), _images(self.site)
        try:
            if not self.site.guests.vitals(self.plan.target).running:
                return True
            whole = {*images.incomplete()} <= {*self.plan.prior["incomplete"]}
            return quiet and whole and not images.importing()
        except DriverError:
            return False


def _images(site: Site) -> ImageSync:
    if site.images is None:
        raise Rejected("the inventory declares no MAAS (`maas:`)")
    return site.images


def sync_images(guest: str) -> BootImageSync:
    """An import of boot images on the MAAS in a guest."""
    return BootImageSync(guest)
