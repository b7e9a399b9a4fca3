"""One machine as a QEMU process: its life and its saved state."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

from qemu.qmp import ConnectError, ExecInterruptedError, QMPClient, StateError

from blackstart.rack.errors import MachineError
from blackstart.rack.qemu_command import Boot, command_line, qmp_socket
from blackstart.rack.topology import Machine

QMP_TIMEOUT_S = 20.0
SNAPSHOT_TIMEOUT_S = 120.0
SNAPSHOT = "pristine"
WRITABLE = ("root", "data")


class Qemu:
    """A running QEMU process with its control connection.

    Made by `start`. The process dies with its parent (setpriv ``--pdeathsig``),
    so that a killed controller leaves no machine behind.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, client: QMPClient) -> None:
        self.name = name
        self.process = process
        self._client = client

    @classmethod
    async def start(cls, machine: Machine, boot: Boot, *, load: bool = False) -> Qemu:
        """Spawn QEMU; with ``load`` from the saved state, halted, instead of a cold boot.

        Raises `MachineError` with QEMU's own words when it does not come up
        within 20 s (cold) or 120 s (saved state).
        """
        name = machine.name
        words = ["setpriv", "--pdeathsig", "KILL", "--", *command_line(machine, boot)]
        if load:
            words += ["-S", "-loadvm", SNAPSHOT]
        log = boot.home.machine(name).directory / "qemu.log"
        with contextlib.suppress(FileNotFoundError):
            qmp_socket(name).unlink()
        with log.open("w") as errors:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        client = QMPClient(name)
        limit = SNAPSHOT_TIMEOUT_S if load else QMP_TIMEOUT_S
        try:
            async with asyncio.timeout(limit):
                await cls._connect(client, name, process, log)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise MachineError(f"{name}: QEMU did not answer within {limit:g} s") from error
            raise
        return cls(name, process, client)

    @staticmethod
    async def _connect(
        client: QMPClient, name: str, process: asyncio.subprocess.Process, log: Path
    ) -> None:
        while True:
            if process.returncode is not None:
                said = log.read_text(errors="replace").strip().splitlines() or ["no output"]
                raise MachineError(f"{name}: QEMU ended at once: {said[-1]}")
            try:
                await client.connect(str(qmp_socket(name)))
            except ConnectError:
                await asyncio.sleep(0.1)
            else:
                return

    @property
    def pid(self) -> int:
        """Process id of QEMU (setpriv execs, so it is the child's own)."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs: a machine that powered itself off has ended."""
        return self.process.returncode is None

    async def execute(self, command: str, **arguments: object) -> Any:
        """A QMP command, bounded to 20 s. Raises `MachineError` when there is no answer."""
        try:
            async with asyncio.timeout(QMP_TIMEOUT_S):
                return await self._client.execute(command, arguments or None)
        except (TimeoutError, ExecInterruptedError, StateError) as error:
            raise MachineError(f"{self.name}: QEMU did not answer '{command}'") from error

    async def kill(self) -> None:
        """Cut the power: SIGKILL, nothing is synced."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        with contextlib.suppress(Exception):
            await self._client.disconnect()

    async def save(self) -> None:
        """Save memory, devices and disks inside the disks' own qcow2 files.

        The machine must be stopped. Raises `MachineError` when it takes more
        than 120 s or QEMU reports an error.
        """
        await self.execute(
            "snapshot-save",
            **{"job-id": "save", "tag": SNAPSHOT, "vmstate": "root", "devices": list(WRITABLE)},
        )
        try:
            async with asyncio.timeout(SNAPSHOT_TIMEOUT_S):
                while True:
                    jobs = await self.execute("query-jobs")
                    job = next(job for job in jobs if job["id"] == "save")
                    if job["status"] == "concluded":
                        break
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise MachineError(f"{self.name}: saving took over {SNAPSHOT_TIMEOUT_S:g} s") from error
        await self.execute("job-dismiss", id="save")
        if "error" in job:
            raise MachineError(f"{self.name}: cannot save its state: {job['error']}")
