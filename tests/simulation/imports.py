"""An import of boot images by a simulated MAAS: it takes memory for a while, or too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from blackstart.errors import Rejected, Unreachable

if TYPE_CHECKING:
    from .world import World

TAKES_S, KILLED_AFTER_S = 40.0, 12.0
MOST_MIB, IDLE_MIB = 900, 300


@dataclass
class Import:
    """``began_at`` in the world's seconds while it runs; ``whole`` unless it was cut short."""

    guest: str | None
    began_at: float | None = None
    whole: bool = True

    def tick(self, world: World) -> None:
        if self.began_at is None or self.guest is None:
            return
        ran_s = world.clock.now - self.began_at
        if not world.guest_up(self.guest):
            self.began_at = None
        elif self._too_much(world) and ran_s >= KILLED_AFTER_S:
            self.began_at = None
            world.kill_guest(self.guest)
        elif ran_s >= TAKES_S:
            self.began_at, self.whole = None, True

    def _too_much(self, world: World) -> bool:
        """Whether its hypervisor has less than the import takes."""
        assert self.guest is not None
        host = world.hosts[world.guests[self.guest].node]
        return world.lies.import_kills or host.available_mib < MOST_MIB

    def memory_mib(self, now: float) -> int:
        """What MAAS' guest uses."""
        grown = 0.0 if self.began_at is None else (now - self.began_at) / TAKES_S
        return IDLE_MIB + round(min(grown, 1.0) * MOST_MIB)


@dataclass
class SimulatedImages:
    """``ImageSync`` of the MAAS of a world."""

    world: World

    def start_import(self) -> None:
        self._ask()
        if not self.world.lies.import_swallowed:
            self.world.bitten.append("import")
            self.world.image_import.began_at = self.world.clock.now
            self.world.image_import.whole = False

    def stop_import(self) -> None:
        self._ask()
        self.world.image_import.began_at = None

    def importing(self) -> bool:
        self._ask()
        return False  # a lock that may never be seen held

    def incomplete(self) -> tuple[str, ...]:
        self._ask()
        return () if self.world.image_import.whole else ("ubuntu/noble amd64",)

    def _ask(self) -> None:
        world, guest = self.world, self.world.image_import.guest
        for reason, (begins, ends) in world.lies.maas_refuses.items():
            if begins <= world.elapsed < ends:
                raise Rejected(reason)
        if guest is not None and not world.pings(guest):
            raise Unreachable("MAAS: Connection refused")
