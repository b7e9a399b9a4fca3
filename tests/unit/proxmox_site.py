"""A cluster that is well, as facts: two nodes with a guest each, a NAS, a backup server."""

from __future__ import annotations

from typing import Any

from blackstart.model.circumstances import HighAvailability, Managed
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Observed
from blackstart.model.proxmox_facts import (
    BackupJob,
    GuestPlan,
    GuestRow,
    HypervisorFacts,
    Mapping,
    NodeCertificate,
    NodeMemory,
    NodeService,
    Pool,
    ProxmoxFacts,
    QuorumDevice,
    Replication,
    StoreDefinition,
    StoreState,
    ThinPool,
    Volume,
    Votes,
)
from blackstart.model.readiness import (
    ConfigurationCopy,
    ControllerFacts,
    HostFiles,
    Readiness,
)

from .invariants import site as drilled
from .invariants.site import seen

GIB = 1 << 30
NOW = 1_800_000_000.0
DAY_S = 86_400.0
CONFIG = {
    "bios": "ovmf",
    "boot": "order=scsi0;net0",
    "cicustom": "user=local:snippets/user.yaml",
    "efidisk0": "local:101/vm-101-disk-0.raw,efitype=4m,ms-cert=2023k,pre-enrolled-keys=1",
    "hostpci0": "mapping=gpu,pcie=1",
    "ide2": "none,media=cdrom",
    "ide3": "local:101/vm-101-cloudinit.qcow2,media=cdrom",
    "machine": "pc-q35-9.2+pve1,viommu=intel",
    "memory": "4096",
    "name": "box",
    "onboot": "1",
    "sata0": "local:iso/debian.iso,media=cdrom",
    "scsi0": "local:101/vm-101-disk-1.raw,size=4G",
    "scsi1": "/dev/disk/by-id/ata-X",
    "tpmstate0": "local:101/vm-101-disk-2.raw,version=v2.0",
    "unused0": "gone:101/vm-101-disk-9.raw",
    "usb0": "host=0bda:8153",
}
FAR = {"memory": "2048", "onboot": "1", "scsi0": "fast:vm-102-disk-0,size=8G"}
LOCAL = ("images", "rootdir", "iso", "snippets")
STORES = (
    StoreDefinition(
        name="local", kind="dir", content=LOCAL, path="/srv/vz", mountpoint="/srv", nodes=()
    ),
    StoreDefinition(name="fast", kind="zfspool", content=("images", "rootdir"), nodes=("a2",)),
    StoreDefinition(name="nas", kind="nfs", content=("iso",), shared=True, servers=("192.0.2.20",)),
    StoreDefinition(
        name="pbs",
        kind="pbs",
        content=("backup",),
        shared=True,
        servers=("192.0.2.30",),
        key=True,
    ),
    StoreDefinition(name="old", kind="lvmthin", content=("images",), disabled=True),
)


def state(name: str, kind: str = "dir", **changes: Any) -> StoreState:
    made = StoreState(
        name=name,
        kind=kind,
        content=("images",),
        enabled=True,
        active=True,
        total=100 * GIB,
        used=40 * GIB,
        available=60 * GIB,
    )
    return made.model_copy(update=changes)


def volume(volid: str, content: str = "images", vmid: int | None = 101, **more: Any) -> Volume:
    return Volume(volid=volid, content=content, vmid=vmid, **more)


IN_LOCAL = (
    volume("local:101/vm-101-disk-0.raw"),
    volume("local:101/vm-101-disk-1.raw"),
    volume("local:101/vm-101-disk-2.raw"),
    volume("local:101/vm-101-cloudinit.qcow2"),
    volume("local:iso/debian.iso", "iso", None),
    volume("local:snippets/user.yaml", "snippets", None),
)
BACKUPS = tuple(
    volume(f"pbs:backup/vm/{vmid}", "backup", vmid, made_at=NOW - DAY_S, verified="ok")
    for vmid in (101, 102, 103)
)
SERVICES = tuple(
    NodeService(name=name, enabled="enabled", active="active")
    for name in ("corosync", "pve-cluster", "pvedaemon", "pveproxy", "pvestatd", "pvescheduler")
)


def hypervisor(node: str, **changes: Any) -> HypervisorFacts:
    """A node of which all is well."""
    stores = [state("local"), state("nas", "nfs"), state("pbs", "pbs")]
    if node == "a2":
        stores.append(state("fast", "zfspool"))
    made = HypervisorFacts(
        stores=seen(tuple(stores), f"api {node} storage"),
        memory=seen(NodeMemory(total=16 * GIB, used=8 * GIB, merged=0), f"api {node} status"),
        certificates=seen(
            (NodeCertificate(file="pve-ssl.pem", expires_at=NOW + 300 * DAY_S),), "api certificates"
        ),
        clock_ahead_s=seen(0.0, f"api {node} time"),
        services=seen(SERVICES, f"api {node} services"),
        pools=seen((Pool(name="rpool", health="ONLINE"),), f"api {node} zfs"),
        thin_pools=seen((ThinPool(name="pve/data", used=0.5, metadata_used=0.1),), "api lvmthin"),
        replication=seen(
            (Replication(id="102-0", last_sync=NOW - 900, failures=0, error=""),), "api replication"
        ),
        mappings=seen({"pci": (Mapping(id="gpu", problems=()),)}, f"api {node} mappings"),
        host_names=seen(("localhost",), f"api {node} hosts"),
        machines=seen(("pc-q35-9.2", "pc-q35-9.2+pve1"), f"api {node} machines"),
    )
    return made.model_copy(update=changes)


