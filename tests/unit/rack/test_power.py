"""The power button of one machine, over a QEMU that is made up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from blackstart.rack import power
from blackstart.rack.errors import MachineError
from blackstart.rack.home import Home
from blackstart.rack.image import Image
from blackstart.rack.power import MachinePower
from blackstart.rack.qemu_command import Boot
from tests.unit.rack.small import SMALL


class MadeUpQemu:
    """Remembers every process that was started, and lives until killed."""

    started: ClassVar[list[MadeUpQemu]] = []

    def __init__(self, load: bool) -> None:
        self.load = load
        self.alive = True
        self.pid = 4242
        self.commands: list[str] = []
        self.started.append(self)

    @classmethod
    async def start(cls, machine: object, boot: object, *, load: bool = False) -> MadeUpQemu:
        return cls(load)

    async def kill(self) -> None:
        self.alive = False

    async def execute(self, command: str) -> None:
        self.commands.append(command)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[MadeUpQemu]:
    MadeUpQemu.started = []
    monkeypatch.setattr(power, "Qemu", MadeUpQemu)
    monkeypatch.setattr(power, "note_machine", lambda *_: None)
    monkeypatch.setattr(power, "POWER_CYCLE_OFF_S", 0.01)
    return MadeUpQemu.started


@pytest.fixture
def machine(started: list[MadeUpQemu]) -> MachinePower:
    nowhere = Path("/nonexistent")
    return MachinePower(SMALL.machines[0], Boot(Image(nowhere), Home(nowhere), "hash", kvm=False))


async def test_on_twice_is_one_machine(machine: MachinePower, started: list[MadeUpQemu]) -> None:
    await asyncio.gather(machine.on(), machine.on())
    assert len(started) == 1
    assert (machine.state, machine.pid) == ("On", 4242)


async def test_off_ends_the_process(machine: MachinePower, started: list[MadeUpQemu]) -> None:
    await machine.on()
    await machine.off()
    assert not started[0].alive
    assert (machine.state, machine.pid) == ("Off", None)


async def test_a_machine_that_powered_itself_off_is_off_and_can_be_switched_on(
    machine: MachinePower, started: list[MadeUpQemu]
) -> None:
    await machine.on()
    started[0].alive = False
    assert machine.state == "Off"
    await machine.on()
    assert machine.state == "On"
    assert len(started) == 2


async def test_cycle_is_another_process(machine: MachinePower, started: list[MadeUpQemu]) -> None:
    await machine.on()
    await machine.cycle()
    assert [qemu.alive for qemu in started] == [False, True]


async def test_reset_and_button_keep_the_process(
    machine: MachinePower, started: list[MadeUpQemu]
) -> None:
    await machine.on()
    await machine.reset()
    await machine.press()
    assert started[0].commands == ["system_reset", "system_powerdown"]
    assert machine.state == "On"


async def test_a_timed_power_on_happens_by_itself_from_cold(
    machine: MachinePower, started: list[MadeUpQemu]
) -> None:
    await machine.on(load=True)
    await machine.off_for(0.05)
    assert machine.state == "Off"
    async with asyncio.timeout(5):
        while machine.state == "Off":
            await asyncio.sleep(0.01)
    assert [qemu.load for qemu in started] == [True, False]


async def test_whoever_cuts_the_power_meanwhile_wins_over_the_timer(
    machine: MachinePower, started: list[MadeUpQemu]
) -> None:
    await machine.on()
    await machine.off_for(0.05)
    await machine.off()
    await asyncio.sleep(0.2)
    assert machine.state == "Off"


async def test_nothing_runs_to_be_reset_when_off(machine: MachinePower) -> None:
    for act in (machine.reset, machine.press, machine.save):
        with pytest.raises(MachineError, match="one is off"):
            await act()
