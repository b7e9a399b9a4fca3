"""All looks at a site end within one bound: who hangs is unproven, everybody else is read.

On loopback: a real sshd, a host that takes connections and never says a word, an API that does
the same; bounds a tenth of the real ones.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blackstart import looking
from blackstart.drivers.base import Site
from blackstart.drivers.triage import Triage
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable
from blackstart.looking import FACTS, HOSTS, READINESS, look_at_all
from blackstart.model.inventory import Inventory
from blackstart.model.readiness import Readiness
from blackstart.wiring import connect
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import Lies, World

from .drivers import sshd as server
from .drivers.captures import data
from .drivers.tls_server import Authority, Reply, serving

WHOLE_S, GREET_S, KEPT_S = 12.0, 3.0, 2.0


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """So short that a test can wait for them."""
    for name, seconds in (("WHOLE_S", WHOLE_S), ("GREET_S", GREET_S), ("KEPT_S", KEPT_S)):
        monkeypatch.setattr(looking, name, seconds)


@contextmanager
def silent(address: str, port: int = 0) -> Iterator[int]:
    """Something that takes every connection and never answers; its port."""
    with socket.create_server((address, port), backlog=64) as listening:
        yield listening.getsockname()[1]


def lab(sshd: server.Sshd, api_port: int, tmp_path: Path, at_once: int) -> Inventory:
    """``well`` answers, ``hung`` takes connections and says nothing, and so does the API."""
    token = tmp_path / "token"
    token.write_text("look@pve!t1=5e3a9f10-0000-4000-8000-7c0ffee00001")
    token.chmod(0o600)
    target = sshd.target()
    return Inventory.model_validate(
        {
            "site": "lab",
            "domain": "lab.test",
            "ssh": {
                **{"known_hosts": f"file:{sshd.known_hosts}", "port": sshd.port},
                **{"user": target.user, "key": f"file:{sshd.key}"},
            },
            "nodes": {
                "well": {"address": "127.0.0.1"},
                "hung": {"address": "127.0.0.2", "api": "proxmox"},
            },
            "proxmox": {"token": f"file:{token}", "port": api_port, "fingerprint": "ab" * 32},
            "probing": {"looks_at_once": at_once},
        }
    )


def timed(site: Site) -> tuple[Mapping[str, Any], float]:
    began = time.monotonic()
    return look_at_all(site), time.monotonic() - began


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_hung_host_and_a_hung_api_are_waited_for_once(
    sshd: server.Sshd, tmp_path: Path, at_once: int
) -> None:
    with (
        silent("127.0.0.2", sshd.port),
        silent("127.0.0.2") as api_port,
        connect(lab(sshd, api_port, tmp_path, at_once)) as site,
    ):
        found, took_s = timed(site)
    assert GREET_S <= took_s < WHOLE_S + looking.GRACE_S
    facts, hosts, ready = found[FACTS], found[HOSTS], found[READINESS]
    assert facts.hosts["well"].boot_id.known
    assert hosts["well"].kernels.known
    for seen in (facts.hosts["hung"].boot_id, hosts["hung"].kernels):
        assert seen.error == f"no answer within {GREET_S:.0f} s", "the greeting's own words"
    assert "no answer within" in ready.proxmox.online.error
    assert sshd.logins() == 1, "a greeting is the login of all that follows"


def test_a_closed_api_leaves_the_hosts(sshd: server.Sshd, tmp_path: Path) -> None:
    closed = lab(sshd, server.free_port(), tmp_path, 1)
    with silent("127.0.0.2", sshd.port), connect(closed) as site:
        found, took_s = timed(site)
    assert took_s < WHOLE_S + looking.GRACE_S
    assert found[HOSTS]["well"].kernels.known
    assert "refused" in found[READINESS].proxmox.online.error


def test_nobody_is_away_any_more_after_the_looks(sshd: server.Sshd, tmp_path: Path) -> None:
    with connect(lab(sshd, server.free_port(), tmp_path, 1)) as site:
        look_at_all(site)  # 127.0.0.2 refuses
        with silent("127.0.0.2", sshd.port), pytest.raises(TimedOut, match="no ssh handshake"):
            site.runner.run("hung", "true", timeout_s=1)


@contextmanager
def frozen(certificate: Path, address: str, port: int) -> Iterator[int]:
    """A server whose TLS is well and that answers no request; its port."""
    over = threading.Event()
    with serving(certificate, address, port) as server:
        server.otherwise = lambda _: Reply(501) if over.wait(60) else Reply(500)
        try:
            yield server.port
        finally:
            over.set()


@pytest.mark.parametrize("kind", ["no TLS", "no answer"])
def test_one_endpoint_that_hangs_is_not_the_whole_api(tmp_path: Path, kind: str) -> None:
    """The first of two nodes takes every call and answers none; the other one is not late."""
    authority = Authority.make(tmp_path)
    with ExitStack() as stack:
        node = stack.enter_context(serving(authority.issue(tmp_path, "127.0.0.1")))
        own = authority.issue(tmp_path, "127.0.0.2")
        stack.enter_context(
            silent("127.0.0.2", node.port)
            if kind == "no TLS"
            else frozen(own, "127.0.0.2", node.port)
        )
        members = [{"type": "node", "name": name, "online": 1} for name in ("hung", "well")]
        for path, answer in (
            ("version", {}),
            ("cluster/status", members),
            ("nodes/well/time", {"time": 1_800_000_000}),
        ):
            node.answers[f"GET /api2/json/{path}"] = data(answer)
        with connect(two_nodes(tmp_path, authority, node.port)) as site:
            found, took_s = timed(site)
        again = [line for line in node.lines() if "nodes/hung" in line]
    proxmox = found[READINESS].proxmox
    assert took_s < WHOLE_S
    assert proxmox.online.value == {"hung": True, "well": True}
    assert proxmox.hypervisors["well"].clock_ahead_s.known
    assert "no answer within" in str(proxmox.hypervisors["hung"].clock_ahead_s.error)
    assert not again, "it is not asked for through the other one either"


def two_nodes(tmp_path: Path, authority: Authority, port: int) -> Inventory:
    """Two nodes with an API, on addresses of their own, and no ssh."""
    token = tmp_path / "token"
    token.write_text("look@pve!t1=5e3a9f10-0000-4000-8000-7c0ffee00001")
    token.chmod(0o600)
    access = {"token": f"file:{token}", "port": port, "ca": f"file:{authority.ca}"}
    return Inventory.model_validate(
        {
            "site": "lab",
            "domain": "lab.test",
            "nodes": {
                "hung": {"address": "127.0.0.2", "api": "proxmox"},
                "well": {"address": "127.0.0.1", "api": "proxmox"},
            },
            "proxmox": access,
            "ssh": "none",
            "probing": {"looks_at_once": 3},
        }
    )


class Slow:
    """Looks that take a while and keep the bound that they are given.

    Each waits until ``together`` of them have met, so that a busy machine keeps nobody apart.
    """

    def __init__(self, triage: Triage, **needs_s: float) -> None:
        self._triage = triage
        self._needs_s = needs_s
        self._lock = threading.Condition()
        self.now, self.most, self.together = 0, 0, 1
        self.given: dict[str, float] = {}

    def look(self, name: str) -> str:
        """``done`` when the bound was long enough."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            bound_s = self.given[name] = self._triage.bound(60.0)
            self._lock.notify_all()
            self._lock.wait_for(lambda: self.most >= self.together, timeout=3.0)
        time.sleep(min(self._needs_s[name], bound_s))
        with self._lock:
            self.now -= 1
        return "done" if self._needs_s[name] <= bound_s else "cut"


