"""Watching machines that were told to lose their power: were they dark, are they new?

A command that was accepted proves nothing, and neither does a controller's word alone: the
proof is another boot id. Being seen off tells a machine that lost its power from one that
merely rebooted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError
from blackstart.faults.base import Plan, Proof
from blackstart.faults.reboot import BITE_WINDOW_S, look_at

POLL_S = 2.0
LATE_S = 30.0
"""Seconds after its time at which a machine that is still off has been forgotten."""


@dataclass
class Dark:
    """One watch over ``plan.nodes_down``, from now on.

    Machines whose controller has no timer are switched on when their time is over, and
    added to ``switched_on``.
    """

    site: Site
    plan: Plan
    switched_on: set[str]
    _began: float = 0.0
    _was_off: set[str] = field(default_factory=set)
    _lit: set[str] = field(default_factory=set)
    _bit: dict[str, str] = field(default_factory=dict)

    def proof(self) -> Proof:
        """Wait until every machine has bitten, or one plainly has not or will not.

        Raises ``DriverError`` when a machine that is ours to switch on cannot be.
        """
        self._began = self.site.clock.monotonic()
        budgets = self.plan.parameters["boot_budget_s"]
        bound = max(self._time(host) + budgets[host] for host in self.plan.nodes_down)
        proof = wait_for(self.site.clock, self._look, bound_s=bound, poll_s=POLL_S)
        left = ", ".join(host for host in self.plan.nodes_down if host not in self._bit)
        return proof or Proof(False, f"no new boot within {bound:.0f} s: {left}")

    def _look(self) -> Proof | None:
        wrong = [self._look_at(host) for host in self.plan.nodes_down if host not in self._bit]
        said = "; ".join(text for text in wrong if text is not None)
        if said:
            return Proof(False, said)
        if len(self._bit) < len(self.plan.nodes_down):
            return None
        return Proof(True, "; ".join(self._bit.values()))

    def _look_at(self, host: str) -> str | None:
        """Why one machine has not bitten and will not; ``None`` while it may, or once it has."""
        passed = self.site.clock.monotonic() - self._began
        if self._is_off(host):
            return self._still_off(host, passed)
        before = self.plan.prior["boot_id"][host]
        try:
            seen = look_at(self.site, host)
        except DriverError:
            self.site.runner.forget(host)
            return None
        if seen.boot_id != before:
            off = "seen off" if host in self._was_off else "not seen off"
            by = self._by_whom(host)
            self._bit[host] = f"{host}: {off}, on by {by}, boot id {before} became {seen.boot_id}"
        elif host in self._was_off:
            return f"{host}: its controller said off, and it runs on with boot id {before}"
        elif passed > BITE_WINDOW_S:
            return f"{host} runs on with boot id {before} {passed:.0f} s after its power was cut"
        return None

    def _is_off(self, host: str) -> bool:
        """What the controller says, until it has said off and then on."""
        if host in self._lit:
            return False
        try:
            state = self.site.power.state(host)
        except DriverError:
            return False
        if state == "off":
            self._was_off.add(host)
        elif host in self._was_off:
            self._lit.add(host)
        return state == "off"

    def _still_off(self, host: str, passed: float) -> str | None:
        ours = self.plan.parameters["back_on_by"][host] == "command"
        if ours and passed >= self._time(host) and host not in self.switched_on:
            self.site.power.power_on(host)
            self.switched_on.add(host)
            return None
        if passed < self._time(host) + LATE_S:
            return None
        return (
            f"{host} is off {passed:.0f} s after its power was cut for {self._time(host):.0f} s: "
            "nothing has switched it on again, and it has not come back by itself"
        )

    def _by_whom(self, host: str) -> str:
        if host in self.switched_on:
            return "the harness"
        timed = self.plan.parameters["back_on_by"][host] == "timer"
        return "its controller's timer" if timed else "somebody else"

    def _time(self, host: str) -> float:
        """Seconds for which a machine is without power on purpose."""
        return float(self.plan.parameters["off_s"][host])
