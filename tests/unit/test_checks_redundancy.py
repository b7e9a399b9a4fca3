"""The check of groups shown green, red once for each thing that is shared, and unproven."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from blackstart.errors import Found, Unproven
from blackstart.graph.inputs import BootInputs
from blackstart.model.proxmox_facts import StoreDefinition

from .calling import checks_in
from .graph import sites
from .graph.sites import inputs, lost, seen, with_fstab, with_guest

CHECK = checks_in("test_redundancy")["group_survives_any_one_loss"]


def said(given: BootInputs, group: str = "dns", **changes: Any) -> str:
    """What the check has against a group."""
    with pytest.raises((Found, Unproven)) as error:
        CHECK(group, sites.graph(given), changes.get("inventory", given.inventory))
    return f"{type(error.value).__name__}: {error.value}"


def test_a_pair_that_shares_nothing_is_green() -> None:
    given = inputs(3)
    for group in ("dns", "never-down/household-dns"):
        CHECK(group, sites.graph(given), given.inventory)


def test_a_pair_on_one_host_is_one_thing_and_its_local_store_is_none() -> None:
    told = said(with_guest(inputs(3), "dns2", node=seen("pve1", "api")))
    assert told.startswith(
        "Found: dns needs 1 of 2; without node/pve1 it loses guest/dns2, guest/maas ("
    )
    assert "store/local" not in told.partition(" (")[0]


def test_a_pair_on_one_nas_names_the_nas_and_not_its_mounts() -> None:
    given = with_guest(inputs(3), "maas", scsi0="nas-vms:1/x.raw")
    told = said(with_guest(given, "dns2", scsi0="nas-vms:2/x.raw"))
    assert told.partition(" (")[0].endswith("without node/nas1 it loses guest/dns2, guest/maas")


def test_a_pair_behind_one_server_that_nobody_declares_is_red() -> None:
    store = StoreDefinition(name="both", kind="nfs", shared=True, servers=("10.0.0.99",))
    stores = seen((*sites.STORES, store), "api GET storage")
    given = with_guest(replace(inputs(3), stores=stores), "maas", scsi0="both:1/x.raw")
    told = said(with_guest(given, "dns2", scsi0="both:2/x.raw"))
    assert "without outside/10.0.0.99 it loses guest/dns2, guest/maas" in told


def test_a_host_with_the_majority_of_k3s_is_red() -> None:
    told = said(inputs(7), "k3s")
    assert told.startswith("Found: k3s needs 2 of 3; without node/pve2 it loses guest/k3s1")


def test_what_cannot_be_read_is_unproven() -> None:
    given = with_fstab(inputs(3), pve1=lost("ssh pve1: /etc/fstab", "no route to host"))
    assert said(given).startswith("Unproven: ")
    assert "no route to host" in said(given)


def test_a_member_of_which_nobody_sees_where_it_is_now_is_unproven() -> None:
    told = said(with_guest(inputs(3), "dns2", node=lost("api GET cluster/resources", "403 no")))
    assert told == (
        "Unproven: start/dns2: which node starts it (403 no) (api GET cluster/resources)"
    )


def test_a_group_that_does_not_start_is_unproven() -> None:
    given = with_guest(inputs(3), "maas", onboot=seen(False, "api"))
    given = with_guest(given, "dns2", onboot=seen(False, "api"))
    assert said(given) == "Unproven: too few of dns2, maas would start at all"


def test_a_member_of_which_nobody_knows_where_it_runs_is_unproven() -> None:
    given = inputs(7)
    assert given.inventory.k3s is not None
    k3s = given.inventory.k3s.model_copy(update={"servers": ("10.0.0.9:6443", "k3s1")})
    told = said(given, "k3s", inventory=given.inventory.model_copy(update={"k3s": k3s}))
    assert told == (
        "Unproven: where 10.0.0.9:6443 of k3s runs is not known: name its guest instead"
    )