def slow_site(at_once: int, away: bool, **needs_s: float) -> tuple[Site, Slow]:
    """A site of slow looks; one host of it is ``away`` or all answer."""
    site = site_of(World(small_site(), Lies()))
    probing = site.inventory.probing.model_copy(update={"looks_at_once": at_once})
    slow = Slow(site.triage, **needs_s)

    def greeted() -> None:
        if away:
            raise Unreachable("a1: No route to host")

    return (
        replace(
            site,
            inventory=site.inventory.model_copy(update={"probing": probing}),
            greetings={"a1": greeted},
            facts=lambda: slow.look(FACTS),  # type: ignore[arg-type, return-value]
            host_boots=lambda: slow.look(HOSTS),  # type: ignore[arg-type, return-value]
            readiness=lambda: slow.look(READINESS),  # type: ignore[arg-type, return-value]
        ),
        slow,
    )


@pytest.mark.parametrize(
    ("away", "declared", "at_once"),
    [(False, 1, 1), (False, 2, 2), (False, 3, 3), (True, 1, 2), (True, 2, 2), (True, 3, 3)],
)
def test_so_many_looks_go_on_at_once_and_no_more(away: bool, declared: int, at_once: int) -> None:
    """While somebody is waited for, another look goes on."""
    site, slow = slow_site(declared, away, facts=0.3, hosts=0.3, readiness=0.3)
    slow.together = at_once
    assert set(look_at_all(site).values()) == {"done"}
    assert slow.most == at_once


def test_a_look_that_hangs_leaves_each_other_one_its_share() -> None:
    site, slow = slow_site(1, True, facts=99, hosts=1, readiness=1)
    found, took_s = timed(site)
    assert dict(found) == {READINESS: "done", FACTS: "cut", HOSTS: "done"}
    assert slow.given[FACTS] == pytest.approx(WHOLE_S - KEPT_S - 1, abs=1)
    assert took_s < WHOLE_S + looking.GRACE_S


def test_where_all_hang_it_ends_all_the_same() -> None:
    site, _ = slow_site(3, False, facts=99, hosts=99, readiness=99)
    found, took_s = timed(site)
    assert set(found.values()) == {"cut"}
    assert took_s < WHOLE_S + looking.GRACE_S


def test_a_slow_site_of_which_everybody_answers_has_the_time_that_it_needs() -> None:
    site, slow = slow_site(1, False, facts=0.1, hosts=0.1, readiness=0.1)
    assert set(look_at_all(site).values()) == {"done"}
    assert set(slow.given.values()) == {60.0}


def test_who_answers_and_says_no_is_not_away() -> None:
    site, slow = slow_site(1, False, facts=0, hosts=0, readiness=0)

    def refuses() -> None:
        raise Rejected("403")

    look_at_all(replace(site, greetings={"a1": refuses}))
    assert set(slow.given.values()) == {60.0}


def test_what_a_look_raises_is_what_it_gave() -> None:
    site, _ = slow_site(3, False, facts=0, hosts=0, readiness=0)

    def fails() -> Readiness:
        raise TimedOut("no answer within 42 s")

    found = look_at_all(replace(site, readiness=fails))
    assert isinstance(found[READINESS], DriverError)
    assert found[FACTS] == "done"
