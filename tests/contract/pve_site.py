"""A stand-in on loopback: the real application over TLS, guests that are only remembered."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from blackstart.rack import pki
from blackstart.rack.standins.pve.collection import collect
from blackstart.rack.standins.pve.configkeys import GuestKind
from blackstart.rack.standins.pve.errors import Died
from blackstart.rack.standins.pve.guests import DIRECTORY
from blackstart.rack.standins.pve.hoststats import CpuUsage
from blackstart.rack.standins.pve.layout import Layout
from blackstart.rack.standins.pve.node import Node, make_node
from blackstart.rack.standins.pve.runtime import Vitals
from blackstart.rack.standins.pve.shipping import cluster_files
from blackstart.rack.topology import PVE, Topology

LOOPBACK = {"pve1": "127.0.0.1", "pve2": "127.0.0.2", "nas1": "127.0.0.9"}
TOPOLOGY: Topology = replace(
    PVE,
    machines=tuple(replace(m, address=IPv4Address(LOOPBACK[m.name])) for m in PVE.machines),
)
BOOT_TIMEOUT_S = 10
SYSTEMCTL = """\
#!/bin/sh
shift 2
for unit in "$@"; do
    case $unit in
    cron) printf 'Id=cron.service\\nLoadState=not-found\\nActiveState=inactive\\n' ;;
    *) printf 'Id=%s.service\\nDescription=%s\\nLoadState=loaded\\n' "$unit" "$unit"
       printf 'ActiveState=active\\nUnitFileState=enabled\\n' ;;
    esac
    case $unit in cron) echo SubState=dead ;; *) echo SubState=running ;; esac
    echo
done
"""
"""systemctl(1) of a node on which all but cron is well."""


@dataclass
class MemoryRuntime:
    """Guests that are running because a dictionary says so."""

    started_at: dict[int, float] = field(default_factory=dict)
    deaf: set[int] = field(default_factory=set)
    silent: set[int] = field(default_factory=set)
    broken: dict[int, str] = field(default_factory=dict)
    slow: threading.Event | None = None
    order: list[str] = field(default_factory=list)

    def vitals(self) -> Mapping[int, Vitals]:
        now = time.monotonic()
        return {
            vmid: Vitals(True, 100 + vmid, int(now - at), 180 * 2**20)
            for vmid, at in self.started_at.items()
        }

    def start(self, vmid: int) -> None:
        if self.slow:
            self.slow.wait(BOOT_TIMEOUT_S)
        if vmid in self.broken:
            raise Died(self.broken[vmid])
        self.order.append(f"start {vmid}")
        self.started_at[vmid] = time.monotonic()

    def stop(self, vmid: int) -> None:
        self.order.append(f"stop {vmid}")
        del self.started_at[vmid]

    def shutdown(self, vmid: int, timeout_s: int) -> bool:
        if vmid in self.deaf:
            return False
        self.order.append(f"shutdown {vmid} {timeout_s}")
        del self.started_at[vmid]
        return True

    def interfaces(self, vmid: int) -> list[dict[str, Any]]:
        counters = {"bytes": 656, "packets": 8, "errors": 0, "dropped": 0}
        return [
            {
                "ifname": "lo",
                "address": "00:00:00:00:00:00",
                "addr_info": [
                    {"family": "inet", "local": "127.0.0.1", "prefixlen": 8},
                    {"family": "inet6", "local": "::1", "prefixlen": 128},
                ],
                "stats64": {"rx": counters, "tx": counters},
            },
            {
                "ifname": "eth0",
                "address": "bc:24:11:75:39:4c",
                "addr_info": [{"family": "inet", "local": "10.98.0.50", "prefixlen": 24}],
                "stats64": {"rx": counters, "tx": counters},
            },
        ]

    def agent_answers(self, vmid: int) -> bool:
        return vmid not in self.silent


@dataclass
class SiteNode:
    """One node of a site: its files, its guests, and the API's address."""

    node: Node
    runtime: MemoryRuntime
    base_url: str = ""

    @property
    def etc_pve(self) -> Path:
        return self.node.layout.etc_pve

    def put(self, name: str, text: str) -> Path:
        """Write a file below ``/etc/pve``."""
        path = self.etc_pve / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def guest(
        self, vmid: int, text: str, kind: GuestKind = "qemu", *, running: bool = False
    ) -> None:
        """Declare a guest of this node."""
        self.put(f"nodes/{self.node.name}/{DIRECTORY[kind]}/{vmid}.conf", text)
        if running:
            self.runtime.started_at[vmid] = time.monotonic()

    def disk(self, name: str, size: int = 2**20) -> Path:
        """Make a volume in the store ``local``."""
        path = self.store / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.truncate(size)
        return path

    @property
    def store(self) -> Path:
        """Directory of the store ``local``."""
        return self.etc_pve.parent / "store"

    def measure(self) -> None:
        """What the node does every ten seconds: figures for ``/cluster/resources``."""
        collect(self.node, CpuUsage())


def make_site_node(directory: Path, name: str, secrets: Path) -> SiteNode:
    """Lay a node out below ``directory``; it serves nothing yet."""
    layout = Layout(
        node=name,
        etc_pve=directory / "pve",
        task_logs=directory / "tasks",
        status=directory / "status",
        locks=directory / "locks",
        mountinfo=directory / "mountinfo",
        interfaces=directory / "net",
        hosts=directory / "hosts",
        systemctl=directory / "systemctl",
        qdevice=directory / "qdevice.sock",
    )
    layout.etc_pve.mkdir(parents=True)
    layout.hosts.write_text("127.0.0.1 localhost\n10.77.0.20 nas1.rack.test nas1 # storage\n")
    layout.systemctl.write_text(SYSTEMCTL)
    layout.systemctl.chmod(0o755)
    for shipped in cluster_files(secrets, TOPOLOGY):
        path = layout.etc_pve / shipped.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shipped.content)
        path.chmod(shipped.mode)
    (layout.interfaces / "vmbr0").mkdir(parents=True)
    layout.mountinfo.write_text("22 1 252:1 / / rw,relatime - ext4 /dev/vda1 rw\n")
    runtime = MemoryRuntime()
    site = SiteNode(make_node(layout, runtime), runtime)
    site.store.mkdir()
    content = "content images,rootdir,iso,vztmpl,snippets,backup"
    site.put("storage.cfg", f"dir: local\n\tpath {site.store}\n\t{content}\n")
    for kind in DIRECTORY.values():
        (layout.etc_pve / "nodes" / name / kind).mkdir(parents=True, exist_ok=True)
    return site


def make_secrets(directory: Path) -> Path:
    """All secrets of a rack whose machines have loopback addresses."""
    secrets = directory / "secrets"
    pki.fill(secrets, TOPOLOGY)
    return secrets


def members_file(online: Mapping[str, bool], node: str, *, quorate: bool = True) -> str:
    """A ``.members`` file of a cluster of these nodes."""
    nodelist = {
        name: {"id": number, "online": int(up), "ip": LOOPBACK.get(name, f"127.0.0.{number}")}
        for number, (name, up) in enumerate(online.items(), start=1)
    }
    cluster = {"name": "lab", "version": 2, "nodes": len(online), "quorate": int(quorate)}
    return json.dumps({"nodename": node, "version": 4, "cluster": cluster, "nodelist": nodelist})
