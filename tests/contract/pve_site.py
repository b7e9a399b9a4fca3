"""A stand-in on loopback: the real application over TLS, guests that are only remembered."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiohttp import web

from blackstart.rack import pki
from blackstart.rack.standins.pve.collection import collect
from blackstart.rack.standins.pve.configkeys import GuestKind
from blackstart.rack.standins.pve.errors import Died
from blackstart.rack.standins.pve.forward import Forwarder
from blackstart.rack.standins.pve.guests import DIRECTORY
from blackstart.rack.standins.pve.hoststats import CpuUsage
from blackstart.rack.standins.pve.layout import Layout
from blackstart.rack.standins.pve.node import Node, make_node
from blackstart.rack.standins.pve.runtime import Vitals
from blackstart.rack.standins.pve.server import make_app
from blackstart.rack.standins.pve.shipping import cluster_files
from blackstart.rack.topology import PVE, Topology

LOOPBACK = {"pve1": "127.0.0.1", "pve2": "127.0.0.2", "nas1": "127.0.0.9"}
TOPOLOGY: Topology = replace(
    PVE,
    machines=tuple(replace(m, address=IPv4Address(LOOPBACK[m.name])) for m in PVE.machines),
)
BOOT_TIMEOUT_S = 10


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
    )
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


class Served:
    """An application served over TLS from a thread of its own; a context manager."""

    def __init__(
        self,
        make: Callable[[int], web.Application],
        address: str,
        certificate: tuple[Path, Path],
        port: int = 0,
    ) -> None:
        self._make = make
        self._address = address
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*certificate)
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Served:
        self._thread.start()
        self._wait(self._open())
        return self

    def __exit__(self, *_exc: object) -> None:
        try:
            self._wait(self._close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(BOOT_TIMEOUT_S)
            self._loop.close()

    @property
    def base_url(self) -> str:
        return f"https://{self._address}:{self.port}"

    def _wait(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(BOOT_TIMEOUT_S)

    async def _open(self) -> None:
        server = await self._loop.create_server(asyncio.Protocol, self._address, self.port)
        self.port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        self._runner = web.AppRunner(self._make(self.port), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._address, self.port, ssl_context=self._context)
        await site.start()

    async def _close(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        # TLS connections say goodbye before they close; asyncio has no public way to wait.
        async with asyncio.timeout(BOOT_TIMEOUT_S):
            while any(each._sock for each in self._loop._transports.values()):  # type: ignore[attr-defined]
                await asyncio.sleep(0.01)


def served(site: SiteNode, port: int = 0) -> Served:
    """The node's API, on its loopback address."""
    layout = site.node.layout
    name = site.node.name
    return Served(
        lambda chosen: make_app(site.node, Forwarder(layout.authority, chosen)),
        LOOPBACK[name],
        (layout.certificate(name), layout.key(name)),
        port,
    )


def copy_cluster_files(source: SiteNode, target: SiteNode) -> None:
    """Bring one node's guests and accounts to another, as the cluster file system would."""
    shutil.copytree(source.etc_pve, target.etc_pve, dirs_exist_ok=True)
