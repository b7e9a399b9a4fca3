"""discover and doctor at a MAAS as recorded: what it reserves is used, and all is GET."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from blackstart.inventory_file import load
from tests.contract.maas_recorded import (
    BASE,
    CONSUMER,
    SCHEMA_FILE,
    SECRET,
    TOKEN,
    Replay,
    administrators_scene,
    exchanges,
    needs_recordings,
)
from tests.contract.test_maas_recorded import endpoint
from tests.unit.drivers.captures import data, needs_captures
from tests.unit.drivers.tls_server import Authority, Reply, Server, fingerprint, serving
from tests.unit.first_contact import BASE as PVE
from tests.unit.first_contact import Typed, genuine, has_guest, listed, typed

pytestmark = [needs_recordings, needs_captures]
KEY = f"{CONSUMER}:{TOKEN}:{SECRET}"
WHOAMI = "GET users/?op=whoami"


@dataclass
class Home:
    """A node with a guest that nobody sees inside of, and MAAS; both on loopback."""

    pve: Server
    maas: Server
    replay: Replay
    ca: Path
    pinned: str
    file: Path

    def discover(self, *words: str) -> Typed:
        reached = ("--proxmox", f"127.0.0.1:{self.pve.port}", "--token", "env:PVE_TOKEN")
        url = f"https://127.0.0.2:{self.maas.port}/MAAS/"
        trusted = ("--ca", str(self.ca), "--maas-fingerprint", self.pinned)
        asked = ("--maas", url, "--key", "env:MAAS_KEY", "-o", str(self.file))
        return typed("discover", *reached, *trusted, *asked, *words)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """The guest's card is one for which MAAS has reserved an address."""
    monkeypatch.setenv("MAAS_KEY", KEY)
    authority, replay = Authority.make(tmp_path), Replay(administrators_scene())
    own = authority.issue(tmp_path, "127.0.0.2")
    with (
        serving(authority.issue(tmp_path, "127.0.0.1")) as pve,
        serving(own, "127.0.0.2") as maas,
    ):
        genuine(pve)
        maas.otherwise = replay
        mac, _ = reserved()
        pve.answers[f"{PVE}/cluster/resources"] = data(
            [{"type": "node", "node": "pve1", "status": "online"}, listed(101), listed(102)]
        )
        has_guest(pve, 101, {"net0": f"virtio={mac.upper()},bridge=vmbr0"})
        silent = Reply(500, "QEMU guest agent is not running")
        pve.answers[f"{PVE}/nodes/pve1/qemu/101/agent/network-get-interfaces"] = silent
        has_guest(pve, 102, {"net0": "virtio=BC:24:11:00:00:02,bridge=vmbr0"}, "127.0.0.2")
        yield Home(pve, maas, replay, authority.ca, fingerprint(own), tmp_path / "home.yaml")


def reserved() -> tuple[str, str]:
    """MAC and address of the last recorded list of reserved IPs."""
    lists = [it for it in exchanges() if it.endpoint == ("GET", "reservedips/") and it.body]
    held = lists[-1].body[-1]
    return str(held["mac_address"]), str(held["ip"])


def test_a_guest_that_nobody_sees_has_the_address_that_maas_reserves(home: Home) -> None:
    done = home.discover()
    assert done.code == 0, done.stderr
    inventory = load(home.file)
    mac, address = reserved()
    assert (inventory.guests["vm101"].mac, str(inventory.guests["vm101"].address)) == (mac, address)
    text = home.file.read_text()
    assert "# decide: vm101's address: reserved by MAAS, and not seen in the guest" in text
    assert SECRET not in text
    assert inventory.maas is not None
    assert inventory.maas.key == "env:MAAS_KEY"
    assert inventory.maas.fingerprint == home.pinned.replace(":", "").lower()


def test_all_is_get_and_in_the_schema(home: Home) -> None:
    assert home.discover().code == 0
    seen = typed("doctor", "--inventory", str(home.file))
    assert seen.code == 0, seen.stdout
    assert "reached   maas: as an administrator" in seen.stdout
    assert {asked.method for asked in (*home.maas.asked, *home.pve.asked)} == {"GET"}
    paths = json.loads(SCHEMA_FILE.read_text())["paths"]
    for request in home.maas.asked:
        parts = urlsplit(request.path)
        query = dict(parse_qsl(parts.query))
        operation = f"?op={query.pop('op')}" if "op" in query else ""
        method, path = endpoint(request.method, parts.path.removeprefix(BASE) + operation)
        described = paths[f"/{path.replace('?op=', 'op-')}"][method.lower()]
        assert {*query} <= {item["name"] for item in described.get("parameters", ())}, path


def test_a_key_of_no_administrator(home: Home) -> None:
    home.replay.instead[WHOAMI] = Reply(body=b'{"is_superuser": false, "username": "x"}')
    assert home.discover().code == 0
    assert "vm101" not in load(home.file).guests
    assert "# decide: what MAAS reserves is not known: " in home.file.read_text()
    seen = typed("doctor", "--inventory", str(home.file))
    assert seen.code == 1
    assert "wrong     maas: the key's owner is no administrator" in seen.stdout


def test_a_key_that_is_refused_writes_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAAS_KEY", f"{CONSUMER}:{TOKEN}:wrongwrongwrong")
    done = home.discover()
    assert (done.code, home.file.exists()) == (1, False)
    assert "401 the key's secret (its third part) is wrong" in done.stderr
    assert "wrongwrong" not in done.stderr
    assert SECRET not in done.stderr


def test_another_certificate_hears_nothing(home: Home) -> None:
    done = home.discover("--maas-fingerprint", "ab" * 32)
    assert (done.code, home.file.exists(), home.maas.asked) == (3, False, [])
    assert "MAAS: the certificate is not the pinned one" in done.stderr
