"""The rack's files in a scratch directory, as its seed writes them, and what checks see in them.

Steps of drifts run there with /bin/sh: their paths lead into the directory, and the vendor's
commands are a few lines of shell that change a guest's configuration file.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blackstart.collect.boot_parse import understand
from blackstart.collect.sections import Answer
from blackstart.graph.build import boot_graph
from blackstart.graph.inputs import boot_inputs
from blackstart.incident.model import Step
from blackstart.model.circumstances import HighAvailability
from blackstart.model.facts import ClusterFacts, HostFacts, Mount, SiteFacts, unread
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.host_network import OwnName
from blackstart.model.host_storage import BlockDevice, Mounted
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import (
    GuestRow,
    NodeMemory,
    ProxmoxFacts,
    StoreDefinition,
    Volume,
)
from blackstart.rack.seed import base, datacenter, hypervisor, volumes
from blackstart.rack.standins.pve.sections import read_sections
from blackstart.rack.topology import PVE, Machine
from tests.unit import host_boots, proxmox_site
from tests.unit.graph import sites
from tests.unit.proxmox_site import seen

HYPERVISORS = ("pve1", "pve2")
VENDORS = """#!/bin/sh
set -eu
file=$(ls "$PVE"/nodes/"$NODE"/*/"$2".conf)
case $1 in
    set)
        key=${3#--}
        sed -i "/^$key: /d" "$file"
        echo "$key: $4" >>"$file" ;;
    config) cat "$file" ;;
    status) echo "status: running" ;;
esac
"""
QUIET = "#!/bin/sh\nexit 0\n"
FILES = re.compile(r"(?<![^\s>\"'])/(etc|srv|mnt|export)/")
OPERANDS = ("mkdir ", "truncate ", "rm ", "cp ", "mv ", "for ", "until ")


@dataclass(frozen=True)
class Rack:
    """One directory a machine; /etc/pve and the NAS are everybody's."""

    root: Path

    @classmethod
    def seeded(cls, root: Path) -> Rack:
        """As new."""
        (root / "cluster/etc").mkdir(parents=True)
        datacenter.compose(PVE, root / "cluster")
        (root / "cluster" / datacenter.CONFIG).rename(root / "pve")
        for store in hypervisor.STORES:
            (root / "nas" / store / "images").mkdir(parents=True)
        for machine in PVE.machines:
            _seed(root, machine)
        (root / "bin").mkdir()
        for name in ("qm", "pct", "systemctl", "mountpoint", "mount", "guest"):
            program = root / "bin" / name
            program.write_text(VENDORS if name in ("qm", "pct") else QUIET)
            program.chmod(0o755)
        return cls(root)

    def run(self, step: Step) -> None:
        """Raises ``AssertionError`` with what it said."""
        environment = {
            "PATH": f"{self.root}/bin:{os.environ['PATH']}",
            **{"PVE": f"{self.root}/pve", "NODE": step.host},
        }
        done = subprocess.run(
            ["sh", "-c", self._here(step)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{step.run}\n{done.stdout}{done.stderr}"

    def _here(self, step: Step) -> str:
        script = step.run.replace("/usr/lib/blackstart-rack/guest", "guest")
        for kind in ("qemu-server", "lxc"):
            script = script.replace(f"/etc/pve/{kind}/", f"/etc/pve/nodes/{step.host}/{kind}/")
        lines = []
        for line in script.splitlines():
            moved = line.replace(" /etc/", f" {self.root}/{step.host}/etc/")
            if line.strip().startswith(OPERANDS):
                moved = FILES.sub(lambda found: f"{self.root}/{step.host}{found[0]}", line)
            lines.append(moved)
        text = "\n".join(lines)
        return text.replace(">>/etc/", f">>{self.root}/{step.host}/etc/")

    def text(self, host: str, path: str) -> list[str]:
        """The lines of a file, in no order."""
        return sorted((self.root / host / path.lstrip("/")).read_text().splitlines())

    def everything(self) -> dict[str, list[str]]:
        """Every text and the names of all volumes."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            if path.is_symlink() or path.is_dir() or "bin" in path.parts:
                continue
            name = str(path.relative_to(self.root))
            found[name] = (
                [] if path.suffix in (".raw", ".qcow2") else sorted(path.read_text().splitlines())
            )
        return found

    # -- what is seen of it ---------------------------------------------------------

    def boots(self) -> Mapping[str, HostBootFacts]:
        """What each machine says of its own next boot, as far as its files tell."""
        return {machine.name: self._boot(machine) for machine in PVE.machines}

    def _boot(self, machine: Machine) -> HostBootFacts:
        answers = dict(host_boots.answers())
        lines = []
        for path in ("/etc/hosts", "/etc/resolv.conf", "/etc/fstab"):
            lines.append(f"file {path}")
            text = (self.root / machine.name / path.lstrip("/")).read_text().splitlines()
            lines += (f"{number}:{line}|" for number, line in enumerate(text, 1))
        answers["files"] = Answer(lines=tuple(lines))
        facts = understand(machine.name, answers)
        hosts = facts.hosts_file.value or ()
        own = tuple(line.address for line in hosts if machine.name in line.names)
        (card, *_) = (item for item in facts.cards.value or () if item.up and item.addresses)
        nas = str(PVE.machine("nas1").address)
        changed: dict[str, Any] = {
            "own_name": OwnName(name=machine.name, addresses=own),
            "cards": (card.model_copy(update={"addresses": (str(machine.address),)}),),
            "devices": (_data_disk(machine),),
            "units": (),
            "mounted": (
                _mounted("/dev/vda", "/run/blackstart-rack/base", "ext4"),
                _mounted("/dev/vdb", "/srv/local", "ext4"),
                *(
                    _mounted(f"{nas}:/export/{s}", f"/mnt/nas/{s}", "nfs4")
                    for s in hypervisor.STORES
                ),
            ),
        }
        update = {
            name: getattr(facts, name).model_copy(update={"value": value})
            for name, value in changed.items()
        }
        return facts.model_copy(update=update)

    def facts(self, inventory: Inventory) -> SiteFacts:
        """Guests as their configuration files have them, all of them running."""
        answers = {
            f"{server}/{name}": seen(tuple(map(str, declared.addresses)))
            for server in (inventory.dns.servers if inventory.dns else ())
            for name, declared in (inventory.dns.names if inventory.dns else {}).items()
        }
        hosts = {}
        for name in HYPERVISORS:
            mounts = tuple(
                Mount(source=it.source, target=it.target, fstype=it.fstype, answers=True)
                for it in self.boots()[name].mounted.value or ()
            )
            host = unread(HostFacts, name, "not asked")
            hosts[name] = host.model_copy(update={"mounts": seen(mounts)})
        return SiteFacts(
            taken_at=0.0,
            hosts=hosts,
            names=answers,
            guests={
                guest.name: sites.guest_facts(
                    guest.name,
                    0,
                    self._guest(guest.vmid)[0],
                    config=seen(self._guest(guest.vmid)[2], f"api {guest.vmid}"),
                    onboot=seen(self._guest(guest.vmid)[2].get("onboot") == "1", "api"),
                )
                for guest in PVE.guests
            },
            cluster=ClusterFacts(
                quorate=seen(True), online=seen(HYPERVISORS), votes=seen(3), quorum=seen(2)
            ),
        )

    def _guest(self, vmid: int) -> tuple[str, str, dict[str, str]]:
        """Node, kind and configuration."""
        (path,) = self.root.glob(f"pve/nodes/*/*/{vmid}.conf")
        lines = (line.split(": ", 1) for line in path.read_text().splitlines() if line)
        kind = "qemu" if path.parent.name == "qemu-server" else "lxc"
        return path.parts[-3], kind, dict(lines)

    def proxmox(self) -> ProxmoxFacts:
        """The cluster, with these guests, stores and volumes."""
        guests = {guest.vmid: self._guest(guest.vmid) for guest in PVE.guests}
        rows = tuple(
            GuestRow(kind=kind, vmid=vmid, node=node, running=True, template=False)
            for vmid, (node, kind, _) in guests.items()
        )
        stores = tuple(self._stores())
        nodes = {
            name: proxmox_site.hypervisor(
                name,
                stores=seen(tuple(proxmox_site.state(store.name) for store in stores)),
                memory=seen(NodeMemory(total=2176 << 20, used=1 << 30, merged=0)),
                pools=seen(()),
            )
            for name in HYPERVISORS
        }
        rights = {f"/storage/{store.name}": seen(("Datastore.Allocate",)) for store in stores}
        return proxmox_site.cluster(
            hypervisors=nodes,
            guests=seen(rows, "api resources"),
            plans={
                f"{kind}/{vmid}": proxmox_site.plan(it) for vmid, (_, kind, it) in guests.items()
            },
            stores=seen(stores, "api storage"),
            content={
                f"{name}/{store.name}": seen(tuple(self._volumes(name, store)))
                for name in HYPERVISORS
                for store in stores
            },
            online=seen(dict.fromkeys(HYPERVISORS, True)),
            high_availability=seen(HighAvailability(managed=(), maintenance=(), disarmed=False)),
            rights=rights,
        )

    def _stores(self) -> Iterable[StoreDefinition]:
        for section in read_sections(self.root / "pve/storage.cfg"):
            yield StoreDefinition(
                name=section.name,
                kind=section.kind,
                content=section.words("content"),
                shared=section.switch("shared"),
                path=section.settings["path"],
                mountpoint=section.settings["is_mountpoint"],
            )

    def _volumes(self, host: str, store: StoreDefinition) -> Iterable[Volume]:
        images = self.root / host / str(store.path).lstrip("/") / "images"
        for path in sorted(images.glob("*/*")):
            volid = f"{store.name}:{path.parent.name}/{path.name}"
            yield proxmox_site.volume(volid, vmid=int(path.parent.name))

    def given(self, inventory: Inventory) -> dict[str, Any]:
        """All that checks may ask for."""
        facts, boots, proxmox = self.facts(inventory), self.boots(), self.proxmox()
        return {
            **{"inventory": inventory, "facts": facts, "host_boots": boots, "proxmox": proxmox},
            "readiness": proxmox_site.readiness(proxmox, files={}),
            "boot_graph": boot_graph(boot_inputs(inventory, facts, boots, proxmox)),
        }


def _seed(root: Path, machine: Machine) -> None:
    etc = root / machine.name / "etc"
    base.write(etc / "hosts", base.hosts(PVE))
    base.write(etc / "resolv.conf", base.resolver(PVE))
    base.write(etc / "fstab", base._fstab(PVE, machine))
    if machine.role != "hypervisor":
        return
    hypervisor._stores(PVE, root / machine.name)
    for store in hypervisor.STORES:
        (root / machine.name / "mnt/nas" / store).rmdir()
        (root / machine.name / "mnt/nas" / store).symlink_to(root / "nas" / store)
    (etc / "pve").symlink_to(root / "pve")
    images = root / machine.name / "srv/local/vz/images"
    for guest in PVE.guests_of(machine.name):
        names = [volumes.disk_volume(guest)]
        names += [volumes.firmware_volume(guest), volumes.cloudinit_volume(guest)] * guest.efi
        for name in names:
            base.write(volumes.path(images, name), "")


def _data_disk(machine: Machine) -> BlockDevice:
    return BlockDevice(
        **{"path": "/dev/vdb", "kind": "disk", "fstype": "ext4", "label": "", "partuuid": ""},
        **{"partlabel": "", "transport": "virtio", "uuid": base.data_uuid(PVE, machine)},
    )


def _mounted(source: str, target: str, fstype: str) -> Mounted:
    return Mounted(source=source, target=target, fstype=fstype, options=("rw",))