def row(vmid: int, node: str, **changes: Any) -> GuestRow:
    made = GuestRow(kind="qemu", vmid=vmid, node=node, running=True, template=False)
    return made.model_copy(update=changes)


def plan(config: dict[str, str], **changes: Any) -> GuestPlan:
    made = GuestPlan(config=seen(config, "api config"), pending=seen((), "api pending"))
    return made.model_copy(update=changes)


MANAGED = Managed(sid="vm:102", node="a2", state="started")
HA = HighAvailability(managed=(MANAGED,), maintenance=(), disarmed=False)
JOB = BackupJob(id="nightly", enabled=True, everything=True, store="pbs", repeats_missed=True)
RIGHTS: dict[str, Observed[Any]] = {
    "/vms/101": seen(("VM.Backup", "VM.Config.Disk")),
    "/vms/102": seen(("VM.Backup", "VM.Config.Disk")),
    "/storage/local": seen(("Datastore.Allocate",)),
    "/storage/fast": seen(("Datastore.Allocate",)),
    "/storage/pbs": seen(("Datastore.Allocate",)),
}


def cluster(**changes: Any) -> ProxmoxFacts:
    """The cluster with these facts instead of its own."""
    content: dict[str, Observed[Any]] = {
        "a1/local": seen(IN_LOCAL, "api a1 local"),
        "a2/local": seen((), "api a2 local"),
        "a2/fast": seen((volume("fast:vm-102-disk-0", vmid=102),), "api a2 fast"),
        **{f"{node}/pbs": seen(BACKUPS, "api pbs") for node in ("a1", "a2")},
        **{f"{node}/nas": seen((), "api nas") for node in ("a1", "a2")},
    }
    made = ProxmoxFacts(
        who="look@pve!audit",
        taken_at=NOW,
        hypervisors={node: hypervisor(node) for node in ("a1", "a2")},
        guests=seen(
            (
                row(101, "a1"),
                row(102, "a2"),
                row(103, "a2", running=False),
                row(900, "a2", running=False, template=True),
            ),
            "api resources",
        ),
        plans={
            "qemu/101": plan(CONFIG),
            "qemu/102": plan(FAR),
            "qemu/103": plan({"memory": "1024"}),
        },
        stores=seen(STORES, "api storage"),
        content=content,
        online=seen({"a1": True, "a2": True}, "api cluster/status"),
        votes=seen(
            Votes(
                nodes={"a1": 1, "a2": 1},
                device=QuorumDevice(
                    state="Connected", algorithm="Fifty-Fifty split", host="192.0.2.20"
                ),
                links={"a1": ("192.0.2.11",), "a2": ("192.0.2.12", "2001:db8::12")},
            ),
            "api votes",
        ),
        high_availability=seen(HA, "api ha"),
        shutdown_policy=seen("conditional", "api options"),
        jobs=seen((JOB,), "api backup"),
        uncovered=seen((), "api not-backed-up"),
        disabled_replication=seen((), "api replication jobs"),
        rights=RIGHTS,
    )
    return made.model_copy(update=changes)


COPY = ConfigurationCopy(
    path="./2027/etc-pve.tar",
    age_s=DAY_S,
    files=(
        "corosync.conf",
        *(f"nodes/a1/qemu-server/{vmid}.conf" for vmid in (101, 102, 103, 900)),
        "priv/storage/pbs.enc",
        "storage.cfg",
        "user.cfg",
    ),
    parsed={"storage.cfg": ("local", "nas"), "nodes/a1/qemu-server/101.conf": ("memory",)},
)


def readiness(proxmox: ProxmoxFacts | None = None, **changes: Any) -> Readiness:
    """All of it well."""
    controller = ControllerFacts(
        answers=seen(True, "redfish: power is on"), restore_policy=seen("AlwaysOn", "redfish")
    )
    files = HostFiles(there={"/dev/disk/by-id/ata-X": True}, arc_max=GIB)
    made = Readiness(
        proxmox=proxmox or cluster(),
        controllers={"a1": controller, "a2": controller},
        configuration_copy=seen(COPY, "ssh nas"),
        files={node: seen(files, f"ssh {node}") for node in ("a1", "a2")},
    )
    return made.model_copy(update=changes)


def document(**changes: Any) -> dict[str, Any]:
    """The site's inventory: controllers, an attested NAS with a copy, two name servers."""
    whole = drilled.document(
        dns={
            "servers": {
                "one": {"address": "192.0.2.61", "guest": "box"},
                "two": {"address": "192.0.2.62", "guest": "far"},
            },
            "names": {},
        },
        backups={"etc_pve": {"host": "nas", "path": "/srv/etc-pve"}},
        **{name: {} for name in ("compose", "services", "mounts", "certificates")},
    )
    for guest in whole["guests"].values():
        guest["names"] = []
    for name, last in (("a1", 1), ("a2", 2)):
        whole["nodes"][name]["out_of_band"] = {
            "url": f"https://192.0.2.11{last}",
            "system": name,
            "user": "ops",
            "password": "env:BMC",
        }
    whole["nodes"]["nas"]["power_returns"] = {"until": "2099-12-31", "seen": "in its firmware"}
    return {**whole, **changes}


def inventory(**changes: Any) -> Inventory:
    """The same, read."""
    return Inventory.model_validate(document(**changes))


def facts() -> SiteFacts:
    """What the drills' snapshot says of the same site."""
    return drilled.facts("first")
