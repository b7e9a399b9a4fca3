"""What the doctor says of each thing: reached, wrong with the command that mends it, or away."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blackstart.doctor import apis, rounds, wires
from blackstart.doctor.contacts import Contacts, ProxmoxContact
from blackstart.drivers.maas_api import Key, MaasApi
from blackstart.drivers.proxmox_api import ProxmoxApi, parse_token
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable
from blackstart.model.k3s_facts import K3sNode
from blackstart.model.observed import Observed
from blackstart.model.reach import Reach, State, verdict_of
from tests.unit.drivers.captures import data, needs_captures, replay
from tests.unit.drivers.sshd import free_port
from tests.unit.drivers.tls_server import Authority, Reply, Server, fingerprint, serving

from .doctoring import MAC, Names, NoPower, contacts, declared, only
from .first_contact import BASE, GRANT, TOKEN, genuine, typed


@needs_captures
class TestProxmox:
    """At a server that answers as the genuine one."""

    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority.make(tmp_path)

    @pytest.fixture
    def certificate(self, authority: Authority, tmp_path: Path) -> Path:
        return authority.issue(tmp_path, "127.0.0.1")

    @pytest.fixture
    def node(self, certificate: Path) -> Iterator[Server]:
        with serving(certificate) as made:
            genuine(made)
            yield made

    @contextmanager
    def asking(self, port: int, ca: Path | None, **changes: Any) -> Iterator[Contacts]:
        token = parse_token(TOKEN)
        pins: Mapping[str, str] = changes.get("fingerprints", {})
        api = ProxmoxApi({"pve1": "127.0.0.1"}, token=token, ca=ca, port=port, fingerprints=pins)
        inventory = declared(proxmox={"token": "env:PVE_TOKEN", "port": port})
        yield contacts(inventory, proxmox=ProxmoxContact({"pve1": api}, api))
        api.close()

    def both(self, port: int, ca: Path | None, **changes: Any) -> tuple[Reach, Reach]:
        with self.asking(port, ca, **changes) as known:
            assert known.proxmox is not None
            api = only(apis.proxmox_node(known, known.proxmox, "pve1"))
            return api, only(apis.proxmox_token(known.proxmox))

    def test_reached(self, node: Server, authority: Authority) -> None:
        api, token = self.both(node.port, authority.ca)
        assert (api.state, api.said) == (State.REACHED, "Proxmox VE 9.1.7")
        assert (token.state, token.thing) == (State.REACHED, "token bob@pve!t1")
        assert {asked.method for asked in node.asked} == {"GET"}

    def test_nodes_that_stand_alone_are_told(self, node: Server, authority: Authority) -> None:
        nodes = {"pve1": "127.0.0.1", "pve2": "127.0.0.1"}
        api = ProxmoxApi(nodes, token=parse_token(TOKEN), ca=authority.ca, port=node.port)
        found = only(apis.proxmox_token(ProxmoxContact({}, api)))
        api.close()
        assert found.state is State.WRONG
        assert found.said.startswith("pve2 in no cluster with pve1 (cluster/status); ")
        assert found.fix == ""

    def test_a_token_that_sees_nothing(self, node: Server, authority: Authority) -> None:
        node.answers[f"{BASE}/access/permissions"] = replay("200-token-permissions")
        node.answers[f"{BASE}/cluster/status"] = Reply(
            403, "Permission check failed (/, Sys.Audit)"
        )
        api, token = self.both(node.port, authority.ca)
        assert api.state is State.REACHED
        assert (token.state, token.fix) == (State.WRONG, GRANT)
        for words in ("Sys.Audit on /", "VM.Audit on /vms", "Datastore.Audit on /storage"):
            assert words in token.said

    def test_one_privilege_is_missing(self, node: Server, authority: Authority) -> None:
        seen = dict.fromkeys(("Sys.Audit", "VM.Audit", "VM.GuestAgent.Audit"), 1)
        paths = dict.fromkeys(("/", "/nodes", "/vms", "/storage"), seen)
        node.answers[f"{BASE}/access/permissions"] = data(paths)
        _, token = self.both(node.port, authority.ca)
        assert token.said == "it lacks Datastore.Audit on /storage (stores)"

    def test_a_token_that_is_refused(self, node: Server, authority: Authority) -> None:
        node.answers.clear()
        node.otherwise = replay("401-token-nosuch")
        for found in self.both(node.port, authority.ca):
            assert (found.state, found.said) == (State.WRONG, "401 Authentication failed!")
            assert found.fix.endswith("pveum user token list 'bob@pve'")

    def test_a_certificate_that_is_not_believed(self, node: Server, certificate: Path) -> None:
        api, _ = self.both(node.port, None)
        assert api.state is State.WRONG
        assert fingerprint(certificate) in api.fix
        api, _ = self.both(node.port, None, fingerprints={"pve1": "ab" * 32})
        assert (api.state, "not the pinned one" in api.said) == (State.WRONG, True)
        assert node.asked == []

    def test_another_node_at_that_address(self, node: Server, authority: Authority) -> None:
        other = {"type": "node", "name": "pve9", "local": 1, "online": 1}
        node.answers[f"{BASE}/cluster/status"] = data([other])
        api, _ = self.both(node.port, authority.ca)
        assert (api.state, api.said) == (State.WRONG, "the node that answers there is pve9")

    def test_nobody_there(self, authority: Authority) -> None:
        for found in self.both(free_port(), authority.ca):
            assert (found.state, found.said) == (State.AWAY, "pve1: Connection refused")

    def test_as_a_person_types_it(self, node: Server, authority: Authority, tmp_path: Path) -> None:
        file = tmp_path / "home.yaml"
        ca = str(authority.ca)
        words = ("--proxmox", f"https://127.0.0.1:{node.port}", "--token", "env:PVE_TOKEN")
        assert typed("discover", *words, "--ca", ca, "-o", str(file)).code == 0
        out = tmp_path / "doctor.json"
        good = typed("doctor", "--inventory", str(file), "--json", str(out))
        first, *rest = good.stdout.splitlines()
        assert good.code == 0
        assert first == "PASS      pve1: 1 closed by the inventory, 2 reached"
        assert [line.split()[0] for line in rest] == ["closed", "reached", "reached", "next"]
        assert '"verdict": "pass"' in out.read_text()
        assert "\x1b" not in good.stdout
        node.answers[f"{BASE}/access/permissions"] = replay("200-token-permissions")
        bad = typed("doctor", "--inventory", str(file))
        assert bad.code == 1
        first, second, third, *_ = bad.stdout.splitlines()
        assert first.startswith("FAIL      pve1: 1 wrong or refused, 1 closed")
        assert second.startswith("wrong     token bob@pve!t1: it lacks Sys.Audit on /")
        assert third == f"            fix: {GRANT}"
        file.write_text(file.read_text().replace(f"port: {node.port}", f"port: {free_port()}"))
        assert typed("doctor", "--inventory", str(file)).code == 3
        file.write_text("site: [")
        assert typed("doctor", "--inventory", str(file)).code == 2


@pytest.mark.parametrize(
    ("reply", "state", "said"),
    [
        (Reply(body=b'{"is_superuser": true}'), State.REACHED, "as an administrator"),
        (Reply(body=b'{"is_superuser": false}'), State.WRONG, "is no administrator"),
        (Reply(401, "x", b"Invalid access token: t"), State.WRONG, "401 MAAS knows no such token"),
        (Reply(503, "x", b"busy"), State.AWAY, "MAAS answers 503"),
    ],
)
def test_maas(reply: Reply, state: State, said: str, tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    with serving(authority.issue(tmp_path, "127.0.0.1")) as made:
        made.answers["GET /MAAS/api/2.0/users/"] = reply
        url = f"https://127.0.0.1:{made.port}/MAAS"
        api = MaasApi(url, key=Key("c", "t0k3n", "s3cr3t"), ca=authority.ca)
        found = only(apis.maas(declared(maas={"url": url, "key": "env:K"}), api))
        api.close()
    assert (found.state, said in found.said) == (state, True)
    assert ("maas apikey" in found.fix) is (reply.status == 200 and state is State.WRONG)


class K3s:
    """A cluster of one server that answers as told."""

    def __init__(self, told: Any) -> None:
        self._told = told
        self.servers = {"k1": ("127.0.0.1", 6443)}

    def _say(self, answer: Any) -> Any:
        if isinstance(self._told, DriverError):
            raise self._told
        return answer

    def failing(self, name: str) -> tuple[str, ...]:
        answer: tuple[str, ...] = self._say(self._told)
        return answer

    def nodes(self) -> tuple[K3sNode, ...]:
        node = K3sNode(name="k1", ready=True, why="", addresses=("127.0.0.1",))
        answer: tuple[K3sNode, ...] = self._say((node,))
        return answer


@pytest.mark.parametrize(
    ("told", "state", "granted"),
    [
        ((), State.REACHED, False),
        (("etcd failed",), State.REACHED, False),
        (Rejected("k1: 403 nodes is forbidden"), State.WRONG, True),
        (Rejected("k1: 401 Unauthorized"), State.WRONG, True),
        (Rejected("k1: the answer is not the API's JSON"), State.WRONG, False),
        (Unreachable("k1: Connection refused"), State.AWAY, False),
        (TimedOut("k1: no answer within 5 s"), State.AWAY, False),
    ],
)
def test_k3s(told: Any, state: State, granted: bool) -> None:
    api: Any = K3s(told)
    for found in (only(apis.k3s_server(api, "k1")), only(apis.k3s_nodes(api))):
        assert found.state is state
        assert ("--verb=list --resource=nodes" in found.fix) is granted
    if told == ("etcd failed",):
        assert "not ready: etcd failed" in only(apis.k3s_server(api, "k1")).said


@pytest.mark.parametrize(
    ("told", "state", "mended"),
    [
        ("on", State.REACHED, False),
        (Rejected("pve1: its controller refuses user ops"), State.WRONG, True),
        (Unreachable("pve1: no route"), State.AWAY, False),
    ],
)
def test_a_management_controller(told: Any, state: State, mended: bool) -> None:
    found = only(wires.controller(contacts(declared(), power=NoPower(told)), "pve1"))
    assert (found.state, "out_of_band" in found.fix) == (state, mended)


DNS = {
    "servers": {"ns": {"address": "192.0.2.53"}},
    "names": {"web.lab.test": {"addresses": ["192.0.2.9"]}},
}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Observed(source="dns @192.0.2.53: web.lab.test A", value=("192.0.2.9",)), State.REACHED),
        (Observed(source="dns @192.0.2.53: web.lab.test A: NXDOMAIN", value=()), State.REACHED),
        (Observed(source="dns @192.0.2.53: web.lab.test A: REFUSED", value=()), State.WRONG),
        (Observed(source="dns @192.0.2.53: web.lab.test A", error="timeout"), State.AWAY),
    ],
)
def test_a_name_server(answer: Observed[tuple[str, ...]], state: State) -> None:
    names = Names(answer)
    found = only(wires.name_server(contacts(declared(dns=DNS), names=names), "ns"))
    assert (found.state, names.asked) == (state, [("192.0.2.53", "web.lab.test")])


class TestDhcp:
    """This machine's own way to ask; nothing is sent."""

    @pytest.fixture
    def networks(self) -> dict[str, bool]:
        return {"lo": True, "eno1": False}

    def test_the_interfaces_are_those_of_our_own_network(self) -> None:
        seen = wires.cards()
        assert seen["lo"] is True
        assert set(seen) == {name for _, name in socket.if_nameindex()}

    def test_an_interface_that_is_not_there(self, networks: dict[str, bool]) -> None:
        found = only(wires.dhcp_interface("eno2", networks))
        said = "this machine has no interface eno2, but eno1, lo"
        assert (found.state, found.said) == (State.WRONG, said)

    def test_one_that_is_down(self, networks: dict[str, bool]) -> None:
        found = only(wires.dhcp_interface("eno1", networks))
        assert (found.state, found.fix) == (State.WRONG, "ip link set eno1 up")

    @pytest.mark.parametrize(
        ("code", "fix"), [(1, "run it as root"), (13, "run it as root"), (98, "find out who holds")]
    )
    def test_a_port_that_is_not_ours(
        self, networks: dict[str, bool], code: int, fix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(wires.Wire, "open", refuse)
        found = only(wires.dhcp_interface("lo", networks))
        assert (found.state, found.fix.startswith(fix)) == (State.WRONG, True)

    def test_one_that_can_be_used(
        self, networks: dict[str, bool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed: list[bool] = []

        class Open:
            def close(self) -> None:
                closed.append(True)

        monkeypatch.setattr(wires.Wire, "open", lambda _: Open())
        assert only(wires.dhcp_interface("lo", networks)).state is State.REACHED
        assert closed == [True]


def test_everything_that_is_declared_is_asked() -> None:
    guest = {**MAC, "address": "127.0.0.2", "ssh": True}
    dhcp = {"ns": {"address": "192.0.2.53", "interface": "no-such-card"}}
    inventory = declared(guests={"web": guest}, dns=DNS, dhcp=dhcp)
    known = contacts(
        inventory,
        power=NoPower("on"),
        names=Names(Observed(source="dns", value=())),
        k3s=K3s(()),
    )
    found = rounds.examine(replace(known, proxmox=None))
    assert [item.thing for item in found] == [
        *("ssh pve1", "ssh web", "k3s k1", "k3s nodes"),
        *("redfish pve1", "dns ns", "dhcp no-such-card"),
    ]


def test_who_hangs_is_away_and_keeps_nobody_waiting() -> None:
    class Hanging(NoPower):
        def state(self, host: str) -> Any:
            time.sleep(30)

    guests = {"web": {**MAC, "address": "127.0.0.2"}}
    known = contacts(declared(ssh="none", guests=guests), power=Hanging("on"))
    began = time.monotonic()
    found = rounds.examine(known, deadline_s=1.0)
    assert time.monotonic() - began < 10
    states = {item.thing: item.state for item in found}
    assert states == {"ssh pve1": State.CLOSED, "redfish pve1": State.AWAY}


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([State.REACHED, State.CLOSED], 0),
        ([State.REACHED, State.AWAY], 3),
        ([State.REACHED, State.AWAY, State.WRONG], 1),
        ([State.CLOSED], 3),
        ([], 3),
    ],
)
def test_the_exit_code(states: list[State], code: int) -> None:
    things = [Reach(thing="x", state=state, said="y") for state in states]
    assert verdict_of(things).exit_code == code
