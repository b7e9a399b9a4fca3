"""The composition of the machines' seeds: consistent with the topology and with itself."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import dns.reversename
import dns.zone
import pytest

from blackstart.rack import seed
from blackstart.rack.seed import base, corosync, datacenter, dhcp, files, volumes
from blackstart.rack.seed import dns as zones
from blackstart.rack.standins.pve import shipping
from blackstart.rack.topology import PVE, Guest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mkfs.ext4") is None or shutil.which("qemu-img") is None,
    reason="composing disks needs root, mkfs.ext4 and qemu-img, as the rack does",
)


@pytest.fixture(scope="module")
def composed(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seeds of all machines, in a directory per machine."""
    directory = tmp_path_factory.mktemp("seeds")
    for machine in PVE.machines:
        seed.compose(PVE, machine, secrets, directory / machine.name)
    return directory


def configuration(composed: Path, guest: Guest) -> dict[str, str]:
    kind = "qemu-server" if guest.kind == "qemu" else "lxc"
    nodes = composed / guest.node / "root" / datacenter.CONFIG / "nodes"
    text = (nodes / guest.node / kind / f"{guest.vmid}.conf").read_text("utf-8")
    return dict(line.split(": ", 1) for line in text.splitlines())


def on_disk(composed: Path, guest: Guest, path: str) -> str:
    """A file of the guest's own, read out of its disk image."""
    disk = volumes.path(composed / guest.node / "data/vz/images", volumes.disk_volume(guest))
    done = subprocess.run(
        ["debugfs", "-R", f"cat /upper/{path}", disk],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout, f"{path} is not on the disk of {guest.name}: {done.stderr}"
    return done.stdout


def by_name(name: str) -> Guest:
    return next(guest for guest in PVE.guests if guest.name == name)


@pytest.mark.parametrize("guest", PVE.guests, ids=lambda guest: guest.name)
def test_a_guest_references_only_volumes_that_exist(composed: Path, guest: Guest) -> None:
    images = composed / guest.node / "data/vz/images"
    keys = configuration(composed, guest)
    referenced = [value.split(",")[0] for value in keys.values() if value.startswith("local:")]
    assert len(referenced) == (3 if guest.kind == "qemu" else 1)
    for volume in referenced:
        assert volumes.path(images, volume).is_file(), volume
    made = {path.name for path in (images / str(guest.vmid)).iterdir()}
    assert made == {volume.rpartition("/")[2] for volume in referenced}


def test_an_efi_disk_has_the_size_that_its_configuration_says(composed: Path) -> None:
    maas = by_name("maas")
    images = composed / maas.node / "data/vz/images"
    size = volumes.path(images, volumes.firmware_volume(maas)).stat().st_size
    assert size == 528 * 1024
    assert configuration(composed, maas)["efidisk0"].endswith("efitype=4m,size=528K")


def test_a_node_holds_the_disks_of_its_own_guests_only(composed: Path) -> None:
    for node in corosync.nodes(PVE):
        images = composed / node.name / "data/vz/images"
        assert {path.name for path in images.iterdir()} == {
            str(guest.vmid) for guest in PVE.guests_of(node.name)
        }


def test_both_nodes_start_from_the_same_cluster_configuration(composed: Path) -> None:
    def tree(node: str) -> dict[str, bytes]:
        root = composed / node / "root" / datacenter.CONFIG
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }

    first, second = (tree(node.name) for node in corosync.nodes(PVE))
    assert first == second
    assert {"storage.cfg", "jobs.cfg", "user.cfg", "corosync.conf"} <= first.keys()


def test_reservations_are_those_of_the_topology(composed: Path) -> None:
    maas = by_name("maas")
    text = on_disk(composed, maas, f"{dhcp.DIRECTORY}/dhcpd.conf")
    found = re.findall(
        r"host ([0-9a-f-]+) \{\s+hardware ethernet (\S+);\s+fixed-address (\S+);", text
    )
    assert found == [
        (guest.mac.replace(":", "-"), guest.mac, str(guest.address))
        for guest in PVE.guests
        if not guest.static
    ]
    low, high = (PVE.network[last] for last in dhcp.POOL)
    assert not any(low <= guest.address <= high for guest in PVE.guests)


def test_a_guests_card_has_the_reserved_address(composed: Path) -> None:
    for guest in PVE.guests:
        assert guest.mac.upper() in configuration(composed, guest)["net0"]


