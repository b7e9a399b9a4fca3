"""The power of one machine, as its management controller sees and switches it."""

from __future__ import annotations

import asyncio
import logging
from typing import Literal

from blackstart.rack.errors import MachineError
from blackstart.rack.qemu import Qemu
from blackstart.rack.qemu_command import Boot
from blackstart.rack.record import note_machine
from blackstart.rack.topology import Machine

PowerState = Literal["On", "Off"]
RestorePolicy = Literal["AlwaysOn", "AlwaysOff", "LastState"]
POWER_CYCLE_OFF_S = 2.0

log = logging.getLogger(__name__)


class MachinePower:
    """One machine's power button, held by the controller process.

    Every call is serialised per machine. State is that of the QEMU process: a
    machine that powered itself off is off.
    """

    def __init__(self, machine: Machine, boot: Boot) -> None:
        self.machine = machine
        self.name = machine.name
        self.restore_policy: RestorePolicy = "AlwaysOn"
        self.swallow_next = False
        self._boot = boot
        self._qemu: Qemu | None = None
        self._lock = asyncio.Lock()
        self._timer: asyncio.Task[None] | None = None

    @property
    def state(self) -> PowerState:
        """``On`` while the machine's QEMU process runs."""
        return "On" if self._qemu is not None and self._qemu.alive else "Off"

    @property
    def pid(self) -> int | None:
        """QEMU's process id, ``None`` when off."""
        return self._qemu.pid if self._qemu is not None and self._qemu.alive else None

    async def on(self, *, load: bool = False) -> None:
        """Switch on; with ``load`` in the saved state, halted. Nothing to do when on already."""
        async with self._lock:
            await self._on(load=load)

    async def off(self) -> None:
        """Cut the power, at once and without any sync."""
        async with self._lock:
            self._cancel_timer()
            await self._off()

    async def cycle(self) -> None:
        """Cut the power and switch on again after 2 s."""
        async with self._lock:
            self._cancel_timer()
            await self._off()
            await asyncio.sleep(POWER_CYCLE_OFF_S)
            await self._on()

    async def reset(self) -> None:
        """The reset button: the processor starts anew, the power stays on."""
        await self._running().execute("system_reset")
        log.info("%s: reset", self.name)

    async def press(self) -> None:
        """The power button, pressed shortly: ACPI asks the machine to shut down."""
        await self._running().execute("system_powerdown")
        log.info("%s: power button", self.name)

    async def off_for(self, seconds: float) -> None:
        """Cut the power now; this controller switches on again by itself after ``seconds``."""
        async with self._lock:
            self._cancel_timer()
            await self._off()
            self._timer = asyncio.create_task(self._on_after(seconds))

    async def stop(self) -> None:
        """Halt the machine's processors (for saving its state)."""
        await self._running().execute("stop")

    async def save(self) -> None:
        """Save the halted machine's state; see `Qemu.save`."""
        await self._running().save()

    async def resume(self) -> None:
        """Let the processors run again."""
        await self._running().execute("cont")

    async def _on_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        async with self._lock:
            await self._on()

    async def _on(self, *, load: bool = False) -> None:
        if self.state == "On":
            return
        if self._qemu is not None:
            await self._qemu.kill()
        self._qemu = await Qemu.start(self.machine, self._boot, load=load)
        note_machine(self.name, self._qemu.pid)
        log.info("%s: on, QEMU process %d%s", self.name, self._qemu.pid, " (saved)" * load)

    async def _off(self) -> None:
        if self._qemu is not None:
            await self._qemu.kill()
            self._qemu = None
            log.info("%s: power cut", self.name)

    def _running(self) -> Qemu:
        if self._qemu is None or not self._qemu.alive:
            raise MachineError(f"{self.name} is off")
        return self._qemu

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
