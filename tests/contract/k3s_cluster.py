"""The k3s stand-in as a cluster of three on loopback, as it is shipped: standard library only."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from blackstart.drivers.k3s import K3sServers
from blackstart.errors import DriverError
from blackstart.rack.standins import k3s
from tests.unit.drivers.tls_server import Authority

ADDRESSES = {"k3s1": "127.0.1.1", "k3s2": "127.0.1.2", "k3s3": "127.0.1.3"}
READER, BLIND = "system:serviceaccount:kube-system:blackstart", "system:serviceaccount:b:lind"
TOKEN, BLIND_TOKEN = "a-token-that-may-list-nodes", "a-token-that-may-not"
GRACE_S = 2.0
CONVERGES_S = 30.0
ENDS_S = 10.0


def port_on(addresses: Mapping[str, str]) -> int:
    """A port that nobody listens on at the first address; taken at all of them alike."""
    with socket.socket() as probe:
        probe.bind((next(iter(addresses.values())), 0))
        return int(probe.getsockname()[1])


@dataclass
class Cluster:
    """Members by name, each a process of its own with files of its own."""

    directory: Path
    authority: Authority
    port: int
    members: dict[str, str] = field(default_factory=lambda: dict(ADDRESSES))
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def configure(self, name: str, certificate: Path | None = None, **changes: Any) -> Path:
        """Write a member's files; ``changes`` go into its configuration."""
        home = self.directory / name
        (home / "tls").mkdir(parents=True, exist_ok=True)
        (home / "cred").mkdir(exist_ok=True)
        chain = certificate or self.authority.issue(self.directory, self.members[name])
        for file in ("serving-kube-apiserver.crt", "serving-kube-apiserver.key"):
            (home / "tls" / file).write_bytes(chain.read_bytes())
        (home / "tls/server-ca.crt").write_bytes(self.authority.ca.read_bytes())
        tokens = f"{TOKEN},{READER},1\n{BLIND_TOKEN},{BLIND},2\n"
        (home / "cred/tokens.csv").write_text(tokens)
        told = {
            "name": name,
            "members": self.members,
            "readers": [READER],
            "server": str(home),
            "bind-address": self.members[name],
            "https-listen-port": self.port,
            "node-status-update-frequency": 0.2,
            "node-monitor-grace-period": GRACE_S,
        }
        path = home / "cluster.json"
        path.write_text(json.dumps({**told, **changes}))
        return path

    def start(self, name: str, certificate: Path | None = None, **changes: Any) -> None:
        """Start a member, as its unit does; it need not come up."""
        configuration = self.configure(name, certificate, **changes)
        self.running[name] = launch(configuration)

    def stop(self, name: str) -> None:
        """End a member, also one that was frozen."""
        process = self.running.pop(name)
        process.kill()
        process.communicate(timeout=ENDS_S)

    def freeze(self, name: str) -> None:
        """Its kernel takes connections and nobody ever answers."""
        self.running[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """It goes on."""
        self.running[name].send_signal(signal.SIGCONT)

    def url(self, name: str, path: str) -> str:
        """Where a member has a path."""
        return f"https://{self.members[name]}:{self.port}{path}"

    def get(self, name: str, path: str, token: str | None = TOKEN) -> requests.Response:
        """One request over verified TLS, without the product's driver."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        ca = str(self.authority.ca)
        return requests.get(self.url(name, path), headers=headers, verify=ca, timeout=10)

    @contextmanager
    def api(self, *names: str, token: str = TOKEN) -> Iterator[K3sServers]:
        """The product's driver for some members, or all."""
        servers = {name: (self.members[name], self.port) for name in names or self.members}
        api = K3sServers(servers, token=token, ca=self.authority.ca)
        try:
            yield api
        finally:
            api.close()

    def ready(self, *names: str) -> dict[str, bool]:
        """Readiness of every node, as the driver sees it through some members."""
        with self.api(*names) as api:
            return {node.name: node.ready for node in api.nodes()}

    def settles(self, *names: str, **nodes: bool) -> None:
        """Wait until the nodes are seen so through each of the members."""
        wanted = dict.fromkeys(self.members, True) | nodes
        for name in names or self.members:
            await_that(lambda name=name: self.ready(name) == wanted)  # type: ignore[misc]


def launch(configuration: Path) -> subprocess.Popen[str]:
    """The stand-in as its unit runs it, with neither this project nor its libraries in reach."""
    return subprocess.Popen(
        [sys.executable, "-S", "-s", "-m", "k3s", str(configuration)],
        env={"PYTHONPATH": str(Path(k3s.__file__).parents[1]), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
    )


@contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """A healthy cluster; every process of it is gone afterwards."""
    made = Cluster(directory, Authority.make(directory), port_on(ADDRESSES))
    try:
        for name in made.members:
            made.start(name)
        made.settles()
        yield made
    finally:
        for name in tuple(made.running):
            made.stop(name)


def await_that(happened: Callable[[], bool], within_s: float = CONVERGES_S) -> None:
    """Poll until it happened; a cluster that does not answer yet is none that it happened in."""
    until = time.monotonic() + within_s
    while True:
        try:
            if happened():
                return
            why = "it is not so"
        except DriverError as error:
            why = str(error)
        assert time.monotonic() < until, f"not within {within_s:g} s: {why}"
        time.sleep(0.1)
