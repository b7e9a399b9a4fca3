"""Every check of backups and power: green, red, unproven."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.model.inventory import Attestation
from blackstart.model.redundancy import critical_guests, groups

from .calling import call, checks_in
from .invariants.site import lost, seen
from .proxmox_cases import (
    Given,
    assert_red,
    assert_table_is_whole,
    assert_unproven,
    controller,
    copied,
    nothing_seen,
    saved,
    site,
    stores,
)
from .proxmox_site import (
    BACKUPS,
    COPY,
    DAY_S,
    JOB,
    NOW,
    RIGHTS,
    cluster,
    inventory,
)

FILES = ("test_backups", "test_power")
OUT = "configuration_copy_is_off_the_cluster"
JOBS = "guest_is_in_a_backup_job"
FRESH = "backup_of_the_guest_is_fresh"
VERIFIED = "backup_of_the_guest_is_verified"
POWER = "power_returns_by_itself"


def jobs(**changes: Any) -> Given:
    return site(cluster(jobs=seen((JOB.model_copy(update=changes),), "api backup")))


def snapshot(**changes: Any) -> Given:
    """The guest's one backup, otherwise."""
    return site(saved(BACKUPS[0].model_copy(update=changes)))


def nas(**changes: Any) -> Given:
    """A NAS without a controller, declared otherwise."""
    declared = inventory()
    machine = declared.nodes["nas"].model_copy(update=changes)
    nodes = {**declared.nodes, "nas": machine}
    return site(machine="nas", inventory=declared.model_copy(update={"nodes": nodes}))


def attested(until: str) -> Given:
    """A NAS whose owner has looked."""
    said = Attestation.model_validate({"until": until, "seen": "in its firmware"})
    return nas(power_returns=said)


RED: list[tuple[str, Given, str]] = [
    (
        "configuration_copy_is_fresh",
        site(readiness=copied(age_s=9 * DAY_S)),
        "9.0 days old and may be 8.0",
    ),
    ("configuration_copy_is_fresh", site(readiness=copied(age_s=-DAY_S)), "from the future"),
    (
        "configuration_copy_is_fresh",
        site(readiness=copied(path="", age_s=0.0, files=(), parsed={})),
        "there is no copy of /etc/pve at all",
    ),
    (
        OUT,
        site(inventory=inventory(backups={"etc_pve": {"host": "a2", "path": "/srv/x"}})),
        "is on a2, which is of the cluster itself",
    ),
    (
        OUT,
        site(inventory=inventory(backups={"etc_pve": {"host": "box", "path": "/srv/x"}})),
        "is on box, which is of the cluster itself",
    ),
    *(
        (
            "configuration_copy_is_complete",
            site(readiness=copied(files=tuple(it for it in COPY.files if part not in it))),
            f"lacks .*{part}",
        )
        for part in ("corosync.conf", "storage.cfg", "user.cfg", "102.conf")
    ),
    (
        "configuration_copy_can_be_read",
        site(readiness=copied(parsed={"storage.cfg": ()})),
        "nothing can be made of storage.cfg",
    ),
    ("configuration_copy_can_be_read", site(readiness=copied(parsed={})), "made of any file"),
    (JOBS, jobs(enabled=False), r"no job that is enabled backs box up \(nightly is disabled\)"),
    (JOBS, jobs(excluded=(101,)), "no job that is enabled backs box up"),
    (JOBS, jobs(everything=False, vmids=(102,)), "no job that is enabled backs box up"),
    (JOBS, jobs(pool="prod"), "no job that is enabled backs box up"),
    (JOBS, jobs(node="a2"), "no job that is enabled backs box up"),
    (JOBS, site(cluster(uncovered=seen((101,), "api n"))), "no job that is enabled backs box"),
    (FRESH, snapshot(made_at=NOW - 9 * DAY_S), "newest backup of box is 9.0 days old.*vzdump 101"),
    (FRESH, site(saved()), "there is no backup of box"),
    (VERIFIED, snapshot(verified="failed"), "pbs:backup/vm/101 is failed"),
    (VERIFIED, snapshot(verified=None), "is not verified yet"),
    ("missed_backups_are_made_up_for", jobs(repeats_missed=False), "nightly does not make up"),
    (
        "backup_server_is_not_on_what_it_protects",
        site(stores(pbs={"servers": ("192.0.2.62",)})),
        "pbs is on far",
    ),
    (
        "backup_server_is_not_on_what_it_protects",
        site(stores(pbs={"servers": ("192.0.2.12",)})),
        "pbs is on a2",
    ),
    (
        "backup_key_is_kept_elsewhere",
        site(readiness=copied(files=tuple(it for it in COPY.files if ".enc" not in it))),
        "the key of pbs is in no copy",
    ),
    (
        "controller_answers",
        site(readiness=controller(answers=seen(False, "redfish a1: refuses user ops"))),
        "the controller of a1 refuses us",
    ),
    (
        POWER,
        site(readiness=controller(restore_policy=seen("AlwaysOff", "redfish a1"))),
        "a1 would stay off: its policy is AlwaysOff",
    ),
    (
        POWER,
        site(
            readiness=controller(restore_policy=seen("LastState", "redfish a1")),
            inventory=inventory(ups={"host": "nas", "name": "ups"}),
        ),
        "its policy is LastState and the UPS shuts it down first",
    ),
    (POWER, attested("2020-01-01"), "that nas starts by itself was attested until 2020-01-01"),
]


