"""Does the power come back by itself, and can a machine be switched on when it does not?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from blackstart.checking import expect, known
from blackstart.errors import Unproven
from blackstart.model.inventory import Inventory
from blackstart.model.readiness import Readiness

pytestmark = pytest.mark.check


@pytest.mark.claim(severity="warning", breaks="visibility")
def test_controller_answers(machine: str, readiness: Readiness, inventory: Inventory) -> None:
    """The way in when the machine itself is dead is open, and takes our credentials."""
    controller = inventory.nodes[machine].out_of_band
    if controller is None:
        pytest.skip(f"the inventory names no management controller of {machine}")
    if machine not in readiness.controllers:
        raise Unproven(f"nobody asked the controller of {machine}")
    answers = readiness.controllers[machine].answers
    expect(
        known(answers),
        f"the controller of {machine} refuses us",
        evidence=answers.source,
        fix=f"correct nodes.{machine}.out_of_band, or the account on {controller.url}",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_power_returns_by_itself(machine: str, readiness: Readiness, inventory: Inventory) -> None:
    """After a power cut the machine starts without a person (Redfish, PowerRestorePolicy)."""
    node = inventory.nodes[machine]
    attested = node.power_returns
    asked = readiness.controllers.get(machine)
    policy = asked.restore_policy if asked is not None else None
    if policy is not None and policy.known:
        # A UPS shuts machines down in order: the state that is restored is then off.
        wanted = ("AlwaysOn",) if inventory.ups is not None else ("AlwaysOn", "LastState")
        expect(
            known(policy) in wanted,
            f"{machine} would stay off: its policy is {known(policy)}"
            + (" and the UPS shuts it down first" if known(policy) == "LastState" else ""),
            evidence=policy.source,
            fix=f"set PowerRestorePolicy of {machine} to AlwaysOn, at its controller or firmware",
        )
        return
    if attested is None:
        told = f"{policy.source}: {policy.error}" if policy else f"{machine} has no controller"
        raise Unproven(
            f"{told}; see in its firmware what follows a power loss and attest it: nodes.{machine}."
            "power_returns: {until: DATE, seen: WHAT}"
        )
    expect(
        attested.until >= datetime.now(UTC).date(),
        f"that {machine} starts by itself was attested until {attested.until} ({attested.seen})",
        evidence=f"inventory: nodes.{machine}.power_returns",
        fix="look at its firmware again, and give the attestation a new date",
    )
