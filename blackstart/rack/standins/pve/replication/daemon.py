"""The service ``pve-cluster``: the cluster file system of one node."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import REPLICATION_PORT, notify
from ..broadcast import Broadcast
from ..layout import Layout
from ..members import Membership, format_membership, non_loopback_addresses
from .corosync import (
    AUTHKEY,
    CONFIGURATION,
    Configuration,
    QuorumState,
    membership,
    read_configuration,
    watch_quorum,
)
from .database import Database
from .exchange import Exchange
from .mount import BindMount, MountPoint
from .peers import Caller, Credentials, Listener
from .replica import Replica
from .tree import Tree

STATE = Path("/var/lib/pve-cluster")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
EVERYWHERE = "0.0.0.0"  # noqa: S104  peers prove themselves before they are heard
LOOK_PERIOD_S = 0.5
SETTLE_S = 2.0
"""Time for the others to pass on what they wrote just before this node came back."""
PATIENCE_S = 5.0
"""How long an online node may stay silent before this one goes on without it."""
LISTEN_RETRY_S = 10.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What a cluster file system needs from outside; tests bring their own."""

    node: str
    configuration: Configuration | None
    credentials: Credentials
    mount: MountPoint
    watch_quorum: Callable[[Callable[[QuorumState], None]], Coroutine[Any, Any, None]]
    listen: tuple[str, int]


def main(_arguments: list[str]) -> int:
    """Serve until SIGTERM. Hangs as long as the node's name has only loopback addresses."""
    layout = Layout.here()
    await_address(layout.node)
    config = STATE / "config"
    own = config / "nodes" / layout.node
    setting = Setting(
        node=layout.node,
        configuration=read_configuration(CONFIGURATION),
        credentials=Credentials(
            layout.node,
            own / "pve-ssl.pem",
            own / "pve-ssl.key",
            config / "pve-root-ca.pem",
            AUTHKEY,
        ),
        mount=BindMount(config, layout.etc_pve),
        watch_quorum=watch_quorum,
        listen=(EVERYWHERE, REPLICATION_PORT),
    )
    service = Service(setting, STATE, Broadcast(layout))
    asyncio.run(service.run(BOOT_ID.read_text().strip()))
    return 0


def await_address(node: str, poll_s: float = 1.0) -> None:
    """Wait until the node's name resolves to an address that others can reach.

    The vendor's cluster file system does not come up before either, and with it
    the boot hangs: Debian's ``127.0.1.1 NAME`` line in ``/etc/hosts`` is enough.
    """
    said = False
    while not _has_address(node):
        if not said:
            said = True
            print(
                f"Unable to resolve node name '{node}' to a non-loopback IP address - "
                "missing entry in '/etc/hosts' or DNS?",
                file=sys.stderr,
                flush=True,
            )
        time.sleep(poll_s)


def _has_address(node: str) -> bool:
    try:
        return bool(non_loopback_addresses(node))
    except socket.gaierror:
        return False


class Service:
    """The running cluster file system."""

    def __init__(self, setting: Setting, state: Path, broadcast: Broadcast) -> None:
        self._setting = setting
        configuration = setting.configuration
        nodes = tuple(n.name for n in configuration.nodes) if configuration else (setting.node,)
        writer = configuration.node_id(setting.node) if configuration else 1
        state.mkdir(parents=True, exist_ok=True)
        (state / "config").mkdir(exist_ok=True)
        tree = Tree(state / "config", setting.node, nodes)
        self._replica = Replica(tree, Database(state / "config.db"), writer)
        self._exchange = Exchange(self._replica, broadcast)
        self._quorum = QuorumState(quorate=configuration is None, present=frozenset())
        self._quorate_since: float | None = None
        self._heard: set[str] = set()
        self._open = False
        self._members: Membership | None = None
        self._members_version = 0
        self._callers: list[Caller] = []

    async def run(self, boot_id: str) -> None:
        """Serve until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await self.serve(boot_id, stop)

    async def serve(self, boot_id: str, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set."""
        self._replica.begin(boot_id)
        self._publish_members()
        self._setting.mount.attach()
        notify.ready()
        tasks = [asyncio.create_task(work) for work in self._works()]
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)
        self._replica.close()
        self._setting.mount.detach()
        for task in done - {stopping}:
            task.result()  # a loop that ended has failed: say why, systemd starts us anew

    def _works(self) -> list[Coroutine[Any, Any, None]]:
        works: list[Coroutine[Any, Any, None]] = [self._look()]
        configuration = self._setting.configuration
        if configuration is None:
            return works
        peers = configuration.peers(self._setting.node)
        port = self._setting.listen[1]
        credentials = self._setting.credentials
        self._callers = [
            Caller(peer, port, credentials, self._exchange, self._heard.add) for peer in peers
        ]
        listener = Listener(peers, credentials, self._exchange)
        works += [self._setting.watch_quorum(self._take_quorum), self._listen(listener)]
        return works + [caller.run() for caller in self._callers]

    async def _look(self) -> None:
        while True:
            self._decide()
            if self._replica.notice_changes():
                for caller in self._callers:
                    caller.wake()
            await asyncio.sleep(LOOK_PERIOD_S)

    def _take_quorum(self, state: QuorumState) -> None:
        if state != self._quorum:
            self._quorum = state
            self._decide()

    async def _listen(self, listener: Listener) -> None:
        while True:
            try:
                await listener.open(*self._setting.listen)
                break
            except OSError as error:
                print(f"cannot listen to the other nodes: {error}", flush=True)
                await asyncio.sleep(LISTEN_RETRY_S)
        try:
            await asyncio.Event().wait()
        finally:
            await listener.close()

    def _decide(self) -> None:
        """Open or close the configuration for writing, as quorum and the peers allow."""
        now = time.monotonic()
        if not self._quorum.quorate:
            self._quorate_since = None
            self._heard.clear()
        elif self._quorate_since is None:
            self._quorate_since = now
        writable = self._quorate_since is not None and self._caught_up(now)
        self._replica.set_writable(writable)
        if writable != self._open and self._setting.mount.set_writable(writable):
            self._open = writable
        self._publish_members()

    def _caught_up(self, now: float) -> bool:
        configuration = self._setting.configuration
        if configuration is None or self._quorate_since is None:
            return configuration is None
        present = {
            peer.name
            for peer in configuration.peers(self._setting.node)
            if peer.node_id in self._quorum.present
        }
        waited_s = now - self._quorate_since
        return waited_s > (SETTLE_S if present <= self._heard else PATIENCE_S)

    def _publish_members(self) -> None:
        configuration = self._setting.configuration
        members = Membership(self._setting.node)
        if configuration:
            members = membership(self._setting.node, configuration, self._quorum)
        if members != self._members:
            self._members = members
            self._members_version += 1
            self._replica.put_members(format_membership(members, self._members_version))
