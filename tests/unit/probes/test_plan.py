"""From an inventory to its probes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import UsageError
from blackstart.model.inventory import Inventory
from blackstart.model.subjects import subjects_of
from blackstart.probes.dhcp import DhcpProbe
from blackstart.probes.dns import DnsProbe
from blackstart.probes.http import HttpProbe
from blackstart.probes.icmp import IcmpProbe
from blackstart.probes.mount import MountProbe
from blackstart.probes.plan import probes_for
from tests.unit.collect.local import ScriptedRunner
from tests.unit.probes.servers import certificate


def inventory(**changes: Any) -> Inventory:
    guest = {"kind": "lxc", "node": "pve1"}
    sections: dict[str, Any] = {
        "site": "home",
        "domain": "home.test",
        "nodes": {
            "pve1": {"address": "10.0.0.1", "boot_budget": "4m"},
            "nas": {"address": "10.0.0.2", "role": "nas"},
        },
        "guests": {
            "maas": {**guest, "vmid": 101, "address": "10.0.0.53", "mac": "bc:24:11:00:00:01"},
            "off1": {
                **guest,
                "vmid": 102,
                "address": "10.0.0.60",
                "mac": "bc:24:11:00:00:02",
                "running": False,
            },
        },
        "dns": {
            "servers": {
                "maas": {"address": "10.0.0.53", "guest": "maas"},
                "again": {"address": "10.0.0.53"},
            },
            "names": {"app.home.test": {"addresses": ["10.0.0.80"]}},
        },
        "dhcp": {
            "maas": {"address": "10.0.0.53", "interface": "eno1", "guest": "maas"},
            "spare": {"address": "10.0.0.54", "interface": "eno1"},
        },
        "services": {
            "web": {"http": "https://10.0.0.60/", "ca": "file:/ca.pem", "guest": "maas"},
            "k8s": {"tcp": "10.0.0.71:6443"},
        },
        "mounts": {
            "vms": {"host": "pve1", "path": "/mnt/vms", "server": "nas", "export": "/vms"},
            "media": {
                "host": "maas",
                "path": "/srv/media",
                "server": "nas",
                "export": "/media",
                "budget": "90s",
            },
            "never": {"host": "off1", "path": "/mnt/x", "server": "nas", "export": "/x"},
        },
        "probing": {"rate_hz": 10, "timeout": "2s"},
    }
    return Inventory.model_validate({**sections, **changes})


NOBODY = ScriptedRunner({})


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return certificate(tmp_path, "ca")[0]


def test_every_declared_thing_is_probed_and_what_is_off_is_not(ca: Path) -> None:
    asked: list[str] = []

    def resolve_path(reference: str) -> Path:
        asked.append(reference)
        return ca

    probes = probes_for(inventory(), resolve_path, NOBODY)
    assert [(probe.name, probe.subject) for probe in probes] == [
        ("icmp pve1", "node/pve1"),
        ("icmp nas", "node/nas"),
        ("icmp maas", "guest/maas"),
        ("dns maas", "dns/maas"),
        ("dns again", "dns/again"),
        ("dhcp maas", "dhcp/maas"),
        ("dhcp spare", "dhcp/spare"),
        ("http web", "service/web"),
        ("tcp k8s", "service/k8s"),
        ("mount vms", "mount/vms"),
        ("mount media", "mount/media"),
    ]
    assert asked == ["file:/ca.pem"]
    assert all(probe.timeout_s == 2.0 for probe in probes if probe.kind not in {"mount", "dhcp"})


def test_entries_of_one_server_share_its_limit_and_all_icmp_one_socket(ca: Path) -> None:
    probes = probes_for(inventory(), lambda _: ca, NOBODY)
    rates = [probe.max_rate_hz for probe in probes if isinstance(probe, DnsProbe)]
    assert rates == [2.5, 2.5]
    rates = [probe.max_rate_hz for probe in probes if isinstance(probe, DhcpProbe)]
    assert rates == [0.1, 0.1]
    assert len({id(probe.sockets) for probe in probes if isinstance(probe, IcmpProbe)}) == 1


def test_http_service_without_a_ca_uses_the_machines_own_trust() -> None:
    plain = {"web": {"http": "https://example.test/"}}
    (probe,) = (
        probe
        for probe in probes_for(inventory(services=plain), Path, NOBODY)
        if isinstance(probe, HttpProbe)
    )
    assert probe.tls.verify_mode.name == "CERT_REQUIRED"


@pytest.mark.parametrize(
    ("changes", "port"),
    [({}, 22), ({"ssh": {"port": 2200}}, 2200)],
)
def test_service_on_a_secure_shells_port_is_refused(changes: dict[str, Any], port: int) -> None:
    services = {"shell": {"tcp": f"10.0.0.71:{port}"}}
    with pytest.raises(UsageError, match=r"tcp shell: .*secure shell"):
        probes_for(inventory(services=services, **changes), Path, NOBODY)


def test_subjects_form_a_tree_and_carry_their_budgets(ca: Path) -> None:
    found = {item.name: item for item in subjects_of(inventory())}
    assert set(found) == {
        *(probe.subject for probe in probes_for(inventory(), lambda _: ca, NOBODY)),
    }
    assert found["guest/maas"].under == "node/pve1"
    assert found["dns/maas"].under == "guest/maas"
    assert found["service/k8s"].under is None
    assert found["node/pve1"].budget_s == 240.0
    assert found["mount/vms"].under == "node/pve1"
    assert (found["mount/media"].under, found["mount/media"].budget_s) == ("guest/maas", 90.0)


def test_mounts_of_one_host_share_its_rate() -> None:
    """Ten dead mounts must not start ten times the processes, nor fill the connection."""
    mount = {"host": "pve1", "server": "nas", "export": "/vms"}
    mounts = {f"m{number}": {**mount, "path": f"/mnt/{number}"} for number in range(4)}
    mounts["other"] = {"host": "maas", "server": "nas", "path": "/srv", "export": "/vms"}
    probes = [
        probe
        for probe in probes_for(inventory(mounts=mounts, services={}), Path, NOBODY)
        if isinstance(probe, MountProbe)
    ]
    assert [probe.max_rate_hz for probe in probes] == [0.25, 0.25, 0.25, 0.25, 1.0]


def test_emulated_hosts_are_asked_for_their_mounts_less_often(ca: Path) -> None:
    probes = probes_for(inventory(rack="pve"), lambda _: ca, NOBODY)
    assert [probe.max_rate_hz for probe in probes if isinstance(probe, MountProbe)] == [0.2, 0.2]
