"""Every check of stores, memory and the cluster: green, red, unproven."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.model.proxmox_facts import (
    NodeCertificate,
    NodeMemory,
    NodeService,
    Pool,
    ProxmoxFacts,
    QuorumDevice,
    Replication,
    ThinPool,
    Votes,
)
from blackstart.model.readiness import HostFiles

from .calling import call, checks_in
from .invariants.site import lost, seen
from .proxmox_cases import (
    Given,
    assert_red,
    assert_table_is_whole,
    assert_unproven,
    config,
    counted,
    ha,
    managing,
    mount,
    mounted,
    node,
    nothing_seen,
    site,
    stores,
)
from .proxmox_site import (
    DAY_S,
    GIB,
    NOW,
    SERVICES,
    cluster,
    facts,
    plan,
    readiness,
    state,
)

FILES = ("test_storage", "test_memory_headroom", "test_cluster")
NAS = "192.0.2.20:/export"
CRITICAL = "critical_guest_is_not_on_the_network"
QUORUM = "quorum_survives_without_it"
UNIT = "services_start_with_the_node"
UNCOUNTED = facts().model_copy(update={"cluster": None})


def votes(state: str | None = None, algorithm: str = "", **nodes: int) -> ProxmoxFacts:
    """The cluster with these votes, all of them there, and a device in this state."""
    device = QuorumDevice(state=state, algorithm=algorithm) if state is not None else None
    counted = nodes or {"a1": 1, "a2": 1}
    return cluster(
        votes=seen(Votes(nodes=counted, device=device, links={}), "api votes"),
        online=seen(dict.fromkeys(counted, True), "api cluster/status"),
    )


def away(gone: str, **nodes: int) -> ProxmoxFacts:
    """The cluster of these votes, one node of which is offline."""
    online = seen({name: name != gone for name in nodes}, "api cluster/status")
    return votes(**nodes).model_copy(update={"online": online})


def device_at(host: str) -> ProxmoxFacts:
    """The cluster, whose quorum device is there."""
    device = QuorumDevice(state="Connected", algorithm="", host=host)
    return cluster(
        votes=seen(Votes(nodes={"a1": 1, "a2": 1}, device=device, links={}), "api votes")
    )


def linked(*links: str) -> ProxmoxFacts:
    """The cluster, whose first node has these links."""
    nodes = {"a1": 1, "a2": 1}
    return cluster(votes=seen(Votes(nodes=nodes, device=None, links={"a1": links}), "api votes"))


def replicated(**changes: Any) -> ProxmoxFacts:
    well: dict[str, Any] = {"id": "101-0", "last_sync": NOW, "failures": 0, "error": ""}
    return node(replication=seen((Replication(**{**well, **changes}),), "api replication"))


def thin(used: float, metadata_used: float) -> ProxmoxFacts:
    pool = ThinPool(name="pve/data", used=used, metadata_used=metadata_used)
    return node(thin_pools=seen((pool,), "api lvmthin"))


def units(**states: tuple[str, str]) -> ProxmoxFacts:
    found = [
        NodeService(name=it.name, enabled=states[it.name][0], active=states[it.name][1])
        if it.name in states
        else it
        for it in SERVICES
    ]
    return node(services=seen(tuple(found), "api services"))


def memory(total: int, merged: int = 0) -> ProxmoxFacts:
    return node(memory=seen(NodeMemory(total=total, used=0, merged=merged), "api status"))


RED: list[tuple[str, Given, str]] = [
    (
        "quorum_device_is_no_guest",
        site(device_at("192.0.2.61")),
        "the quorum device is on 192.0.2.61, which is box",
    ),
    ("quorum_device_is_no_guest", site(device_at("box.lab.test")), "which is box"),
    (
        "cluster_links_are_addresses",
        site(linked("192.0.2.11", "a1.lab.test")),
        "corosync finds a1 by name: a1.lab.test",
    ),
    (
        "every_enabled_store_is_active",
        site(node(stores=seen((state("nas", active=False),), "api a1 storage"))),
        "nas is not active on a1",
    ),
    (
        "stores_have_room",
        site(node(stores=seen((state("nas", used=91 * GIB),), "api a1 storage"))),
        r"nearly full on a1: nas \(91%\)",
    ),
    ("thin_pools_have_room", site(thin(0.95, 0.1)), "nearly full on a1: pve/data"),
    ("thin_pools_have_room", site(thin(0.1, 0.95)), "95% of metadata"),
    (
        "zfs_pools_are_healthy",
        site(node(pools=seen((Pool(name="tank", health="DEGRADED"),), "api zfs"))),
        "tank is DEGRADED",
    ),
    (
        "directory_store_on_a_mount_says_so",
        site(stores(local={"mountpoint": None}), facts=mounted(mount("/"), mount("/srv"))),
        r"local \(/srv/vz is on /srv\) would be an empty directory",
    ),
    (
        "no_store_comes_from_a_guest",
        site(stores(nas={"servers": ("192.0.2.62",)})),
        "nas from far",
    ),
    (
        "no_store_comes_from_a_guest",
        site(facts=mounted(mount("/"), mount("/srv/vz", "192.0.2.62:/export", "nfs4"))),
        "local from far",
    ),
    (
        "network_store_is_known_without_a_resolver",
        site(stores(nas={"servers": ("nas.lab.test",)})),
        "a1 must resolve nas.lab.test for nas.*pvesm set",
    ),
    (
        CRITICAL,
        site(facts=mounted(mount("/"), mount("/srv/vz", NAS, "nfs4"))),
        r"box serves DNS and lies on local \(192.0.2.20:/export\)",
    ),
    (
        CRITICAL,
        site(stores(local={"kind": "nfs", "servers": ("192.0.2.20",)})),
        r"lies on local \(nfs\)",
    ),
    (
        "guests_fit_their_host",
        site(config(memory="15360")),
        "1 guests need 15.0 GiB and a1 has 13.4 GiB",
    ),
    (
        "guests_fit_their_host",
        site(memory(4 * GIB, GIB)),
        "need 4.0 GiB.*KSM saves 1.0 GiB now",
    ),
    (
        "guests_of_a_lost_node_fit_elsewhere",
        site(config(memory="12288"), hypervisor="a2"),
        r"without a2 nobody has room for qemu/102 \(2.0 GiB\)",
    ),
    (QUORUM, site(facts=counted(2)), "without a1 1 votes are left and 2 are needed"),
    (QUORUM, site(votes(), facts=UNCOUNTED), "left and 2 are needed.*pvecm qdevice setup"),
    (QUORUM, site(votes("Disconnected"), facts=UNCOUNTED), "without a1 1 votes are left"),
    (
        QUORUM,
        site(votes("Connected", "Fifty-Fifty split", a1=2, a2=1), facts=UNCOUNTED),
        "without a1 2 votes are left and 3 are needed",
    ),
    (QUORUM, site(away("a3", a1=1, a2=1, a3=1), facts=UNCOUNTED), "1 votes are left and 2 are"),
    ("quorum_device_is_connected", site(votes("Connect failed")), "device is Connect failed"),
    ("node_is_online", site(cluster(online=seen({"a1": False}, "api"))), "a1 is offline"),
    ("node_is_online", site(cluster(online=seen({"b": True}, "api"))), "a1 is no node"),
    (
        "certificates_outlive_the_window",
        site(
            node(
                certificates=seen(
                    (NodeCertificate(file="pve-ssl.pem", expires_at=NOW + 3 * DAY_S),), "api"
                )
            )
        ),
        r"pve-ssl.pem \(3 days\)",
    ),
    ("clock_is_right", site(node(clock_ahead_s=seen(-30.0, "api time"))), "-30 s off"),
    ("clock_is_right", site(node(clock_ahead_s=seen(3.0, "api time"))), r"\+3 s off"),
    (UNIT, site(units(corosync=("masked", "active"))), r"corosync \(masked, active\)"),
    (UNIT, site(units(pvescheduler=("disabled", "active"))), r"pvescheduler \(disabled, active\)"),
    (UNIT, site(units(pvestatd=("enabled", "failed"))), r"pvestatd \(enabled, failed\)"),
    ("high_availability_is_at_work", site(ha(disarmed=True)), "disarmed"),
    ("high_availability_is_at_work", site(ha(maintenance=("a1",))), "a1 is in maintenance"),
    (
        "managed_guest_can_move",
        site(managing()),
        r"box is tied to a1 by .*scsi0 on local.*hostpci0.*policy conditional",
    ),
    (
        "replication_is_fresh",
        site(replicated(failures=3, error="no route")),
        "101-0 failed 3 times: no route",
    ),
    (
        "replication_is_fresh",
        site(replicated(last_sync=NOW - 2 * DAY_S)),
        "101-0 was not copied for a day",
    ),
    (
        "replication_is_fresh",
        site(cluster(disabled_replication=seen(("102-0",), "api jobs"))),
        "102-0 is disabled",
    ),
]


def test_every_check_has_a_red_case() -> None:
    assert_table_is_whole(FILES, [name for name, _, _ in RED])


@pytest.mark.parametrize(("name", "given", "told"), RED, ids=[name for name, _, _ in RED])
def test_red(name: str, given: Given, told: str) -> None:
    assert_red(FILES, name, given, told)


@pytest.mark.parametrize("name", sorted(checks_in(*FILES)))
def test_green_on_a_well_site(name: str) -> None:
    other = {"guest": "far"} if name == "managed_guest_can_move" else {}
    hypervisor = "a2" if name == "guests_of_a_lost_node_fit_elsewhere" else "a1"
    call(checks_in(*FILES)[name], site(hypervisor=hypervisor, **other))


@pytest.mark.parametrize("name", sorted(checks_in(*FILES)))
def test_unproven_when_nobody_answers(name: str) -> None:
    assert_unproven(FILES, name, nothing_seen())


class TestWhatIsNotApplicable:
    """Skipped with how its absence was seen."""

    @pytest.mark.parametrize(
        ("name", "given", "why"),
        [
            ("thin_pools_have_room", site(node(thin_pools=seen((), "api lvmthin"))), "api lvmthin"),
            ("zfs_pools_are_healthy", site(node(pools=seen((), "api zfs"))), "api zfs"),
            (QUORUM, site(votes(a1=1)), "api votes"),
            ("quorum_device_is_connected", site(votes()), "api votes"),
            ("guests_of_a_lost_node_fit_elsewhere", site(ha(managed=())), "api ha"),
            ("high_availability_is_at_work", site(ha(managed=())), "api ha"),
            ("managed_guest_can_move", site(), "api ha"),
            ("replication_is_fresh", site(node(replication=seen((), "api r"))), "api r"),
        ],
    )
    def test_skipped(self, name: str, given: Given, why: str) -> None:
        with pytest.raises(pytest.skip.Exception, match=why):
            call(checks_in(*FILES)[name], given)


class TestMemory:
    """What counts, and what does not."""

    def test_ballooning_is_counted_at_its_least(self) -> None:
        call(
            checks_in(*FILES)["guests_fit_their_host"],
            site(config(memory="15360", balloon="2048")),
        )

    def test_the_cache_of_zfs_is_counted(self) -> None:
        files = {"a1": seen(HostFiles(there={}, arc_max=12 * GIB), "ssh a1")}
        given = site(readiness=readiness(files=files))
        assert_red(FILES, "guests_fit_their_host", given, "a1 has 2.4 GiB")

    def test_zfs_without_its_limit_read_is_unproven(self) -> None:
        given = site(readiness=readiness(files={"a1": lost("ssh a1")}))
        assert_unproven(FILES, "guests_fit_their_host", given, "nobody read its zfs_arc_max")

    def test_a_guest_that_does_not_start_takes_none(self) -> None:
        plans = {**cluster().plans, "qemu/103": plan({"memory": "99999"})}
        given = site(cluster(plans=plans), hypervisor="a2")
        call(checks_in(*FILES)["guests_fit_their_host"], given)


class TestClusters:
    """Shapes of votes."""

    def test_a_device_that_outvotes_survives_a_node(self) -> None:
        lms = votes("Connected", "LMS", a1=1, a2=1, a3=1)
        call(checks_in(*FILES)[QUORUM], site(lms, facts=UNCOUNTED))

    def test_a_node_that_is_away_already_takes_no_further_vote(self) -> None:
        call(checks_in(*FILES)[QUORUM], site(away("a1", a1=1, a2=1, a3=1), facts=UNCOUNTED))

    def test_who_is_online_is_unknown_and_so_is_the_count(self) -> None:
        unknown = votes(a1=1, a2=1, a3=1).model_copy(update={"online": lost("api status")})
        assert_unproven(FILES, QUORUM, site(unknown, facts=UNCOUNTED), "api status: no answer")

    def test_a_node_that_the_votes_do_not_name(self) -> None:
        assert_unproven(FILES, QUORUM, site(votes(b1=1, b2=1)), "a1 has no votes there")

    def test_a_node_on_its_own_needs_no_corosync(self) -> None:
        alone = units(corosync=("disabled", "inactive"))
        given = site(
            alone.model_copy(update={"votes": seen(Votes(nodes={}, device=None, links={}), "api")})
        )
        call(checks_in(*FILES)[UNIT], given)

    def test_units_that_are_not_listed(self) -> None:
        given = site(node(services=seen(SERVICES[:1], "api services")))
        assert_unproven(FILES, UNIT, given, "does not tell of pve-cluster")

    def test_an_empty_list_of_stores_proves_nothing(self) -> None:
        given = site(node(stores=seen((), "api a1 storage")))
        assert_unproven(FILES, "every_enabled_store_is_active", given, "no node is without any")


def test_a_name_in_the_nodes_own_file_needs_no_resolver() -> None:
    well = stores(nas={"servers": ("NAS.lab.test",)})
    hosts = node(host_names=seen(("nas.lab.test",), "api hosts")).hypervisors
    given = site(well.model_copy(update={"hypervisors": hosts}))
    call(checks_in(*FILES)["network_store_is_known_without_a_resolver"], given)
