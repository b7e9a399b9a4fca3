"""The running cluster file system of one node: looking, listening, asking, deciding."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import REPLICATION_PORT
from ..broadcast import Broadcast
from ..layout import Layout
from .corosync import AUTHKEY, Configuration, QuorumState, membership
from .exchange import Exchange
from .mount import MountPoint
from .peers import Caller, Credentials, Listener
from .quorumwatch import watch_quorum
from .replica import Replica

EVERYWHERE = "0.0.0.0"  # noqa: S104  peers prove themselves before they are heard
LISTEN_RETRY_S = 10.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: between two looks at the directory; for the others to pass on what they
    wrote just before this node came back; until it goes on without one that is silent.
    """

    look_s: float = 0.5
    settle_s: float = 2.0
    patience_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What a cluster file system needs from outside; tests bring their own."""

    node: str
    configuration: Configuration | None
    credentials: Credentials
    mount: MountPoint
    watch_quorum: Callable[[Callable[[QuorumState], None]], Coroutine[Any, Any, None]]
    listen: tuple[str, int]
    timing: Timing = Timing()


class Service:
    """The running cluster file system."""

    def __init__(self, setting: Setting, replica: Replica, broadcast: Broadcast) -> None:
        self._setting = setting
        self._replica = replica
        self._exchange = Exchange(replica, broadcast)
        self._quorum = QuorumState(setting.configuration is None, frozenset())
        self._quorate_since: float | None = None
        self._heard: set[str] = set()
        self._open = False
        self._callers: list[Caller] = []

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        tasks = [asyncio.create_task(work) for work in self._works()]
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)
        self._replica.close()
        for task in done - {stopping}:
            # One that ended has failed. Say why; systemd starts us anew, and until
            # then the configuration stays where everybody looks for it.
            task.result()
        self._setting.mount.detach()

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
            await asyncio.sleep(self._setting.timing.look_s)

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
        node, configuration = self._setting.node, self._setting.configuration
        # First: whoever finds the mount closed looks here for the reason.
        self._replica.publish_members(membership(node, configuration, self._quorum))
        writable = self._quorate_since is not None and self._caught_up(now)
        self._replica.set_writable(writable)
        if writable != self._open and self._setting.mount.set_writable(writable):
            self._open = writable

    def _caught_up(self, now: float) -> bool:
        configuration = self._setting.configuration
        if configuration is None or self._quorate_since is None:
            return configuration is None
        present = {
            peer.name
            for peer in configuration.peers(self._setting.node)
            if peer.node_id in self._quorum.present
        }
        timing = self._setting.timing
        enough_s = timing.settle_s if present <= self._heard else timing.patience_s
        return now - self._quorate_since > enough_s


def serve(
    layout: Layout,
    config: Path,
    configuration: Configuration | None,
    replica: Replica,
    mount: MountPoint,
) -> None:
    """Run the service of this machine until SIGTERM; ``config`` is what is mounted."""
    own = config / "nodes" / layout.node
    setting = Setting(
        node=layout.node,
        configuration=configuration,
        credentials=Credentials(
            layout.node,
            own / "pve-ssl.pem",
            own / "pve-ssl.key",
            config / "pve-root-ca.pem",
            AUTHKEY,
        ),
        mount=mount,
        watch_quorum=watch_quorum,
        listen=(EVERYWHERE, REPLICATION_PORT),
    )
    asyncio.run(Service(setting, replica, Broadcast(layout)).run())