def test_zones_parse_and_agree(composed: Path) -> None:
    maas = by_name("maas")
    forward = dns.zone.from_text(
        on_disk(composed, maas, f"etc/bind/zones/{PVE.domain}"), origin=PVE.domain
    )
    name = zones.reverse_zone(PVE)
    reverse = dns.zone.from_text(on_disk(composed, maas, f"etc/bind/zones/{name}"), origin=name)
    names = {machine.name: str(machine.address) for machine in PVE.machines}
    names |= {guest.name: str(guest.address) for guest in PVE.guests}
    for each, address in names.items():
        (record,) = forward.find_rdataset(each, "A")
        assert record.address == address
        (pointer,) = reverse.find_rdataset(dns.reversename.from_address(address), "PTR")
        assert str(pointer.target.derelativize(reverse.origin)) == f"{each}.{PVE.domain}."
    for zone in (forward, reverse):
        assert zone.get_soa().serial == zones.SERIAL


def test_network_mounts_are_by_address_and_never_hold_up_a_boot(composed: Path) -> None:
    nas = corosync.witness(PVE)
    for node in corosync.nodes(PVE):
        lines = (composed / node.name / "root/etc/fstab").read_text("utf-8").splitlines()
        mounts = [line.split() for line in lines if " nfs " in line]
        assert [mount[1] for mount in mounts] == ["/mnt/nas/vms", "/mnt/nas/backups"]
        for source, point, _, options, *_ in mounts:
            assert source == f"{nas.address}:/export/{Path(point).name}"
            assert {"_netdev", "nofail", "x-systemd.device-timeout=10"} <= set(options.split(","))
        (disk,) = (line for line in lines if " /srv/local " in line)
        assert disk.startswith(f"UUID={base.data_uuid(PVE, node)} ")


def test_the_name_of_a_node_is_never_its_loopback(composed: Path) -> None:
    for machine in PVE.machines:
        for line in (composed / machine.name / "root/etc/hosts").read_text("utf-8").splitlines():
            assert not (line.startswith("127.") and machine.name in line)


def test_every_enabled_unit_of_our_own_exists(composed: Path) -> None:
    ours = {"first-backup.service", "etc-pve-backup.timer", "guest-backup.timer"}
    for node in corosync.nodes(PVE):
        root = composed / node.name / "root"
        links = [path for path in root.glob("etc/systemd/system/*.wants/*") if path.is_symlink()]
        assert ours | set(shipping.enabled_units()) <= {link.name for link in links}
        for link in links:
            target = str(link.readlink())
            if link.name in ours or target.startswith("/etc/"):
                assert (root / target.lstrip("/")).is_file(), f"{link.name} -> {target}"


def test_programs_are_executable_and_keys_are_private(composed: Path) -> None:
    root = composed / "pve1/root"
    for program in ("guest", "ready", "backup-guests", "backup-etc-pve", "first-backup"):
        assert (root / "usr/lib/blackstart-rack" / program).stat().st_mode & stat.S_IXOTH
    for private in ("etc/corosync/authkey", "etc/ssh/ssh_host_ed25519_key"):
        assert not (root / private).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def test_the_same_secrets_compose_the_same_seed(
    composed: Path, secrets: Path, tmp_path: Path
) -> None:
    def state(root: Path) -> dict[str, object]:
        return {
            str(path.relative_to(root)): (
                str(path.readlink())
                if path.is_symlink()
                else (stat.S_IMODE(path.stat().st_mode), path.is_file() and path.read_bytes())
            )
            for path in sorted(root.rglob("*"))
        }

    again = tmp_path / "again"
    seed.compose(PVE, PVE.machine("pve1"), secrets, again)
    assert state(again / "root") == state(composed / "pve1/root")


def test_composing_twice_into_one_place_is_refused(composed: Path, secrets: Path) -> None:
    with pytest.raises(FileExistsError):
        seed.compose(PVE, PVE.machine("nas1"), secrets, composed / "nas1")


def test_an_unknown_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.lay("no-such-role", tmp_path)


def test_a_guest_hides_the_units_of_the_image(composed: Path) -> None:
    maas = by_name("maas")
    disk = volumes.path(composed / maas.node / "data/vz/images", volumes.disk_volume(maas))
    done = subprocess.run(
        ["debugfs", "-R", "ea_list /upper/etc/systemd/system", disk],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    assert 'trusted.overlay.opaque (1) = "y"' in done.stdout
