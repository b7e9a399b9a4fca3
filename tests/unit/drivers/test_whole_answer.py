"""Answers without an end, over real TLS: each driver gives up at the bound and says so."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blackstart.drivers import whole_answer
from blackstart.drivers.k3s import K3sServers
from blackstart.drivers.maas_api import Key, MaasApi
from blackstart.drivers.proxmox_api import ProxmoxApi, Token
from blackstart.drivers.redfish import Controller, RedfishPower
from blackstart.errors import Rejected

from .tls_server import Authority, Reply, Server, fingerprint, serving

MIB = 1 << 20
ENDLESS = Reply(body=b" " * (1 << 14), endless=True)
ZEROS = Reply(body=gzip.compress(bytes(8 * MIB)), headers={"Content-Encoding": "gzip"})
TOKEN = Token("drill@pve", "t1", "0000")
SAID = "the answer is larger than 1 MiB"

Ask = Callable[[Server, Path], object]


def proxmox(server: Server, ca: Path) -> object:
    return ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=ca, port=server.port).get("version")


def proxmox_post(server: Server, ca: Path) -> object:
    api = ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=ca, port=server.port)
    return api.post("nodes/pve1/qemu/100/status/start")


def pinned(server: Server, ca: Path) -> object:
    (certificate,) = ca.parent.glob("endpoint-*.pem")
    plain = fingerprint(certificate).replace(":", "").lower()
    pins = {"pve1": plain}
    api = ProxmoxApi(
        {"pve1": "127.0.0.1"}, token=TOKEN, ca=None, port=server.port, fingerprints=pins
    )
    return api.get("version")


def maas(server: Server, ca: Path) -> object:
    url = f"https://127.0.0.1:{server.port}/MAAS"
    return MaasApi(url, key=Key("consumer", "token", "secret"), ca=ca).get("version/")


def redfish(server: Server, ca: Path) -> object:
    url = f"https://127.0.0.1:{server.port}"
    return RedfishPower({"pve1": Controller(url, "pve1", "drill", "p", ca)}).state("pve1")


def k3s_nodes(server: Server, ca: Path) -> object:
    return K3sServers({"one": ("127.0.0.1", server.port)}, token="t", ca=ca).nodes()


def k3s_ready(server: Server, ca: Path) -> object:
    return K3sServers({"one": ("127.0.0.1", server.port)}, token="t", ca=ca).failing("one")


DRIVERS: dict[str, Ask] = {
    "proxmox": proxmox,
    "proxmox, a POST": proxmox_post,
    "proxmox, pinned": pinned,
    "maas": maas,
    "redfish": redfish,
    "k3s, nodes": k3s_nodes,
    "k3s, readyz": k3s_ready,
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One MiB is enough here; nothing may take much more of this machine's memory."""
    monkeypatch.setattr(whole_answer, "MAX_BYTES", MIB)
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("answer", [ENDLESS, ZEROS], ids=["endless", "packed"])
@pytest.mark.parametrize("name", DRIVERS)
def test_an_answer_without_an_end_is_cut_off_and_said(
    name: str, answer: Reply, node: Server, authority: Authority
) -> None:
    node.otherwise = answer
    with pytest.raises(Rejected, match=SAID):
        DRIVERS[name](node, authority.ca)
    assert len(node.asked) == 1
    assert tracemalloc.get_traced_memory()[1] < 12 * MIB


@pytest.mark.parametrize("name", DRIVERS)
def test_a_page_of_an_error_without_an_end_is_cut_off_too(
    name: str, node: Server, authority: Authority
) -> None:
    node.otherwise = Reply(500, "Internal Server Error", ENDLESS.body, endless=True)
    with pytest.raises(Rejected, match=SAID):
        DRIVERS[name](node, authority.ca)


def test_what_is_as_large_as_it_may_be_is_an_answer(node: Server, authority: Authority) -> None:
    body = json.dumps({"data": "x" * (MIB - 12)}).encode()
    assert len(body) == MIB
    node.otherwise = Reply(body=body)
    assert proxmox(node, authority.ca) == "x" * (MIB - 12)


def test_a_connection_that_was_cut_off_is_not_used_again(
    node: Server, authority: Authority, tmp_path: Path
) -> None:
    with serving(authority.issue(tmp_path, "127.0.0.1")) as server:
        server.otherwise = ENDLESS
        api = ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=authority.ca, port=server.port)
        with pytest.raises(Rejected, match=SAID):
            api.get("version")
        server.otherwise = Reply(body=b'{"data": {"version": "9.1.7"}}')
        assert api.get("version") == {"version": "9.1.7"}
        assert server.connections == 2
        api.close()
