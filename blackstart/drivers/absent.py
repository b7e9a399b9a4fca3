"""What stands in for a hypervisor's API where the inventory declares none: it knows nothing."""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.errors import Rejected
from blackstart.model.circumstances import HighAvailability, Memory, RunningTask, Store, Vitals
from blackstart.model.facts import GuestFacts, Observed, unread
from blackstart.model.inventory import Guest

WHY = "the inventory declares no hypervisor API (`proxmox:` and `api: proxmox` of a node)"
SOURCE = "inventory"


class NoGuestControl:
    """``GuestControl`` that can say nothing of the declared guests, and says so."""

    def __init__(self, guests: Mapping[str, Guest]) -> None:
        self._guests = tuple(guests)

    def observe(self) -> Mapping[str, GuestFacts]:
        """Every declared guest, unknown."""
        return {name: unread(GuestFacts, SOURCE, WHY) for name in self._guests}

    def status(self, guest: str) -> str:
        """Raises ``Rejected``."""
        raise Rejected(f"{guest}: {WHY}")

    def vitals(self, guest: str) -> Vitals:
        """Raises ``Rejected``."""
        raise Rejected(f"{guest}: {WHY}")

    def reboot(self, guest: str, *, timeout_s: float) -> str:
        """Raises ``Rejected``."""
        raise Rejected(f"{guest}, within {timeout_s:.0f} s: {WHY}")

    def starts_finished(self, node: str, since_wall: float) -> bool:
        """Raises ``Rejected``."""
        raise Rejected(f"{node}, since {since_wall:.0f}: {WHY}")


class NoClusterView:
    """``ClusterView`` without a cluster."""

    def quorate(self) -> Observed[bool]:
        """Unknown."""
        return Observed(source=SOURCE, error=WHY)

    def online(self) -> Observed[tuple[str, ...]]:
        """Unknown."""
        return Observed(source=SOURCE, error=WHY)

    def standalone(self) -> Observed[bool]:
        """Unknown."""
        return Observed(source=SOURCE, error=WHY)

    def tasks(self) -> Observed[tuple[RunningTask, ...]]:
        """None: there is no API that could run one."""
        return Observed(source=SOURCE, value=())

    def stores(self) -> Observed[tuple[Store, ...]]:
        """None that an API knows."""
        return Observed(source=SOURCE, value=())

    def high_availability(self) -> Observed[HighAvailability]:
        """None: nothing manages a guest."""
        nothing = HighAvailability(managed=(), maintenance=(), disarmed=False)
        return Observed(source=SOURCE, value=nothing)

    def memory(self) -> Observed[Memory]:
        """Unknown."""
        return Observed(source=SOURCE, error=WHY)
