"""What takes down what, and what pairs have in common."""

from __future__ import annotations

from dataclasses import replace

from blackstart.graph.failures import Failure, Shared, failures, shared
from blackstart.graph.inputs import BootInputs
from blackstart.model.proxmox_facts import StoreDefinition
from blackstart.model.redundancy import groups

from . import sites
from .sites import by_name, inputs, seen, with_fstab, with_guest


def failing(given: BootInputs) -> dict[str, Failure]:
    found = failures(sites.graph(given), groups(given.inventory))
    return {item.part: item for item in found}


def pairs(given: BootInputs) -> dict[str, Shared]:
    return {item.name: item for item in shared(sites.graph(given), groups(given.inventory))}


def test_a_machine_takes_its_guests_and_what_they_serve() -> None:
    found = failing(inputs(3))
    assert found["node/pve2"].takes == ("mount/pve2-vms", "guest/dns2", "dns/dns2")
    assert "guest/dns2" not in found, "a guest that takes only what it serves is no news"
    assert "store/local on pve1" not in found, "a disk of its machine is the machine"


def test_the_only_dhcp_server_takes_everybody_with_a_lease() -> None:
    found = failing(inputs(7))["guest/maas"]
    assert {"guest/docker1", "guest/k3s1", "guest/k3s2", "guest/k3s3"} <= set(found.takes)
    assert found.groups == ("k3s",)


def test_a_nas_takes_the_guests_whose_disks_are_there() -> None:
    given = with_guest(inputs(3), "docker1", scsi0="nas-vms:1/x.raw")
    assert "guest/docker1" in failing(given)["node/nas1"].takes
    assert "guest/docker1" not in failing(inputs(3))["node/nas1"].takes


def test_the_last_of_two_resolvers_is_a_single_point() -> None:
    given = by_name(inputs(3), "pve1")
    names = replace(given.names["pve1"], resolvers=seen(("10.0.0.51",), "resolv.conf"))
    found = failing(replace(given, names={**given.names, "pve1": names}))
    assert "guest/maas" in found["guest/dns2"].takes
    assert found["guest/dns2"].groups == ("dns", "never-down/household-dns")


def test_a_pair_on_two_hosts_has_nothing_in_common() -> None:
    assert pairs(inputs(3))["dns"].domains == ()


def test_a_pair_on_one_host_has_the_host_in_common() -> None:
    given = with_guest(inputs(3), "dns2", node=seen("pve1", "api"))
    assert [item.part for item in pairs(given)["dns"].domains] == ["node/pve1"]


def test_a_local_store_that_is_on_a_disk_of_its_own_is_its_host_all_the_same() -> None:
    disk = sites.fstab(sites.NOFAIL, sites.NAS, ("UUID=2", "/srv/local", "ext4", "defaults"))
    store = StoreDefinition(name="local", kind="dir", path="/srv/local")
    given = replace(with_fstab(inputs(3), pve1=disk), stores=seen((store,), "api GET storage"))
    given = with_guest(given, "dns2", node=seen("pve1", "api"))
    assert "store/local on pve1" in sites.graph(given).behind("start/maas")
    assert [item.part for item in pairs(given)["dns"].domains] == ["node/pve1"]


def test_a_pair_on_two_hosts_and_one_nas_has_the_nas_in_common() -> None:
    given = with_guest(inputs(3), "maas", scsi0="nas-vms:1/x.raw")
    given = with_guest(given, "dns2", scsi0="nas-vms:2/x.raw")
    (domain,) = pairs(given)["dns"].domains
    assert (domain.part, domain.takes) == ("node/nas1", ("guest/dns2", "guest/maas"))


def test_a_majority_of_k3s_on_one_host_is_enough_to_lose_it() -> None:
    (domain,) = pairs(inputs(7))["k3s"].domains
    assert (domain.part, domain.takes) == ("node/pve2", ("guest/k3s1", "guest/k3s3"))
    assert pairs(inputs(7, nodes=3))["k3s"].domains == ()


def test_a_lease_is_no_failure_that_a_running_pair_shares() -> None:
    given = with_guest(inputs(3), "dns2", ipconfig0="ip=dhcp")
    assert "guest/dns2" in failing(given)["guest/maas"].takes, "after a cold start it is"
    assert pairs(given)["dns"].domains == ()


def test_a_group_that_does_not_start_says_so_and_blames_nobody() -> None:
    pair = pairs(by_name(inputs(3), "pve1", "pve2"))["dns"]
    assert (pair.starts, pair.domains) == (False, ())
