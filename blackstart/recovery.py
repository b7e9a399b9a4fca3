"""Waiting for steady state: before a fault, and after it.

Recovered means held: good without a gap for the hold time, not the first good sample.
A stopped guest whose hypervisor has ended its start of all guests does not come back by
itself (``startall`` ends OK although a guest failed): neither it nor what it serves is
waited for, so that a person need not sit out the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from blackstart.drivers.base import ProbeSession, Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError
from blackstart.model.subjects import guest_behind

TERMINAL_POLL_S = 5.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a wait ended: ``missing`` had not held, ``lost`` says why a guest will not return."""

    missing: tuple[str, ...]
    lost: Mapping[str, str] = field(default_factory=dict)


@dataclass
class RecoveryWait:
    """One bounded wait until everything that is probed has held for ``hold_s`` seconds.

    ``deadlines`` (drill's clock, s): a subject that has not held by its own has failed for
    certain and is not waited for any longer.
    """

    site: Site
    probes: ProbeSession
    hold_s: float
    progress: Callable[[str], None]
    lost_guests: Callable[[], Mapping[str, str]] = dict
    deadlines: Mapping[str, float] = field(default_factory=dict)
    _lost: Mapping[str, str] = field(default_factory=dict)
    _said: str = ""
    _looked_at: float | None = None

    def run(self, bound_s: float) -> Recovery:
        """Wait at most ``bound_s`` seconds."""
        ended = wait_for(self.site.clock, self._look, bound_s=bound_s)
        return ended or Recovery(self._missing(), self._lost)

    def _look(self) -> Recovery | None:
        self._look_for_lost_guests()
        missing = self._missing()
        waiting = [name for name in missing if self._may_still_return(name)]
        if not waiting:
            return Recovery(missing, self._lost)
        self._tell(waiting)
        return None

    def _may_still_return(self, subject: str) -> bool:
        if guest_behind(self.site.inventory, subject) in self._lost:
            return False
        deadline = self.deadlines.get(subject)
        return deadline is None or self.site.clock.monotonic() < deadline

    def _missing(self) -> tuple[str, ...]:
        subjects = sorted(self.probes.subjects())
        return tuple(name for name in subjects if not self._has_held(name))

    def _has_held(self, subject: str) -> bool:
        held = self.probes.held(subject)
        return held is not None and held >= self.hold_s

    def _look_for_lost_guests(self) -> None:
        now = self.site.clock.monotonic()
        if self._looked_at is not None and now - self._looked_at < TERMINAL_POLL_S:
            return
        self._looked_at = now
        self._lost = self.lost_guests()

    def _tell(self, waiting: list[str]) -> None:
        down = [name for name in waiting if self.probes.held(name) is None]
        total = len(self.probes.subjects())
        said = ", ".join(down) or f"everything to hold for {self.hold_s:.0f} s"
        if said != self._said:
            self._said = said
            self.progress(f"{total - len(down)} of {total} answer; waiting for {said}")


def lost_guests(site: Site, nodes: tuple[str, ...], since_wall: float) -> dict[str, str]:
    """Guests of rebooted nodes that are stopped although their node has ended its starts.

    An API that does not answer yet says nothing about its guests; a node without guests,
    as storage is, has no such API and is not asked.
    """
    lost: dict[str, str] = {}
    for node in filter(site.inventory.guests_of, nodes):
        try:
            if not site.guests.starts_finished(node, since_wall):
                continue
            for name, guest in site.inventory.guests_of(node).items():
                if guest.running and site.guests.status(name) == "stopped":
                    lost[name] = f"{node} has started its guests, and {name} is stopped"
        except DriverError:
            continue
    return lost
