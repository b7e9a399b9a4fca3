"""Would a boot mount what fstab says, and would it wait for what is not there?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from blackstart.checking import boot_facts, expect, has_own_kernel, known
from blackstart.errors import Unproven
from blackstart.model import mounting
from blackstart.model.host_boot import FstabLine, HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.located import Located

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
BOUNDS = ("x-systemd.mount-timeout=", "x-systemd.device-timeout=")


def _cited(host: str, lines: Iterable[Located]) -> tuple[str, ...]:
    return tuple(f"ssh {host}: {line.where}" for line in lines)


def _network_lines(facts: HostBootFacts) -> list[FstabLine]:
    """Network mounts of fstab. Skips the check where there are none."""
    found = [line for line in known(facts.fstab) if mounting.is_network(line.fstype)]
    if not found:
        pytest.skip(f"no network mount in {facts.fstab.source}")
    return found


def _device_lines(facts: HostBootFacts) -> list[FstabLine]:
    """Entries of fstab that name a block device. Skips the check where there are none."""
    found = [line for line in known(facts.fstab) if mounting.names_a_device(line)]
    if not found:
        pytest.skip(f"no block device in {facts.fstab.source}")
    known(facts.devices)
    known(facts.links)
    return found


def _touched(inventory: Inventory, host: str, lines: Iterable[FstabLine]) -> tuple[str, ...]:
    """The inventory's own names of the mounts at these paths."""
    paths = {line.path for line in lines}
    mounts = inventory.mounts.items()
    return tuple(name for name, item in mounts if item.host == host and item.path in paths)


@pytest.mark.claim(severity="warning", breaks="boot")
def test_fstab_is_understood(host: str, host_boots: HostBoots) -> None:
    """Every line of fstab has its fields, and no carriage return becomes part of an option."""
    facts = boot_facts(host_boots, host)
    wrong = known(facts.misread)
    expect(
        not wrong,
        "; ".join(f"{line.where} is misread: {line.text}" for line in wrong),
        evidence=_cited(host, wrong),
        fix="mend the line, then: findmnt --verify",
    )


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_network_mount_names_its_server_by_address(
    host: str, host_boots: HostBoots, inventory: Inventory
) -> None:
    """A network mount has its server by address, or by a name of /etc/hosts.

    Any other name needs a resolver, which is a guest that may wait for this very mount.
    """
    facts = boot_facts(host_boots, host)
    lines = [line for line in _network_lines(facts) if mounting.at_boot(line)]
    local = {name for entry in known(facts.hosts_file) for name in entry.names}
    unclear = [line for line in lines if not mounting.servers(line)]
    named = {
        line: [
            server
            for server in mounting.servers(line)
            if not mounting.is_address(server) and server not in local
        ]
        for line in lines
    }
    wrong = [line for line, names in named.items() if names]
    expect(
        not wrong,
        "; ".join(f"{line.path} is mounted from {', '.join(named[line])}" for line in wrong),
        evidence=_cited(host, wrong),
        fix="write the server's address there in place of its name",
        touches=_touched(inventory, host, wrong),
    )
    if unclear:
        raise Unproven(f"whose server is not understood: {', '.join(_cited(host, unclear))}")


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_network_mount_is_not_required(
    host: str, host_boots: HostBoots, inventory: Inventory
) -> None:
    """A network mount is ``nofail``: a NAS that is away must not keep a host from booting."""
    facts = boot_facts(host_boots, host)
    wrong = [line for line in _network_lines(facts) if mounting.is_required(line)]
    expect(
        not wrong,
        f"required at boot: {', '.join(line.path for line in wrong)}",
        evidence=_cited(host, wrong),
        fix="add the option nofail there, then: systemctl daemon-reload",
        touches=_touched(inventory, host, wrong),
    )


@pytest.mark.claim(
    severity="warning", breaks="delay", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_network_mount_is_bounded(host: str, host_boots: HostBoots, inventory: Inventory) -> None:
    """A network mount waits for the network and gives up after a while of its own.

    Without ``_netdev`` and a timeout a dead server costs the boot 90 s a mount.
    """
    facts = boot_facts(host_boots, host)
    lacking = {
        line: [
            *(["_netdev"] * ("_netdev" not in line.options)),
            *(["x-systemd.mount-timeout=15"] * (not _is_bounded(line))),
        ]
        for line in _network_lines(facts)
        if mounting.at_boot(line)
    }
    wrong = [line for line, options in lacking.items() if options]
    expect(
        not wrong,
        "; ".join(f"{line.path} lacks {', '.join(lacking[line])}" for line in wrong),
        evidence=_cited(host, wrong),
        fix="add these options there, then: systemctl daemon-reload",
        touches=_touched(inventory, host, wrong),
    )


def _is_bounded(line: FstabLine) -> bool:
    return any(option.startswith(BOUNDS) for option in line.options)


@pytest.mark.claim(severity="critical", breaks="boot", incident="hypervisor-down")
def test_disk_is_named_by_what_it_is(host: str, host_boots: HostBoots) -> None:
    """Disks are named by UUID, label or id: /dev/sdb may be another disk after a reboot."""
    facts = boot_facts(host_boots, host)
    volumes = known(facts.crypttab)
    lines = [
        line
        for line in known(facts.fstab)
        if mounting.at_boot(line) and mounting.is_kernel_name(line.spec)
    ]
    locked = [
        entry
        for entry in volumes
        if "noauto" not in entry.options and mounting.is_kernel_name(entry.device)
    ]
    found = [f"{line.path} is {line.spec}" for line in lines]
    found += [f"{entry.name} is {entry.device}" for entry in locked]
    expect(
        not found,
        "; ".join(found),
        evidence=_cited(host, (*lines, *locked)),
        fix="write UUID=... as shown by: lsblk -o NAME,UUID,LABEL",
    )


@pytest.mark.claim(severity="critical", breaks="boot", incident="hypervisor-down")
def test_required_device_is_there(host: str, host_boots: HostBoots) -> None:
    """What a boot waits for exists now: a device that is gone costs 90 s, then the boot."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    lines = _device_lines(facts)
    wanted = [line for line in lines if mounting.is_required(line)]
    wrong = [line for line in wanted if mounting.device(line.spec, facts) is None]
    expect(
        not wrong,
        f"no such device: {', '.join(f'{line.spec} ({line.path})' for line in wrong)}",
        evidence=(*_cited(host, wrong), facts.devices.source),
        fix="correct the line, or add nofail to it, then: systemctl daemon-reload",
    )


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_declared_type_is_the_real_one(host: str, host_boots: HostBoots) -> None:
    """A file system is declared as what it is: with the wrong type it is not mounted."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    wrong, unknown = [], []
    for line in _device_lines(facts):
        found = mounting.device(line.spec, facts)
        if found is not None and not found.fstype:
            # A drive without a disc has no type; nothing is mounted from it at boot.
            unknown += [line] * mounting.at_boot(line)
        elif found is not None and not mounting.same_type(line.fstype, found.fstype):
            wrong.append((line, found.fstype))
    expect(
        not wrong,
        "; ".join(f"{line.path} is {real}, declared as {line.fstype}" for line, real in wrong),
        evidence=(*_cited(host, (line for line, _ in wrong)), facts.devices.source),
        fix="write the real type there, then: systemctl daemon-reload",
    )
    if unknown:
        specs = ", ".join(line.spec for line in unknown)
        raise Unproven(f"{facts.devices.source}: no type is known of {specs}")
