"""One machine as a QEMU process: its command line, its life, its saved state."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qemu.qmp import ConnectError, ExecInterruptedError, QMPClient, StateError

from blackstart.rack.errors import MachineError
from blackstart.rack.home import RUNTIME, Home
from blackstart.rack.image import Image
from blackstart.rack.network import tap
from blackstart.rack.topology import Machine

QEMU = "qemu-system-x86_64"
QMP_TIMEOUT_S = 20.0
SNAPSHOT_TIMEOUT_S = 120.0
SNAPSHOT = "pristine"
# Translated code of the emulator, MiB; it counts towards the rack's 6 GiB.
TRANSLATION_CACHE_MIB = {"hypervisor": 256, "nas": 128}
# QEMU 7.2's emulation of CMPXCHG16B leaves a stale condition code behind (RFLAGS gets
# pointer bits: random kernel oopses, for SLUB uses it). A model without AVX, because
# glibc would use it where it is there, and its emulation is slow.
TCG_CPU = "Nehalem,cx16=off"
NIC_SLOT = "0x12"
WRITABLE = ("root", "data")


@dataclass(frozen=True, slots=True)
class Boot:
    """What a machine boots from, besides its own disks."""

    image: Image
    home: Home
    seed_hash: str
    kvm: bool


def kernel_arguments(seed_hash: str) -> str:
    """The kernel's command line.

    Without what only costs time on an emulated processor: mitigations, auditing,
    security modules (Docker would load AppArmor profiles), systemd's seccomp filters.
    """
    return (
        "root=/dev/vda rw console=ttyS0 quiet loglevel=4 mitigations=off nowatchdog audit=0 "
        "lsm=capability 8250.nr_uarts=1 systemd.show_status=0 systemd.getty_auto=0 "
        f"SYSTEMD_SECCOMP=0 blackstart.seed={seed_hash}"
    )


def command_line(machine: Machine, boot: Boot) -> list[str]:
    """QEMU's arguments for a machine; disks in the fixed order root, base, data, seed.

    ``no-flush``: a guest's flush reaches the host's page cache and not its disk.
    That survives a power cut (the end of QEMU), and nobody drills the host's.
    """
    files = boot.home.machine(machine.name)
    if boot.kvm:
        accelerator = ["-accel", "kvm", "-cpu", "host"]
    else:
        size = TRANSLATION_CACHE_MIB[machine.role]
        accelerator = ["-accel", f"tcg,thread=multi,tb-size={size}", "-cpu", TCG_CPU]
    words = [
        QEMU,
        "-name",
        f"{machine.name},process=blackstart-{machine.name}",
        "-machine",
        "q35,usb=off,smbus=off,sata=off,vmport=off",
        *accelerator,
        "-m",
        f"{machine.memory_mib}M",
        "-smp",
        str(machine.cpus),
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-rtc",
        "base=utc",
        "-kernel",
        str(boot.image.kernel),
        "-initrd",
        str(boot.image.initramfs),
        "-append",
        kernel_arguments(boot.seed_hash),
        "-chardev",
        f"file,id=console,path={files.serial_log},append=on",
        "-serial",
        "chardev:console",
        "-qmp",
        f"unix:{qmp_socket(machine.name)},server=on,wait=off",
        "-object",
        "rng-random,id=entropy,filename=/dev/urandom",
        "-device",
        "virtio-rng-pci,rng=entropy,addr=0x10",
        "-netdev",
        f"tap,id=lan,ifname={tap(machine.name)},script=no,downscript=no",
        "-device",
        f"virtio-net-pci,netdev=lan,mac={machine.mac},addr={NIC_SLOT},romfile=",
    ]
    disks: list[tuple[str, str, Path, bool]] = [
        ("root", "qcow2", files.root_disk, False),
        ("base", "raw", boot.image.disk, True),
        ("data", "qcow2", files.data_disk, False),
        ("seed", "raw", files.seed, True),
    ]
    for slot, (serial, form, path, read_only) in enumerate(disks, start=4):
        flag = "on" if read_only else "off"
        discard = "ignore" if read_only else "unmap"
        words += [
            "-blockdev",
            f"driver={form},node-name={serial},read-only={flag},discard={discard},"
            f"cache.no-flush=on,file.driver=file,file.filename={path},"
            f"file.cache.no-flush=on,file.read-only={flag},file.discard={discard}",
            "-device",
            f"virtio-blk-pci,drive={serial},serial={serial},addr={slot:#x}",
        ]
    return words


def qmp_socket(name: str) -> Path:
    """QEMU's control socket of a machine."""
    return RUNTIME / f"{name}.qmp"


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
        """Spawn QEMU; with ``load`` from the saved state instead of a cold boot.

        Raises `MachineError` with QEMU's own words when it does not come up
        within 20 s (cold) or 120 s (saved state).
        """
        name = machine.name
        words = ["setpriv", "--pdeathsig", "KILL", "--", *command_line(machine, boot)]
        if load:
            words += ["-loadvm", SNAPSHOT]
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
