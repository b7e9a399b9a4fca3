"""Keeping a dead-man from firing while the drill lives, and knowing when it did."""

from __future__ import annotations

from dataclasses import dataclass, field

from blackstart.drivers.base import Clock, DeadManControl
from blackstart.errors import DriverError, Rejected
from blackstart.model.deadman import DeadMan

RENEWALS_PER_LEASE = 4


@dataclass
class Renewal:
    """Renews one dead-man; ``trouble`` says why the fault may be undone already."""

    deadmen: DeadManControl
    deadman: DeadMan
    clock: Clock
    _fired: str | None = None
    _renewed_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._renewed_at = self.clock.monotonic()

    @property
    def period_s(self) -> float:
        """Seconds between two renewals."""
        return self.deadman.lease_s / RENEWALS_PER_LEASE

    def renew(self) -> None:
        """Renew once; a host that cannot be asked is no error before the lease has ended."""
        asked_at = self.clock.monotonic()
        try:
            self.deadmen.renew(self.deadman)
        except Rejected as error:
            self._fired = str(error)
        except DriverError:
            return
        else:
            self._renewed_at = asked_at

    def trouble(self) -> str | None:
        """Why the dead-man has fired, or must be taken to have; ``None`` while it waits."""
        if self._fired is not None:
            return self._fired
        silent = self.clock.monotonic() - self._renewed_at
        if silent <= self.deadman.lease_s:
            return None
        return (
            f"{self.deadman.host} could not be told for {silent:.0f} s that the drill lives: "
            "its dead-man has undone the fault"
        )
