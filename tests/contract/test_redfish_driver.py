"""Our Redfish driver against the rack's own management controller, over real HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers.redfish import Controller, RedfishPower
from blackstart.errors import Rejected
from blackstart.rack.redfish import USER, application
from tests.contract.pve_served import Served
from tests.unit.rack.test_redfish import RecordedMachine

PASSWORD = "correct-horse"


@pytest.fixture
def machine() -> RecordedMachine:
    """A machine that remembers which buttons were pressed."""
    return RecordedMachine()


@pytest.fixture
def url(machine: RecordedMachine, pve_secrets: Path) -> Iterator[str]:
    """Its management controller."""
    certificate = (pve_secrets / "pve1.crt", pve_secrets / "pve1.key")
    with Served(lambda _: application(machine, PASSWORD), "127.0.0.1", certificate) as served:
        yield served.base_url


def driver(url: str, secrets: Path, password: str = PASSWORD) -> RedfishPower:
    """Our driver, for a host of the machine's name."""
    return RedfishPower({"one": Controller(url, "one", USER, password, secrets / "ca.crt")})


def test_a_cycle_cuts_and_restores_by_one_command(
    url: str, machine: RecordedMachine, pve_secrets: Path
) -> None:
    driver(url, pve_secrets).power_cycle("one")
    assert machine.pressed == ["cycle"]


def test_off_for_a_while_is_held_by_the_controller(
    url: str, machine: RecordedMachine, pve_secrets: Path
) -> None:
    power = driver(url, pve_secrets)
    assert power.back_on_by("one") == "timer"
    power.off_for("one", 90.0)
    assert (machine.pressed, power.state("one")) == (["off for 90"], "off")


def test_a_time_that_the_controller_does_not_hold_is_refused_in_its_words(
    url: str, machine: RecordedMachine, pve_secrets: Path
) -> None:
    with pytest.raises(Rejected, match="400: Seconds is 1 to 3600"):
        driver(url, pve_secrets).off_for("one", 7200.0)
    assert machine.pressed == []


def test_off_and_on_are_two_commands(url: str, machine: RecordedMachine, pve_secrets: Path) -> None:
    power = driver(url, pve_secrets)
    power.off("one")
    power.power_on("one")
    assert machine.pressed == ["off", "on"]


def test_the_state_follows_the_machine(
    url: str, machine: RecordedMachine, pve_secrets: Path
) -> None:
    power = driver(url, pve_secrets)
    assert power.state("one") == "on"
    machine.state = "Off"
    assert power.state("one") == "off"
    power.power_on("one")
    power.power_on("one")
    assert (machine.pressed, power.state("one")) == (["on"], "on")


def test_a_cycle_of_a_machine_that_is_off_is_refused_in_the_controllers_words(
    url: str, machine: RecordedMachine, pve_secrets: Path
) -> None:
    machine.state = "Off"
    with pytest.raises(Rejected, match="409: PowerCycle needs the power On; it is Off"):
        driver(url, pve_secrets).power_cycle("one")
    assert machine.pressed == []


def test_the_restore_policy_is_told(url: str, pve_secrets: Path) -> None:
    assert driver(url, pve_secrets).restore_policy("one") == "AlwaysOn"


def test_a_wrong_password_is_refused(url: str, machine: RecordedMachine, pve_secrets: Path) -> None:
    with pytest.raises(Rejected, match=f"refuses user {USER}"):
        driver(url, pve_secrets, "wrong").power_cycle("one")
    assert machine.pressed == []
