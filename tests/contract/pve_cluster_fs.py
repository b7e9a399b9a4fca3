"""The cluster file system as a process on loopback, with a quorum that a file decides.

``python -m tests.contract.pve_cluster_fs DIRECTORY NODE PORT BOOT TIMING``: real
processes, so that they can be killed; only corosync and the mount are replaced.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from blackstart.rack.standins.pve.broadcast import Broadcast
from blackstart.rack.standins.pve.layout import Layout
from blackstart.rack.standins.pve.replication.corosync import (
    ClusterNode,
    Configuration,
    QuorumState,
)
from blackstart.rack.standins.pve.replication.daemon import prepare
from blackstart.rack.standins.pve.replication.peers import Credentials
from blackstart.rack.standins.pve.replication.service import Service, Setting, Timing
from tests.contract.pve_site import LOOPBACK

NODES = ("pve1", "pve2")
CONVERGES_S = 2.0
"""What the rack's cluster file system promises; measured by one test, and no bound of others."""
ARRIVES_S = 15.0
"""For those who only want to see that it arrives, on a machine that is busy with other things."""
STARTS_S = 15.0
TIMINGS = {"real": Timing(), "fast": Timing(look_s=0.1, settle_s=0.5, patience_s=2.0)}


@dataclass
class RecordedMount:
    """Writes down what would happen to the mount."""

    record: Path

    def attach(self) -> None:
        self.record.write_text("ro")

    def set_writable(self, writable: bool) -> bool:
        self.record.write_text("rw" if writable else "ro")
        return True

    def detach(self) -> None:
        self.record.write_text("detached")


@dataclass
class FileSystemNode:
    """One node's cluster file system: its directory and, while it runs, its process."""

    directory: Path
    name: str
    port: int
    timing: str = "fast"
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.directory / "state/config"

    @property
    def mount(self) -> str:
        return (self.directory / "mount").read_text()

    def quorum(self, *present: str) -> None:
        """Corosync's view: quorate with these nodes, or not at all."""
        numbers = [NODES.index(name) + 1 for name in present]
        content = json.dumps({"quorate": bool(present), "present": numbers})
        temporary = self.directory / "quorum.new"
        temporary.write_text(content)
        temporary.replace(self.directory / "quorum")

    def start(self, boot: str = "boot-1") -> None:
        """Start the process and wait until it has prepared its directory."""
        (self.directory / "mount").unlink(missing_ok=True)
        where = [str(self.directory), self.name, str(self.port)]
        command = [sys.executable, "-m", __name__, *where, boot, self.timing]
        log = (self.directory / "log").open("ab")
        with log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        await_that((self.directory / "mount").exists, STARTS_S)

    def kill(self) -> None:
        """As a power cut or ``kill -9``: nothing is put in order."""
        self._end("kill")

    def stop(self) -> None:
        """In order, as systemd does."""
        self._end("terminate")

    def _end(self, how: str) -> None:
        if self.process:
            getattr(self.process, how)()
            self.process.wait(STARTS_S)
            self.process = None

    def committed(self, path: str, content: str) -> bool:
        """Whether this content has become a version, in the database."""
        with closing(sqlite3.connect(self.directory / "state/config.db")) as database:
            row = database.execute("SELECT data FROM tree WHERE name = ?", (path,)).fetchone()
        return row is not None and row[0] == content.encode()

    def log(self) -> str:
        return (self.directory / "log").read_text()


def await_that(condition: Callable[[], bool], bound_s: float) -> float:
    """Wait until it is so; how long that took, in seconds. Fails when it takes too long."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < bound_s, f"not so within {bound_s} s"
        time.sleep(0.02)
    return time.monotonic() - began


def main(directory: Path, name: str, port: int, boot: str, timing: str) -> None:
    """Serve until SIGTERM."""

    async def watch_quorum(report: Callable[[QuorumState], None]) -> None:
        while True:
            view = json.loads((directory / "quorum").read_text())
            report(QuorumState(view["quorate"], frozenset(view["present"])))
            await asyncio.sleep(0.1)

    nodes = tuple(
        ClusterNode(node, number, LOOPBACK[node]) for number, node in enumerate(NODES, start=1)
    )
    keys = directory / "keys"
    configuration = Configuration("lab", 2, nodes)
    mount = RecordedMount(directory / "mount")
    setting = Setting(
        node=name,
        configuration=configuration,
        credentials=Credentials(
            name, keys / "own.crt", keys / "own.key", keys / "ca.crt", keys / "authkey"
        ),
        mount=mount,
        watch_quorum=watch_quorum,
        listen=(LOOPBACK[name], port),
        timing=TIMINGS[timing],
    )
    nowhere = directory / "nowhere"
    layout = Layout(
        name, directory / "state/config", nowhere, directory / "status", nowhere, nowhere, nowhere
    )
    replica = prepare(name, configuration, directory / "state", boot, mount)
    asyncio.run(Service(setting, replica, Broadcast(layout)).run())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
