"""Differences between snapshots: their class, and what is none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from blackstart.model.dhcp_facts import AddressRange, DhcpFacts, HostEntry, Lease
from blackstart.model.differences import Difference, compare, tolerated, undeclared, unread
from blackstart.model.facts import Mount
from blackstart.model.inventory import Tolerance

from .invariants.site import good, lost, put, seen, site

TODAY = date(2026, 6, 15)


def found(path: str, was: Any, now: Any) -> list[Difference]:
    evidence = put(put(good(), "before", path, was), "after", path, now)
    differences = compare(evidence.before, evidence.after, rebooted=frozenset({"a1"}))
    return [item for item in differences if item.path != "hosts/a1/boot_id"]


@pytest.mark.parametrize(
    ("path", "now", "klass"),
    [
        ("hosts.a2.boot_id", "new", "identity"),
        ("hosts.a1.uptime_s", 5.0, "volatile"),
        ("hosts.a1.system_state", "starting", "converging"),
        ("hosts.a1.failed_units", ("x.service",), "set"),
        ("guests.box.node", "a2", "converging"),
        ("guests.box.onboot", False, "identity"),
        ("names.ns/box.lab.test", (), "converging"),
        ("compose.shop.containers", (), "set"),
        ("compose.shop.sentinel_sha256", "d", "identity"),
        ("certificates.api.verified", False, "identity"),
        ("cluster.online", ("a1",), "converging"),
        ("mounts.media", (), "converging"),
        ("cluster.quorum", 3, "identity"),
    ],
)
def test_every_fact_has_its_class(path: str, now: Any, klass: str) -> None:
    evidence = put(good(), "after", path, seen(now))
    differences = compare(evidence.before, evidence.after, rebooted=frozenset({"a1"}))
    assert [item.klass for item in differences if item.path != "hosts/a1/boot_id"] == [klass]


def test_a_new_boot_is_expected_of_what_was_rebooted_only() -> None:
    evidence = good()
    (item,) = compare(evidence.before, evidence.after)
    assert item.klass == "identity"
    (item,) = compare(evidence.before, evidence.after, rebooted=frozenset({"a1"}))
    assert item.klass == "expected"


def test_the_same_twice_has_no_differences() -> None:
    assert compare(good().after, good().after) == ()


@pytest.mark.parametrize(
    ("was", "now"), [(seen("6.12"), lost()), (lost(), seen("6.12"))], ids=["lost", "found"]
)
def test_a_fact_read_once_only_may_still_come(was: Any, now: Any) -> None:
    """The engine waits while something converges, so an unread fact must count as that."""
    (item,) = found("hosts.a1.kernel", was, now)
    assert (item.klass, item.unread) == ("converging", True)
    assert undeclared([item], (), TODAY) == ()
    anything = Tolerance(path="hosts/*", reason="all of it", until=date(2099, 1, 1))
    assert tolerated([item], [anything], TODAY)[0].tolerated is None


def test_a_volatile_fact_that_is_lost_is_not_waited_for() -> None:
    (item,) = found("hosts.a1.uptime_s", seen(1.0), lost())
    assert item.klass == "volatile"


def test_a_fact_never_read_is_no_difference() -> None:
    assert found("hosts.a1.kernel", lost(), lost()) == []


def mounted(source: str, target: str, fstype: str = "ext4", *, answers: bool = True) -> Mount:
    return Mount(source=source, target=target, fstype=fstype, answers=answers)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (mounted("/dev/sda1", "/srv"), mounted("/dev/sdc1", "/srv")),
        (mounted("/dev/nvme0n1p1", "/srv"), mounted("/dev/nvme1n1p1", "/srv")),
        (mounted("overlay", "/var/lib/docker/x", "overlay"), mounted("tmpfs", "/run/y", "tmpfs")),
        (mounted("/dev/loop3", "/snap/core/7"), mounted("/dev/loop4", "/run/guests/102")),
    ],
    ids=["other disk name", "other NVMe name", "engine's own", "loops of guests"],
)
def test_mounts_that_are_the_same_or_passing(was: Mount, now: Mount) -> None:
    assert found("hosts.a1.mounts", seen((was,)), seen((now,))) == []


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (
            mounted("192.0.2.20:/vms", "/mnt/nas", "nfs4"),
            mounted("192.0.2.20:/vms", "/mnt/nas", "nfs4", answers=False),
            "hosts/a1/mounts//mnt/nas: nfs4 of 192.0.2.20:/vms -> "
            "nfs4 of 192.0.2.20:/vms, which does not answer",
        ),
        (
            mounted("192.0.2.20:/vms", "/mnt/nas", "nfs4"),
            mounted("192.0.2.21:/vms", "/mnt/nas", "nfs4"),
            "hosts/a1/mounts//mnt/nas: nfs4 of 192.0.2.20:/vms -> nfs4 of 192.0.2.21:/vms",
        ),
        (
            mounted("/dev/sda1", "/srv"),
            mounted("/dev/sda1", "/srv", "xfs"),
            "hosts/a1/mounts//srv: ext4 of a local disk -> xfs of a local disk",
        ),
    ],
    ids=["stale", "another server", "another file system"],
)
def test_mounts_that_differ(was: Mount, now: Mount, said: str) -> None:
    (item,) = found("hosts.a1.mounts", seen((was,)), seen((now,)))
    assert (str(item), item.klass) == (said, "set")


@pytest.mark.parametrize(
    "name", ["veth1a2b", "tap102i0", "fwbr102i0", "vb-maas", "br-0123456789ab", "lo"]
)
def test_interfaces_that_come_and_go_are_no_difference(name: str) -> None:
    was = {"vmbr0": ("192.0.2.11",), name: ("10.9.0.1",)}
    assert found("hosts.a1.addresses", seen(was), seen({"vmbr0": ("192.0.2.11",)})) == []


def test_a_tolerance_gives_its_reason() -> None:
    (item,) = found("hosts.a1.failed_units", seen(()), seen(("x.service",)))
    known = Tolerance(path="hosts/a1/failed_units", reason="ticket 12", until=TODAY)
    (told,) = tolerated([item], [known], TODAY)
    assert told.tolerated == "ticket 12"
    assert undeclared([item], [known], TODAY) == ()
    assert undeclared([item], [known], date(2026, 6, 16)) == (item,)


ENTRY = HostEntry(
    name="a", mac="bc:24:11:00:00:01", addresses=("192.0.2.61",), dynamic=True, line=3
)


@pytest.mark.parametrize(
    ("field", "now", "paths"),
    [
        ("recorded", (), ["dhcp/far/recorded/a"]),
        ("recorded", (ENTRY.model_copy(update={"deleted": True}),), ["dhcp/far/recorded/a"]),
        (
            "recorded",
            (ENTRY.model_copy(update={"addresses": ("192.0.2.7",)}),),
            ["dhcp/far/recorded/a"],
        ),
        ("recorded", (ENTRY.model_copy(update={"line": 9}),), []),
        ("ranges", (), ["dhcp/far/ranges/192.0.2.9-192.0.2.9"]),
        ("partners", ("two",), ["dhcp/far/partners/two"]),
        ("leases", (), []),
    ],
)
def test_host_entries_ranges_and_partners_of_a_dhcp_server(
    field: str, now: Any, paths: list[str]
) -> None:
    lease = Lease(address="192.0.2.9", state="free")
    server = DhcpFacts(
        declared=seen(()),
        recorded=seen((ENTRY,)),
        leases=seen((lease,)),
        ranges=seen((AddressRange(first="192.0.2.9", last="192.0.2.9"),)),
        partners=seen(()),
        lease_s=seen(600),
    )
    was = good().before.model_copy(update={"dhcp": {"far": server}})
    changed = server.model_copy(update={field: seen(now)})
    found = compare(was, was.model_copy(update={"dhcp": {"far": changed}}))
    assert [item.path for item in found if item.klass != "volatile"] == paths


def test_a_name_of_an_address_that_changes_is_a_difference() -> None:
    was = good().before.model_copy(update={"reverse": {"ns/192.0.2.61": seen(("box.lab.test",))}})
    now = was.model_copy(update={"reverse": {"ns/192.0.2.61": seen(())}})
    (item,) = compare(was, now)
    assert (item.path, item.before, item.after) == ("reverse/ns/192.0.2.61", "box.lab.test", "none")


def test_a_dhcp_server_that_nobody_looked_at_is_told() -> None:
    inventory = site(maas={"url": "https://192.0.2.62:5443/MAAS", "key": "env:KEY", "guest": "far"})
    facts = good().after
    assert unread(inventory, facts, facts).count("dhcp/far before: nobody looked") == 1
    assert not [item for item in unread(site(), facts, facts) if item.startswith("dhcp/")]
