"""Which fault a journal means: what leads back from it, for a process that did not cause it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blackstart.faults.base import Plan, Reverter
from blackstart.faults.cold_start import cold_start
from blackstart.faults.guest_reboot import reboot_guest
from blackstart.faults.image_sync import sync_images
from blackstart.faults.lease_renewal import renew_lease
from blackstart.faults.reboot import power_cut, reboot
from blackstart.faults.undoing import Undoing
from blackstart.model.inventory import FaultName

REVERTED_BY: Mapping[FaultName, Callable[[str], Reverter]] = {
    "reboot": reboot,
    "power-cut": power_cut,
    "cold-start": cold_start,
    "guest-reboot": reboot_guest,
    "lease-renewal": renew_lease,
    "image-sync": sync_images,
}
"""Faults that heal by themselves, and one that is ended over an API."""


def reverter_of(plan: Plan) -> Reverter:
    """What reverts a plan and proves it: the fault itself, or the plan's own actions.

    Raises ``LookupError`` for a plan that has neither.
    """
    known = REVERTED_BY.get(plan.fault)
    if known is not None:
        return known(plan.target)
    if not plan.undo:
        raise LookupError(f"the plan of {plan.fault} on {plan.target} has no undo")
    return Undoing()
