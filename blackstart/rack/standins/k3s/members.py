"""Which members answer where they are known: quorum, and which node is ready.

Each server looks at its peers by itself, over TLS verified against their known addresses, at
k3s' own ``/ping``, which takes no token. An answer is what a kubelet's heartbeat and etcd's
are together in a real cluster.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import NamedTuple

from .cluster import Configuration, holds

LOOK_LIMIT_S = 5.0
"""etcd's election timeout under k3s: a leader that is silent for longer is none."""


class View(NamedTuple):
    """One node as this server sees it. Times in seconds since the epoch.

    ``heard`` is the last heartbeat, ``since`` when ``ready`` last changed.
    """

    name: str
    address: str
    ready: bool
    heard: float
    since: float


class Peer:
    """What is known of one other member. Written by its own thread alone."""

    def __init__(self, name: str, address: str, grace_s: float) -> None:
        self.name, self.address = name, address
        self._grace_s = grace_s
        self.answers = False
        self._last: float | None = None
        self._heard = self._ready_since = time.time()  # never heard: not ready since then

    def note(self, answers: bool) -> None:
        """The result of a look. Clocks of machines from a saved state jump: grace is counted
        on the monotonic one."""
        if answers:
            now = time.time()
            if not self._within_grace():
                self._ready_since = now
            self._last, self._heard = time.monotonic(), now
        self.answers = answers

    def view(self) -> View:
        """The node as the API shows it."""
        ready = self._within_grace()
        lost = not ready and self._last is not None
        since = self._heard + self._grace_s if lost else self._ready_since
        return View(self.name, self.address, ready, self._heard, since)

    def _within_grace(self) -> bool:
        return self._last is not None and time.monotonic() - self._last < self._grace_s


class Members:
    """This server and its peers."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._trust = ssl.create_default_context(cafile=str(configuration.authority))
        self._peers = tuple(
            Peer(name, address, configuration.grace_s)
            for name, address in configuration.peers.items()
        )
        self._began = time.time()

    def watch(self) -> None:
        """Look at every peer from now on, each from a thread of its own: one that hangs
        hides itself only."""
        for peer in self._peers:
            threading.Thread(target=self._keep_looking, args=(peer,), daemon=True).start()

    def quorate(self) -> bool:
        """Whether most members answer. One that lost its own address counts nobody: its peers
        take nothing from an address that is not in its certificate."""
        if not holds(self._configuration.address):
            return False
        there = 1 + sum(peer.answers for peer in self._peers)
        return there * 2 > len(self._configuration.members)

    def views(self) -> list[View]:
        """Every node, in the order of the member list."""
        mine = self._configuration.name
        seen = {peer.name: peer.view() for peer in self._peers}
        seen[mine] = View(mine, self._configuration.address, True, time.time(), self._began)
        return [seen[name] for name in self._configuration.members]

    def _keep_looking(self, peer: Peer) -> None:
        while True:
            peer.note(self._answers(peer.address))
            time.sleep(self._configuration.look_every_s)

    def _answers(self, address: str) -> bool:
        """One bounded look. Only the first bytes count: who sends them singly hangs."""
        endpoint, until = (address, self._configuration.port), time.monotonic() + LOOK_LIMIT_S
        try:
            with socket.create_connection(endpoint, LOOK_LIMIT_S) as plain:
                plain.settimeout(_left(until))
                with self._trust.wrap_socket(plain, server_hostname=address) as secure:
                    secure.sendall(f"GET /ping HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
                    secure.settimeout(_left(until))
                    return secure.recv(64).partition(b" ")[2].startswith(b"200 ")
        except OSError:
            return False


def _left(until: float) -> float:
    """Seconds to a monotonic time; never none, which would be a socket without waiting."""
    return max(until - time.monotonic(), 0.1)