def test_every_check_has_a_red_case() -> None:
    assert_table_is_whole(FILES, [name for name, _, _ in RED])


@pytest.mark.parametrize(("name", "given", "told"), RED, ids=[name for name, _, _ in RED])
def test_red(name: str, given: Given, told: str) -> None:
    assert_red(FILES, name, given, told)


@pytest.mark.parametrize("name", sorted(checks_in(*FILES)))
def test_green_on_a_well_site(name: str) -> None:
    call(checks_in(*FILES)[name], site())


@pytest.mark.parametrize("name", sorted(set(checks_in(*FILES)) - {OUT}))
def test_unproven_when_nobody_answers(name: str) -> None:
    assert_unproven(FILES, name, nothing_seen())


@pytest.mark.parametrize("name", [it for it in checks_in(*FILES) if it.startswith("configuration")])
def test_a_copy_that_is_not_declared_is_unproven(name: str) -> None:
    given = site(inventory=inventory(backups={}))
    assert_unproven(FILES, name, given, "declares no backup of /etc/pve")


class TestPower:
    """What a machine does after a power cut, from whoever says so."""

    def test_an_attestation_of_its_owner(self) -> None:
        call(checks_in(*FILES)[POWER], attested("2099-12-31"))

    def test_nobody_says_anything(self) -> None:
        told = "nas has no controller; see in its firmware"
        assert_unproven(FILES, POWER, nas(power_returns=None), told)

    def test_last_state_will_do_without_a_ups(self) -> None:
        told = controller(restore_policy=seen("LastState", "redfish a1"))
        call(checks_in(*FILES)[POWER], site(readiness=told))

    def test_a_machine_without_a_controller_is_not_asked(self) -> None:
        with pytest.raises(pytest.skip.Exception, match="no management controller of nas"):
            call(checks_in(*FILES)["controller_answers"], site(machine="nas"))


class TestWhatATokenIsNotShown:
    """A backup that is not in the list is missing only to who would see it there."""

    def test_without_the_privilege_on_the_store(self) -> None:
        given = site(saved(rights={**RIGHTS, "/storage/pbs": seen(("Datastore.Audit",))}))
        assert_unproven(FILES, FRESH, given, "Datastore.AllocateSpace.*acl modify /storage/pbs")

    def test_without_the_privilege_on_the_guest(self) -> None:
        space = seen(("Datastore.Audit", "Datastore.AllocateSpace"))
        given = site(saved(rights={**RIGHTS, "/storage/pbs": space, "/vms/101": seen(())}))
        assert_unproven(FILES, FRESH, given, "VM.Backup.*acl modify /vms/101")

    def test_a_store_that_nobody_could_look_into(self) -> None:
        places = {key: it for key, it in cluster().content.items() if "pbs" not in key}
        given = site(cluster(content=places))
        assert_unproven(FILES, FRESH, given, "nobody could look into pbs: not active anywhere")

    def test_a_list_that_could_not_be_read(self) -> None:
        places = {**cluster().content, "a1/pbs": lost("api pbs"), "a2/pbs": lost("api pbs")}
        assert_unproven(FILES, FRESH, site(cluster(content=places)), "api pbs: no answer")


class TestGroups:
    """Who stands in for whom."""

    def test_a_promise_with_a_member_that_is_no_guest_can_lose_every_guest(self) -> None:
        declared = inventory(never_down={"names": {"any_of": ["dns/one", "dns/two"]}})
        assert groups(declared)["never-down/names"].members == ("box", "far")
        outside = inventory(never_down={"names": {"any_of": ["dns/one", "node/nas"]}})
        assert set(groups(outside)) == {"dns"}

    def test_servers_of_etcd_need_a_majority(self) -> None:
        k3s = {"servers": ["box", "far", "lab"], "token": "env:T", "ca": "file:/etc/ca.pem"}
        group = groups(inventory(k3s=k3s))["k3s"]
        assert (group.members, group.needed) == (("box", "far", "lab"), 2)

    def test_critical_is_what_others_wait_for(self) -> None:
        assert critical_guests(inventory()) == {"box": "DNS", "far": "DNS"}


def test_no_store_encrypts() -> None:
    with pytest.raises(pytest.skip.Exception, match="no store encrypts"):
        call(checks_in(*FILES)["backup_key_is_kept_elsewhere"], site(stores(pbs={"key": False})))


def test_no_backup_server() -> None:
    plain = site(stores(pbs={"kind": "nfs"}))
    for name in (VERIFIED, "backup_server_is_not_on_what_it_protects"):
        with pytest.raises(pytest.skip.Exception, match="there is no Proxmox Backup Server"):
            call(checks_in(*FILES)[name], plain)
