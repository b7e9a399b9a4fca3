"""QEMU's command line for a machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blackstart.rack.home import RUNTIME, Home, MachineFiles
from blackstart.rack.image import Image
from blackstart.rack.network import tap
from blackstart.rack.topology import Machine

QEMU = "qemu-system-x86_64"
# Translated code of the emulator, MiB; it counts towards the rack's 6 GiB.
TRANSLATION_CACHE_MIB = {"hypervisor": 256, "nas": 128}
# QEMU 7.2's emulation of CMPXCHG16B leaves a stale condition code behind (RFLAGS gets
# pointer bits: random kernel oopses, for SLUB uses it). A model without AVX, because
# glibc would use it where it is there, and its emulation is slow.
TCG_CPU = "Nehalem,cx16=off"
NIC_SLOT = "0x12"


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
    words = [
        QEMU,
        "-name",
        f"{machine.name},process=blackstart-{machine.name}",
        "-machine",
        "q35,usb=off,smbus=off,sata=off,vmport=off",
        *_accelerator(machine, boot),
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
    return [*words, *_disks(files, boot.image)]


def _accelerator(machine: Machine, boot: Boot) -> list[str]:
    if boot.kvm:
        return ["-accel", "kvm", "-cpu", "host"]
    size = TRANSLATION_CACHE_MIB[machine.role]
    return ["-accel", f"tcg,thread=multi,tb-size={size}", "-cpu", TCG_CPU]


def _disks(files: MachineFiles, image: Image) -> list[str]:
    words: list[str] = []
    disks: list[tuple[str, str, Path, bool]] = [
        ("root", "qcow2", files.root_disk, False),
        ("base", "raw", image.disk, True),
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
