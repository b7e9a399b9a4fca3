"""Who the members are, and whether this server is one of them where it stands.

A member of embedded etcd is known by its address for ever. One that starts at another is
refused (k3s-io/k3s issue 11778; ``Test`` in k3s' ``pkg/etcd/etcd.go``), so the address that
it had when it last started, which is its node's ``InternalIP`` (issue 2827), is always the
one in the member list.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

PEER_PORT = 2380
"""etcd's, in the words of a refusal; members of this stand-in look at each other's API."""
ADDRESS_WAIT_S = 60.0
"""For how long a start waits for its machine to get any address; then systemd tries again."""
ADDRESS_POLL_S = 1.0
LOOK_EVERY_S = 10.0
"""The kubelet's own rate (``nodeStatusUpdateFrequency``). A look costs an emulated processor
a TLS handshake on each side."""
GRACE_S = 30.0
"""From the last answer until the node is no longer ready: 40 s in Kubernetes, 50 s since 1.32.
Three heartbeats here, so that a drill need not wait for five, and one that a busy processor
missed moves nothing."""


class NotStarted(Exception):
    """Why this server does not start, in k3s' own words."""


class Configuration(NamedTuple):
    """``members`` maps names to addresses, this server's own among them.

    ``readers`` are the users that may list nodes; every other only sees what
    ``system:public-info-viewer`` shows to all (``access.py``).
    """

    name: str
    members: Mapping[str, str]
    readers: tuple[str, ...]
    certificate: Path
    key: Path
    authority: Path
    tokens: Path
    bind: str
    port: int
    look_every_s: float
    grace_s: float

    @classmethod
    def read(cls, path: Path) -> Configuration:
        """From JSON. What may be missing has the name that k3s, its kubelet or its controller
        manager has for it; times in seconds.
        """
        told = json.loads(path.read_text("utf-8"))
        server = Path(told["server"])
        return cls(
            name=told["name"],
            members=dict(told["members"]),
            readers=tuple(told["readers"]),
            certificate=server / "tls/serving-kube-apiserver.crt",
            key=server / "tls/serving-kube-apiserver.key",
            authority=server / "tls/server-ca.crt",
            tokens=server / "cred/tokens.csv",
            bind=told.get("bind-address", "0.0.0.0"),  # noqa: S104 - as k3s does
            port=told.get("https-listen-port", 6443),
            look_every_s=told.get("node-status-update-frequency", LOOK_EVERY_S),
            grace_s=told.get("node-monitor-grace-period", GRACE_S),
        )

    @property
    def address(self) -> str:
        """Where the cluster knows this server."""
        return self.members[self.name]

    @property
    def peers(self) -> Mapping[str, str]:
        """Every other member."""
        return {name: address for name, address in self.members.items() if name != self.name}


def holds(address: str) -> bool:
    """Whether this machine has an address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        try:
            own.bind((address, 0))
        except OSError:
            return False
    return True


def await_address(configuration: Configuration) -> None:
    """Return once this machine has the address that it has in the member list.

    Raises ``NotStarted`` at once when it has another, and after ``ADDRESS_WAIT_S`` seconds
    when it has none. To wait in here costs less than a new interpreter every few seconds.
    """
    until = time.monotonic() + ADDRESS_WAIT_S
    while not holds(configuration.address):
        current = _towards([*configuration.peers.values(), configuration.address])
        if current is not None:
            raise NotStarted(_refusal(configuration, current))
        if time.monotonic() >= until:
            raise NotStarted("no default routes found in /proc/net/route")
        time.sleep(ADDRESS_POLL_S)


def _towards(addresses: list[str]) -> str | None:
    """The address from which this machine would speak to one of these; nothing is sent."""
    for address in addresses:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((address, PEER_PORT))
            except OSError:
                continue
            return str(probe.getsockname()[0])
    return None


def _refusal(configuration: Configuration, current: str) -> str:
    found = " ".join(
        f"{name}=https://{address}:{PEER_PORT}" for name, address in configuration.members.items()
    )
    return (
        f"this server is a not a member of the etcd cluster. Found [{found}], "
        f"expect: {configuration.name}=https://{current}:{PEER_PORT}"
    )
