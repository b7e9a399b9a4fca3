"""Only what is declared is promised, and all of that."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from blackstart.invariants import everything_well
from blackstart.inventory_file import load
from blackstart.model.addressing import DhcpServer, K3s
from blackstart.model.inventory import Inventory

ROOT = Path(__file__).parents[3]
ALL = {
    "guests-boot": {"guests": {}},
    "names-resolve": {"dns": None},
    "mounts-answer": {"mounts": {}},
    "containers-run": {"compose": {}},
    "addresses-stable": {"guests": {}},
    "services-answer": {"services": {}},
    "nodes-ready": {"k3s": None},
    "dhcp-answers": {"dhcp": {}},
}
K3S = K3s(servers=("k3s1",), token="env:K3S_TOKEN", ca="file:/etc/k3s.pem")
DHCP = {"maas": DhcpServer(address=IPv4Address("10.77.0.53"), interface="br0")}
RACK = load(ROOT / "inventory" / "rack.yaml").model_copy(update={"k3s": K3S, "dhcp": DHCP})


def promised(inventory: Inventory) -> set[str]:
    return {promise.name for promise in everything_well(inventory)}


def test_the_rack_declares_everything() -> None:
    assert promised(RACK) == set(ALL)


@pytest.mark.parametrize("name", sorted(ALL))
def test_what_is_not_declared_is_not_promised(name: str) -> None:
    assert name not in promised(RACK.model_copy(update=ALL[name]))
