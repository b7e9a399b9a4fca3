"""What entries of fstab mean, VLANs, and which kernel is next."""

from __future__ import annotations

import pytest

from blackstart.model import mounting
from blackstart.model.host_boot import FstabLine, Kernels
from blackstart.model.host_storage import Mounted
from blackstart.model.next_kernel import next_kernel
from blackstart.model.vlans import read_vlans, spans

from .host_boots import well


def entry(spec: str, fstype: str = "nfs", *options: str) -> FstabLine:
    return FstabLine(
        file="/etc/fstab", line=1, spec=spec, path="/mnt/x", fstype=fstype, options=options
    )


@pytest.mark.parametrize(
    ("line", "servers"),
    [
        (entry("192.0.2.20:/export"), ("192.0.2.20",)),
        (entry("[2001:db8::20]:/export", "nfs4"), ("2001:db8::20",)),
        (entry("nas.lab.test:/export"), ("nas.lab.test",)),
        (entry("//nas/share", "cifs"), ("nas",)),
        (entry("//192.0.2.20/share", "smb3"), ("192.0.2.20",)),
        (entry("admin@nas:/data", "fuse.sshfs"), ("nas",)),
        (entry("sshfs#admin@192.0.2.20:", "fuse.sshfs"), ("192.0.2.20",)),
        (entry("g1,g2:/volume", "glusterfs"), ("g1", "g2")),
        (entry("192.0.2.1:6789,[2001:db8::2]:3300:/", "ceph"), ("192.0.2.1", "2001:db8::2")),
        (entry("u@fsid.fs=/", "ceph", "mon_addr=192.0.2.1:6789/m2"), ("192.0.2.1", "m2")),
        (entry("/nowhere"), ()),
    ],
)
def test_servers(line: FstabLine, servers: tuple[str, ...]) -> None:
    assert mounting.servers(line) == servers


def test_addresses_and_names() -> None:
    assert all(mounting.is_address(item) for item in ("192.0.2.1", "2001:db8::1", "fe80::1%eno1"))
    assert not any(mounting.is_address(item) for item in ("nas", "nas.lab.test", "192.0.2", ""))


@pytest.mark.parametrize(
    "spec",
    ["/dev/sda", "/dev/sdaa12", "/dev/nvme0n1p2", "/dev/vdb", "/dev/xvda1", "/dev/mmcblk0p1"],
)
def test_names_by_order(spec: str) -> None:
    assert mounting.is_kernel_name(spec)


@pytest.mark.parametrize(
    "spec",
    [
        "/dev/mapper/pve-root",
        "/dev/pve/root",
        "/dev/disk/by-id/x",
        "/dev/md0",
        "/dev/sr0",
        "UUID=1",
    ],
)
def test_names_that_last(spec: str) -> None:
    assert not mounting.is_kernel_name(spec)


def test_bind_mounts_name_no_device() -> None:
    assert not mounting.names_a_device(entry("/dev/x", "none", "bind"))
    assert not mounting.names_a_device(entry("tank/media", "zfs"))
    assert mounting.names_a_device(entry("PARTLABEL=data", "ext4"))


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("UUID=8d3f-2a10", "/dev/sda2"),
        ("LABEL=my data", "/dev/sdb1"),
        ("PARTUUID=p2", "/dev/sda2"),
        ("/dev/pve/root", "/dev/mapper/pve-root"),
        ("/dev/mapper/pve-root", "/dev/mapper/pve-root"),
        ("/dev/disk/by-id/ata-DISK_1", "/dev/sda"),
        ("/dev/sdb1", "/dev/sdb1"),
        ("UUID=", None),
        ("LABEL=other", None),
        ("/dev/sdz1", None),
    ],
)
def test_devices(spec: str, path: str | None) -> None:
    found = mounting.device(spec, well())
    assert (found.path if found else None) == path


def test_types_that_one_driver_mounts() -> None:
    assert mounting.same_type("ext4", "ext3")
    assert mounting.same_type("auto", "xfs")
    assert mounting.same_type("udf,iso9660", "iso9660")
    assert not mounting.same_type("ext3", "ext4")
    assert not mounting.same_type("xfs", "ext4")


def test_the_upper_of_two_mounts_is_seen() -> None:
    lower = Mounted(source="a", target="/x", fstype="ext4", options=())
    upper = Mounted(source="b", target="/x", fstype="nfs4", options=())
    assert mounting.on_top((lower, upper), "/x") == upper
    assert mounting.on_top((), "/x") is None


@pytest.mark.parametrize("path", ["/", "/etc/pve", "/mnt/pve/iso", "/run/x", "/snap/x/1"])
def test_what_somebody_else_mounts_is_not_missed(path: str) -> None:
    item = Mounted(source="a", target=path, fstype="ext4", options=())
    assert not mounting.is_lasting(item)
    assert mounting.is_lasting(item.model_copy(update={"target": "/mnt/pvedata"}))


def test_the_newest_kernel_is_next_and_a_pinned_one_before_it() -> None:
    images = ("6.8.12-4-pve", "6.8.12-15-pve", "6.9.0", "6.10.0-rc1", "6.10.0")
    kernels = Kernels(running="", images=images, initrds=(), modules=(), pinned="")
    assert next_kernel(kernels) == "6.10.0"
    assert next_kernel(kernels.model_copy(update={"images": images[:2]})) == "6.8.12-15-pve"
    assert next_kernel(kernels.model_copy(update={"pinned": "6.9.0"})) == "6.9.0"
    assert next_kernel(kernels.model_copy(update={"images": ()})) is None


def test_vlans() -> None:
    assert read_vlans("2-4 10,12") == {2, 3, 4, 10, 12}
    assert spans({12, 2, 3, 4}) == "2-4, 12"
    with pytest.raises(ValueError):
        read_vlans("all")
