"""From an inventory to drivers: references resolved first, nothing connected to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blackstart.collect.site import SiteCollector
from blackstart.drivers.absent import NoClusterView, NoGuestControl
from blackstart.drivers.maas import Maas
from blackstart.drivers.proxmox import ProxmoxGuests
from blackstart.drivers.proxmox_cluster import ProxmoxCluster
from blackstart.drivers.triage import Triage
from blackstart.errors import Unreachable, UsageError
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory
from blackstart.wiring import _proxmox, _References, connect

from .drivers.sshd import free_port

RACK = Path(__file__).parents[2] / "inventory" / "rack.yaml"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The files that the rack's inventory refers to."""
    private = {
        "id_ed25519": "key",
        "bmc-password": "correct-horse",
        "k3s-token": "battery-staple",
        "pve-api-token": "drill@pve!t1=5e3a9f10-0000-4000-8000-7c0ffee00001",
        "maas-api-key": "c0nSumer:t0k3nOfTheRack:s3cr3tOfTheRack",
    }
    for name, text in private.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    for name in ("ca.crt", "known_hosts"):
        (tmp_path / name).write_text("# public\n")
    return tmp_path


def test_the_racks_inventory_is_wired(secrets: Path) -> None:
    with connect(load(RACK), rack_secrets=secrets) as site:
        assert isinstance(site.guests, ProxmoxGuests)
        assert isinstance(site.cluster, ProxmoxCluster)
        assert site.power.supports("pve1")
        assert not site.power.supports("maas")
        assert site.inventory.site == "rack"


@pytest.mark.parametrize(
    "name",
    ["id_ed25519", "bmc-password", "pve-api-token", "k3s-token", "maas-api-key", "ca.crt"],
)
def test_a_missing_secret_is_found_before_anything_is_armed(name: str, secrets: Path) -> None:
    (secrets / name).unlink()
    with pytest.raises(UsageError, match=name), connect(load(RACK), rack_secrets=secrets):
        pass


def test_a_key_that_others_can_read_is_refused(secrets: Path) -> None:
    (secrets / "id_ed25519").chmod(0o644)
    with pytest.raises(UsageError, match="chmod"), connect(load(RACK), rack_secrets=secrets):
        pass


def plain(tmp_path: Path, **parts: Any) -> Inventory:
    """A site without a hypervisor's API."""
    known = tmp_path / "known_hosts"
    known.write_text("")
    return Inventory.model_validate(
        {
            "site": "lab",
            "domain": "lab.test",
            "ssh": {"known_hosts": f"file:{known}", "port": free_port()},
            "nodes": {"box": {"address": "127.0.0.1"}},
            **parts,
        }
    )


def test_a_site_without_an_api_is_wired_too(tmp_path: Path) -> None:
    with connect(plain(tmp_path)) as site:
        assert isinstance(site.guests, NoGuestControl)
        assert isinstance(site.cluster, NoClusterView)
        assert not site.power.supports("box")
        assert set(site.probes().subjects()) == {"node/box"}


def test_guests_are_reached_by_ssh_only_where_declared(tmp_path: Path) -> None:
    guest = {"vmid": 101, "kind": "qemu", "node": "box", "mac": "bc:24:11:00:00:01"}
    guests = {
        "open": {**guest, "address": "127.0.0.1", "ssh": True},
        "closed": {**guest, "vmid": 102, "address": "127.0.0.1"},
    }
    with connect(plain(tmp_path, guests=guests)) as site:
        with pytest.raises(Unreachable, match="declares no ssh access"):
            site.runner.run("closed", "true", timeout_s=1)
        with pytest.raises(Unreachable, match=r"open \(127.0.0.1:.*refused"):
            site.runner.run("open", "true", timeout_s=5)


def test_where_nobody_logs_in_every_fact_says_what_would_show_it(tmp_path: Path) -> None:
    with connect(plain(tmp_path, ssh="none")) as site:
        host = site.facts().hosts["box"]
        assert {seen.error for seen in vars(host).values()} == {
            "box: `ssh: none` in the inventory, so what only the host shows is not seen; to see "
            "it, declare `ssh:` with a user and a key that may log in there"
        }
        work = site.circumstances.work(["box"])["box"]
        assert "`ssh: none`" in str(work.error)


def test_a_node_may_be_the_only_one_that_nobody_logs_in_to(tmp_path: Path) -> None:
    nodes = {
        "box": {"address": "127.0.0.1"},
        "closed": {"address": "127.0.0.2", "ssh": "none"},
    }
    with connect(plain(tmp_path, nodes=nodes)) as site:
        with pytest.raises(Unreachable, match="closed: `ssh: none`"):
            site.runner.run("closed", "true", timeout_s=1)
        with pytest.raises(Unreachable, match=r"box \(127.0.0.1:.*refused"):
            site.runner.run("box", "true", timeout_s=5)


def test_each_node_is_held_against_its_own_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "drill@pve!t1=5e3a9f10-0000-4000-8000-7c0ffee00001")
    nodes = {
        "a": {"address": "127.0.0.1", "api": "proxmox", "fingerprint": "aa" * 32},
        "b": {"address": "127.0.0.2", "api": "proxmox"},
    }
    access = {"token": "env:TOKEN", "fingerprint": "bb" * 32}
    api = _proxmox(plain(tmp_path, nodes=nodes, proxmox=access), _References(None), Triage())
    assert api is not None
    pinned = {endpoint.node: endpoint._trust.fingerprint for endpoint in api._endpoints}
    assert pinned == {"a": "aa" * 32, "b": "bb" * 32}


def test_a_k3s_cluster_is_asked_at_its_guests_and_endpoints(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("eyJhbGciOiJSUzI1NiJ9.drill\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "ca.pem").write_text("# public\n")
    guest = {"vmid": 101, "kind": "qemu", "node": "box", "mac": "bc:24:11:00:00:01"}
    site = plain(
        tmp_path,
        guests={"k1": {**guest, "address": "127.0.0.71"}},
        k3s={
            "servers": ["k1", "127.0.0.72:7443"],
            "token": f"file:{tmp_path}/token",
            "ca": f"file:{tmp_path}/ca.pem",
        },
    )
    with connect(site) as connected:
        assert isinstance(connected.facts, SiteCollector)
        api = connected.facts.k3s
        assert api is not None
        assert api.servers == {"k1": ("127.0.0.71", 6443), "127.0.0.72:7443": ("127.0.0.72", 7443)}
        assert api.ca == tmp_path / "ca.pem"
    for name in ("ca.pem", "token"):  # the token is resolved first
        (tmp_path / name).unlink()
        with pytest.raises(UsageError, match=name), connect(site):
            pass


MAAS = {"url": "http://127.0.0.1:5240/MAAS", "key": "env:MAAS_KEY"}


def test_maas_is_wired_where_it_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAAS_KEY", "cOnS:t0k3nOfALab:s3cr3tOfALab")
    with connect(plain(tmp_path, maas=MAAS)) as site:
        assert isinstance(site.images, Maas)
        assert site.facts().maas is not None
    with connect(plain(tmp_path)) as site:
        assert site.images is None
        assert site.facts().maas is None


def test_a_key_that_is_none_is_found_before_anything_is_armed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAAS_KEY", "cOnS:s3cr3tOfALab")
    with (
        pytest.raises(UsageError, match="CONSUMER:TOKEN:SECRET") as caught,
        connect(plain(tmp_path, maas=MAAS)),
    ):
        pass
    assert "s3cr3tOfALab" not in str(caught.value)
