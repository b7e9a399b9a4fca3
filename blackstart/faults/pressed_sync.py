"""MAAS imports its boot images while its hypervisor's memory is short.

Guests were promised more than there is, and that goes well until one of them takes its share. So
memory is filled first, as in ``memory_share``, and then the import begins; both are undone
on the hypervisor, which has to consent as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from blackstart.drivers.base import Site
from blackstart.errors import Rejected
from blackstart.faults.base import Plan
from blackstart.faults.image_sync import BootImageSync
from blackstart.faults.memory import MemoryShare, memory_share


@dataclass(frozen=True)
class PressedImageSync(BootImageSync):
    """Raise what is in use on the hypervisor to ``share`` (as ``"75%"``), then import."""

    share: str = "75%"

    def plan(self, site: Site) -> Plan:
        """The undo ends the writer and frees the memory before anybody is started.

        Raises ``Rejected`` when so much is in use already, and as the import alone.
        """
        plan, pressing = super().plan(site), self._pressing(site)
        filled = pressing.plan(site)
        return replace(
            plan,
            consents=(self.target, pressing.target),
            blast_radius=(pressing.target, *plan.blast_radius),
            undo=(*filled.undo, *plan.undo),
            rescue=(*filled.rescue, *plan.rescue),
            parameters={**plan.parameters, **filled.parameters, "share": self.share},
            prior={**plan.prior, **filled.prior},
        )

    def inject(self, site: Site, plan: Plan) -> None:
        """Fill, see it filled, and begin the import. Raises ``DriverError`` when one failed."""
        pressing = self._pressing(site)
        pressing.inject(site, plan)
        proof = pressing.prove_active(site, plan)
        if not proof.holds:
            raise Rejected(f"memory is not short, so no import was begun: {proof.detail}")
        super().inject(site, plan)

    def _pressing(self, site: Site) -> MemoryShare:
        return memory_share(site.inventory.guests[self.target].node, self.share)


def sync_images_pressed(guest: str, share: str) -> PressedImageSync:
    """An import of boot images with a share (as ``"75%"``) of its hypervisor's memory in use."""
    return PressedImageSync(guest, share=share)
