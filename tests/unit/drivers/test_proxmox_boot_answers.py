"""Shapes of genuine answers that the rack has not: text for numbers, missing keys, other stores."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blackstart.drivers import proxmox_boot_answers as boot
from blackstart.drivers import proxmox_store_answers as stores
from blackstart.drivers.proxmox_answers import flag, number
from blackstart.errors import Rejected
from blackstart.model.guest_volumes import boot_order, memory_mib, opened
from blackstart.model.proxmox_rights import grant

from .captures import needs_captures, replay


def data_of(name: str) -> Any:
    """``data`` of a recorded answer."""
    return json.loads(replay(name).body)["data"]


class TestRecorded:
    """What a genuine 9.1.7 said."""

    @needs_captures
    def test_a_volume(self) -> None:
        (found,) = map(stores.volume, data_of("200-content"))
        assert (found.volid, found.vmid) == ("local:100/vm-100-disk-0.qcow2", 100)
        assert found.made_at == 1795184354.0

    @needs_captures
    def test_a_store(self) -> None:
        (found,) = map(stores.store_state, data_of("200-storage"))
        assert (found.name, found.active, found.enabled) == ("local", True, True)
        assert found.share_used == pytest.approx(0.11, abs=0.01)

    @needs_captures
    def test_nothing_pending(self) -> None:
        assert boot.pending(data_of("200-pending")) == ()

    @needs_captures
    def test_guests(self) -> None:
        (found,) = boot.guest_rows(data_of("200-resources"))
        assert (found.path, found.sid, found.running, found.pool) == (
            "qemu/100",
            "vm:100",
            True,
            "p1",
        )


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, True), ("1", True), (True, True), ("yes", True), (0, False), ("0", False), (None, False)],
)
def test_switches(value: object, expected: bool) -> None:
    assert flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12", 12), (12.7, 12), ("1e3", 1000), (None, None), ("x", None), (True, None), ("", None)],
)
def test_numbers(value: object, expected: int | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("entry", "servers", "shared"),
    [
        ({"type": "nfs", "server": "192.0.2.1", "content": "none"}, ("192.0.2.1",), True),
        ({"type": "cifs", "server": "nas", "server2": "nas-b"}, ("nas", "nas-b"), True),
        ({"type": "iscsi", "portal": "192.0.2.5:3260"}, ("192.0.2.5",), True),
        ({"type": "cephfs", "monhost": "192.0.2.7 192.0.2.8"}, ("192.0.2.7", "192.0.2.8"), True),
        ({"type": "rbd", "monhost": "192.0.2.7;192.0.2.8:6789"}, ("192.0.2.7", "192.0.2.8"), True),
        ({"type": "nfs", "server": "2001:db8::20"}, ("2001:db8::20",), True),
        (
            {"type": "rbd", "monhost": "[2001:db8::7]:6789,[2001:db8::8]"},
            ("2001:db8::7", "2001:db8::8"),
            True,
        ),
        ({"type": "iscsi", "portal": "nas:3260"}, ("nas",), True),
        ({"type": "lvmthin", "content": "images,rootdir"}, (), False),
        ({"type": "zfspool", "nodes": "a1,a2"}, (), False),
        ({"type": "dir", "path": "/x", "shared": "1"}, (), True),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else None,
)
def test_definitions_of_stores(
    entry: dict[str, Any], servers: tuple[str, ...], shared: bool
) -> None:
    found = stores.definition({"storage": "s", **entry})
    assert (found.servers, found.shared) == (servers, shared)
    assert found.content == stores.words(entry.get("content"))


def test_a_store_for_nothing_is_known_to_be() -> None:
    entry = {"storage": "s", "type": "nfs", "server": "192.0.2.1", "content": "none"}
    assert stores.definition(entry).content == ("none",)
    assert stores.definition(entry | {"content": ""}).content == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("yes", "/srv/vz"), ("1", "/srv/vz"), ("/srv", "/srv"), ("no", None), ("0", None), ("", None)],
)
def test_mountpoints(value: str, expected: str | None) -> None:
    entry = {"storage": "s", "type": "dir", "path": "/srv/vz", "is_mountpoint": value}
    assert stores.definition(entry).mountpoint == expected


def test_a_store_that_is_disabled_elsewhere_tells_no_size() -> None:
    found = stores.store_state({"storage": "s", "enabled": 0, "type": "pbs"})
    assert (found.active, found.enabled, found.share_used) == (False, False, 0.0)


def test_a_thin_pool_that_tells_no_size_is_full() -> None:
    (found,) = stores.thin_pools([{"lv": "data", "vg": "pve", "used": 1}])
    assert (found.name, found.used, found.metadata_used) == ("pve/data", 1.0, 1.0)


def test_pending_changes_without_their_secrets() -> None:
    found = boot.pending(
        [
            {"key": "memory", "value": "256", "pending": "512"},
            {"key": "cipassword", "value": "old", "pending": "new"},
            {"key": "net1", "value": "virtio", "delete": 1},
            {"key": "digest", "value": "x"},
        ]
    )
    assert [(it.key, it.now, it.then) for it in found] == [
        ("cipassword", "(not shown)", "(not shown)"),
        ("memory", "256", "512"),
        ("net1", "virtio", None),
    ]


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (boot.certificates, []),
        (boot.services, []),
        (boot.memory, {}),
        (boot.memory, {"memory": {"used": 1}}),
    ],
)
def test_what_tells_nothing_is_refused(read: Any, answer: Any) -> None:
    with pytest.raises(Rejected):
        read(answer)


def test_votes_and_device() -> None:
    assert boot.votes([{"node": "a1", "quorum_votes": "2"}, {"node": "a2"}]) == {"a1": 2, "a2": 1}
    assert boot.quorum_device({}) is None
    device = boot.quorum_device({"State": "Connected", "Algorithm": "LMS"})
    assert device is not None
    assert (device.state, device.algorithm, device.host) == ("Connected", "LMS", "")


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("192.0.2.20:5403", "192.0.2.20"),
        ("nas.lab.test:5403", "nas.lab.test"),
        ("[2001:db8::20]:5403", "2001:db8::20"),
        ("nas", "nas"),
    ],
)
def test_where_the_quorum_device_is(said: str, host: str) -> None:
    device = boot.quorum_device({"State": "Connected", "QNetd host": said})
    assert device is not None
    assert device.host == host


def test_links_of_nodes_in_their_order() -> None:
    entry = {"name": "a1", "ring1_addr": "198.51.100.1", "ring0_addr": "a1.lab", "nodeid": "1"}
    assert boot.links([entry, {"node": "a2"}]) == {"a1": ("a1.lab", "198.51.100.1"), "a2": ()}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "conditional"),
        ({"ha": "shutdown_policy=migrate"}, "migrate"),
        ({"ha": {"shutdown_policy": "freeze"}}, "freeze"),
        ({"ha": {}}, "conditional"),
    ],
)
def test_shutdown_policy(options: dict[str, Any], expected: str) -> None:
    assert boot.shutdown_policy(options) == expected


def test_mappings_of_every_kind() -> None:
    assert boot.mapping({"id": "gpu", "checks": []}).problems == ()
    pci = {"id": "gpu", "checks": [{"severity": "error", "message": "gone"}]}
    assert boot.mapping(pci).problems == ("gone",)
    assert boot.mapping({"id": "key", "error": "no such device"}).problems == ("no such device",)
    usb = {"id": "key", "error": {"message": "not there"}}
    assert boot.mapping(usb).problems == ("not there",)


def test_a_job_is_enabled_unless_it_says_otherwise() -> None:
    job = boot.backup_job({"id": "j", "vmid": "100,101", "exclude": "102"})
    assert (job.enabled, job.everything, job.vmids, job.excluded) == (
        True,
        False,
        (100, 101),
        (102,),
    )
    assert not boot.backup_job({"id": "j", "enabled": "0", "all": 1}).enabled


def test_names_of_a_hosts_file() -> None:
    text = "127.0.0.1 localhost # x\n# 1.2.3.4 gone\n192.0.2.20 NAS.lab nas\n"
    assert boot.host_names({"data": text}) == ("localhost", "nas", "nas.lab")


class TestConfigurations:
    """What a guest's configuration opens."""

    def test_every_kind_of_entry(self) -> None:
        config = {
            "scsi0": "file=local:101/a.qcow2,discard=on",
            "scsi1": "local:101/base-101-disk-0.raw/102/vm-102-disk-0.qcow2",
            "virtio0": "/dev/disk/by-id/x",
            "ide0": "cdrom,media=cdrom",
            "ide2": "none,media=cdrom",
            "efidisk0": "zfs:vm-101-disk-0",
            "unused3": "zfs:vm-101-disk-9",
            "mp0": "/srv/media,mp=/media",
            "mp1": "zfs:subvol-101-disk-1,mp=/data,backup=1",
            "rootfs": "zfs:subvol-101-disk-0,size=8G",
            "dev0": "/dev/dri/renderD128,gid=104",
            "hookscript": "local:snippets/hook.pl",
            "cicustom": "user=local:snippets/u.yaml,network=local:snippets/n.yaml",
            "scsihw": "virtio-scsi-pci",
            "vmstate": "zfs:vm-101-state-suspend",
            "lxc": "[['lxc.mount.entry', '/x']]",
        }
        found = {(it.key, it.volid): it for it in opened(config)}
        paths = {it.volid for it in found.values() if it.is_path}
        assert paths == {"/dev/disk/by-id/x", "/srv/media", "/dev/dri/renderD128"}
        volumes = {key for (key, _), it in found.items() if not it.is_path}
        assert volumes == {
            *("scsi0", "scsi1", "efidisk0", "mp1", "rootfs"),
            *("hookscript", "cicustom", "vmstate"),
        }
        contents = {it.content for (key, _), it in found.items() if key in ("rootfs", "mp1")}
        assert contents == {"rootdir"}
        assert found["cicustom", "local:snippets/n.yaml"].content == "snippets"
        assert found["scsi1", config["scsi1"]].content == "images"

    def test_boot_order(self) -> None:
        assert boot_order({"boot": "order=scsi0;net0"}) == ("scsi0", "net0")
        assert boot_order({"boot": "cdn", "bootdisk": "scsi0"}) == ()
        assert boot_order({}) == ()

    @pytest.mark.parametrize(
        ("kind", "config", "expected"),
        [
            ("qemu", {}, (512, 512)),
            ("qemu", {"memory": "current=4096"}, (4096, 4096)),
            ("qemu", {"memory": "4096", "balloon": "1024"}, (1024, 4096)),
            ("qemu", {"memory": "4096", "balloon": "0"}, (4096, 4096)),
            ("lxc", {"memory": "1024", "balloon": "1"}, (1024, 1024)),
            ("qemu", {"memory": "x"}, (512, 512)),
        ],
    )
    def test_memory(self, kind: str, config: dict[str, str], expected: tuple[int, int]) -> None:
        assert memory_mib(kind, config) == expected


def test_grants() -> None:
    assert grant("a@pve!t", "/vms", "VM.Audit") == (
        "pveum acl modify /vms --users a@pve --tokens 'a@pve!t' --roles PVEAuditor"
    )
    assert grant("a@pve", "/vms/1", "VM.Config.Disk", "VM.Audit") == (
        "pveum role add BlackstartLook --privs 'VM.Config.Disk'; "
        "pveum acl modify /vms/1 --users a@pve --roles PVEAuditor,BlackstartLook"
    )
