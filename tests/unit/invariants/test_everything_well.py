"""Only what is declared is promised, and all of that."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from blackstart.invariants import everything_well
from blackstart.inventory_file import load
from blackstart.model.addressing import VirtualAddress
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
    "virtual-addresses-held": {"virtual_addresses": {}},
}
VIRTUAL = VirtualAddress(address=IPv4Address("10.77.0.200"), held_by=("dns2", "maas"))
RACK = load(ROOT / "inventory" / "rack.yaml")
WHOLE = RACK.model_copy(update={"virtual_addresses": {"names": VIRTUAL}})


def promised(inventory: Inventory) -> set[str]:
    return {promise.name for promise in everything_well(inventory)}


def test_the_rack_declares_everything_but_an_address_that_moves() -> None:
    assert promised(WHOLE) == set(ALL)
    assert promised(RACK) == set(ALL) - {"virtual-addresses-held"}


@pytest.mark.parametrize("name", sorted(ALL))
def test_what_is_not_declared_is_not_promised(name: str) -> None:
    assert name not in promised(WHOLE.model_copy(update=ALL[name]))
