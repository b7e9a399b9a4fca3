"""Keys of a guest's configuration: type of each, and the privilege that changing it takes.

Types and bounds are those of the vendor's API schema (9.1), to which
``tests/contract`` holds this table; the privileges are listed in the vendor's
administration guide, chapter User Management.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .parameters import (
    BOOLEAN,
    COUNT,
    POSITIVE,
    STRING,
    Parameter,
    choice,
    generic_name,
)

GuestKind = Literal["qemu", "lxc"]


def _all(names: str, parameter: Parameter) -> dict[str, Parameter]:
    return dict.fromkeys(names.split(), parameter)


def _words(names: str) -> list[str]:
    return names.split()


_QEMU: dict[str, Parameter] = {
    **_all(
        "acpi allow-ksm autostart ciupgrade freeze keephugepages kvm localtime numa onboot "
        "protection reboot tablet tdf template",
        BOOLEAN,
    ),
    **_all(
        "affinity agent amd-sev args audio0 boot cdrom cicustom cipassword ciuser cpu "
        "description efidisk0 hookscript hostpci[n] hotplug ide[n] intel-tdx ipconfig[n] "
        "ivshmem machine name nameserver net[n] numa[n] rng0 sata[n] scsi[n] searchdomain "
        "smbios1 spice_enhancements sshkeys tags tpmstate0 unused[n] usb[n] vga virtio[n] "
        "virtiofs[n] vmstatestorage watchdog",
        STRING,
    ),
    "memory": Parameter(optional=True, form="memory"),
    "startup": Parameter(optional=True, form="startup"),
    **_all("balloon migrate_speed", COUNT),
    **_all("cores smp sockets vcpus", POSITIVE),
    "cpulimit": Parameter("number", optional=True, minimum=0, maximum=128),
    "migrate_downtime": Parameter("number", optional=True, minimum=0),
    "cpuunits": Parameter("integer", optional=True, minimum=1, maximum=262144),
    "shares": Parameter("integer", optional=True, minimum=0, maximum=50000),
    "arch": choice("x86_64", "aarch64"),
    "bios": choice("seabios", "ovmf"),
    "citype": choice("configdrive2", "nocloud", "opennebula"),
    "hugepages": choice("any", "2", "1024"),
    "keyboard": choice(
        *_words(
            "de de-ch da en-gb en-us es fi fr fr-be fr-ca fr-ch hu is it ja lt mk nl no pl pt "
            "pt-br sv sl tr"
        )
    ),
    "lock": choice(
        *_words(
            "backup clone create migrate rollback snapshot snapshot-delete suspending suspended"
        )
    ),
    "ostype": choice(
        *_words("other wxp w2k w2k3 w2k8 wvista win7 win8 win10 win11 l24 l26 solaris")
    ),
    "scsihw": choice(*_words("lsi lsi53c810 virtio-scsi-pci virtio-scsi-single megasas pvscsi")),
    "bootdisk": Parameter(optional=True, pattern=r"(ide|sata|scsi|virtio)\d+"),
    "parallel[n]": Parameter(optional=True, pattern=r"/dev/parport\d+|/dev/usb/lp\d+"),
    "serial[n]": Parameter(optional=True, pattern=r"(/dev/.+|socket)"),
    "startdate": Parameter(
        optional=True,
        pattern=r"(now|\d{4}-\d{1,2}-\d{1,2}(T\d{1,2}:\d{1,2}:\d{1,2})?)",
    ),
    "vmgenid": Parameter(
        optional=True,
        pattern=r"(?:[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}|[01])",
    ),
}
_LXC: dict[str, Parameter] = {
    **_all("console debug onboot protection template unprivileged", BOOLEAN),
    **_all(
        "description dev[n] entrypoint env features hookscript hostname mp[n] nameserver "
        "net[n] rootfs searchdomain tags timezone unused[n]",
        STRING,
    ),
    "startup": Parameter(optional=True, form="startup"),
    "cores": Parameter("integer", optional=True, minimum=1, maximum=8192),
    "cpulimit": Parameter("number", optional=True, minimum=0, maximum=8192),
    "cpuunits": Parameter("integer", optional=True, minimum=0, maximum=500000),
    "memory": Parameter("integer", optional=True, minimum=16),
    "swap": COUNT,
    "tty": Parameter("integer", optional=True, minimum=0, maximum=6),
    "arch": choice(*_words("amd64 i386 arm64 armhf riscv32 riscv64")),
    "cmode": choice("shell", "console", "tty"),
    "lock": choice(
        *_words(
            "backup create destroyed disk fstrim migrate mounted rollback snapshot snapshot-delete"
        )
    ),
    "ostype": choice(
        *_words(
            "debian devuan ubuntu centos fedora opensuse archlinux alpine gentoo nixos unmanaged"
        )
    ),
}
KEYS: Mapping[GuestKind, Mapping[str, Parameter]] = {"qemu": _QEMU, "lxc": _LXC}

_PRIVILEGES: Mapping[str, str] = {
    **dict.fromkeys(
        _words("affinity cores cpu cpulimit cpuunits numa numa[n] smp sockets vcpus"),
        "VM.Config.CPU",
    ),
    **dict.fromkeys(
        _words("allow-ksm balloon hugepages keephugepages memory shares swap"),
        "VM.Config.Memory",
    ),
    **dict.fromkeys(
        _words(
            "bootdisk efidisk0 ide[n] mp[n] rootfs sata[n] scsi[n] tpmstate0 unused[n] "
            "virtio[n] vmstatestorage"
        ),
        "VM.Config.Disk",
    ),
    **dict.fromkeys(_words("ipconfig[n] nameserver net[n] searchdomain"), "VM.Config.Network"),
    **dict.fromkeys(
        _words(
            "acpi arch audio0 bios hotplug kvm machine parallel[n] rng0 scsihw serial[n] tablet "
            "tdf usb[n] vga virtiofs[n] watchdog"
        ),
        "VM.Config.HWType",
    ),
    **dict.fromkeys(
        _words("cicustom cipassword citype ciupgrade ciuser sshkeys"), "VM.Config.Cloudinit"
    ),
    "cdrom": "VM.Config.CDROM",
}


def privilege_for(key: str) -> str:
    """Privilege on ``/vms/VMID`` without which this key may not be changed."""
    return _PRIVILEGES.get(generic_name(key)) or _PRIVILEGES.get(key, "VM.Config.Options")
