"""Which fault a journal means: what leads back from it, for a process that did not cause it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blackstart.faults.base import Plan, Reverter
from blackstart.faults.cold_start import cold_start
from blackstart.faults.reboot import power_cut, reboot
from blackstart.faults.undoing import Undoing
from blackstart.model.inventory import FaultName

HEAL_THEMSELVES: Mapping[FaultName, Callable[[str], Reverter]] = {
    "reboot": reboot,
    "power-cut": power_cut,
    "cold-start": cold_start,
}


def reverter_of(plan: Plan) -> Reverter:
    """What reverts a plan and proves it: its own actions, or the fault that heals by itself.

    Raises ``LookupError`` for a plan that has neither.
    """
    if plan.undo:
        return Undoing()
    if plan.fault not in HEAL_THEMSELVES:
        raise LookupError(f"the plan of {plan.fault} on {plan.target} has no undo")
    return HEAL_THEMSELVES[plan.fault](plan.target)
