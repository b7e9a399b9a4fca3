"""MAAS on the rack: what a restart keeps and what it takes, its import, its command."""

from __future__ import annotations

import json
import re
import time

import pytest

from blackstart.drivers.base import Site
from blackstart.drivers.maas import Maas
from blackstart.model.address_findings import findings
from blackstart.model.address_site import address_book
from blackstart.model.maas_facts import MaasFacts
from blackstart.rack.seed import dhcp
from blackstart.rack.standins.maas.imagesync import Parameters
from blackstart.rack.standins.maas.units import DHCPD, NAMED, PEBBLE
from blackstart.rack.topology import PVE
from tests.rack.command import eventually, on
from tests.rack.test_drivers_live import unknown

LEASES = f"/{dhcp.DIRECTORY}/dhcp/dhcpd.leases"
CONF = f"/{dhcp.DIRECTORY}/dhcpd.conf"
RESTART_S = 90.0
IMPORT_S = 180.0
K3S2 = next(guest for guest in PVE.guests if guest.name == "k3s2")
ENTRY = K3S2.mac.replace(":", "-")

pytestmark = pytest.mark.usefixtures("pristine_again")


@pytest.fixture
def maas(site: Site) -> Maas:
    """Its driver."""
    assert isinstance(site.images, Maas)
    return site.images


def invocation(unit: str) -> str:
    """The id of a unit's last start."""
    return on("maas", f"systemctl show --property=InvocationID --value {unit}")


def restart(unit: str) -> None:
    """Restart a unit in the guest and wait until all three run."""
    on("maas", f"systemctl restart {unit}", timeout=RESTART_S)
    active = f"systemctl is-active {PEBBLE} {DHCPD} {NAMED} || true"
    eventually(lambda: set(on("maas", active).split()) == {"active"}, RESTART_S)


def reservation(words: str) -> None:
    """Change how k3s2 gets its address; dhcpd starts again for it."""
    on("maas", f"maas-reservation {words}", timeout=RESTART_S)


def recorded() -> list[str]:
    """Names of the host entries in the lease file."""
    return re.findall(r"^host (\S+) \{", on("maas", f"cat {LEASES}"), re.MULTILINE)


def declared() -> list[str]:
    """Names of the hosts in dhcpd's configuration."""
    return re.findall(r"^host (\S+) \{", on("maas", f"cat {CONF}"), re.MULTILINE)


def test_the_driver_reads_everything(maas: Maas) -> None:
    began = time.monotonic()
    facts = maas.observe()
    print(f"all facts in {time.monotonic() - began:.1f} s")
    assert list(unknown("maas", facts)) == []
    services = {
        name: service.status
        for each in facts.racks.value or ()
        for name, service in each.services.items()
    }
    assert {services["dhcpd"], services["dns_rack"], services["rackd"]} == {"running"}


def test_a_healthy_racks_addresses_are_well_but_for_the_one_server_that_is_accepted(
    site: Site,
) -> None:
    judged = findings(address_book(site.inventory, site.facts()))
    assert [str(item) for item in judged.findings] == []
    assert [item.text for item in judged.gaps] == []
    assert {item.kind for item in judged.waived} == {"one server"}


def test_a_restart_of_maas_restarts_its_dhcp_and_dns_and_keeps_reservations(maas: Maas) -> None:
    before = {unit: invocation(unit) for unit in (PEBBLE, DHCPD, NAMED)}
    hosts, reservations = declared(), maas.observe().reservations.value
    restart(PEBBLE)
    assert not [unit for unit, was in before.items() if invocation(unit) == was]
    assert declared() == hosts
    assert maas.observe().reservations.value == reservations


@pytest.mark.parametrize("unit", [DHCPD, NAMED])
def test_a_part_of_maas_restarts_by_itself(unit: str) -> None:
    before = {each: invocation(each) for each in (PEBBLE, DHCPD, NAMED)}
    restart(unit)
    changed = {each for each, was in before.items() if invocation(each) != was}
    assert changed == {unit}


@pytest.mark.parametrize("unit", [DHCPD, PEBBLE])
def test_a_dynamic_entry_is_gone_after_a_restart_and_a_reserved_one_is_not(unit: str) -> None:
    reservation(f"dynamic {K3S2.mac}")
    try:
        assert ENTRY in recorded()
        assert ENTRY not in declared()
        restart(unit)
        assert recorded() == []
        assert len(declared()) == len([guest for guest in PVE.guests if not guest.static])
    finally:
        reservation(f"reserved {K3S2.mac} {K3S2.address}")
    assert ENTRY in declared()


def test_the_checks_say_before_the_restart_who_will_move(site: Site) -> None:
    reservation(f"dynamic {K3S2.mac}")
    try:
        judged = findings(address_book(site.inventory, site.facts()))
        moving = [item for item in judged.findings if item.kind == "moves"]
        assert [item.subject for item in moving] == ["k3s2"]
        assert "rests on a dynamic host entry" in moving[0].text
    finally:
        reservation(f"reserved {K3S2.mac} {K3S2.address}")


def test_the_guest_sees_its_own_memory_limit() -> None:
    """What an import takes a share of: the limit of the control group that is its root."""
    guest = next(guest for guest in PVE.guests if guest.role == "maas")
    assert on("maas", "cat /sys/fs/cgroup/memory.max") == str(guest.memory_mib << 20)


def test_an_import_takes_memory_completes_and_harms_nobody(maas: Maas) -> None:
    wanted = Parameters()
    before = {image.version for image in maas.observe().images.value or ()}
    kills = on("pve1", "grep '^oom_kill ' /proc/vmstat")
    began, peak = time.monotonic(), 0
    maas.start_import()
    facts = maas.observe()
    assert facts.importing.value is True
    assert not any(image.complete for image in facts.images.value or ())
    while facts.importing.value and time.monotonic() - began < IMPORT_S:
        peak = max(peak, anonymous())
        facts = maas.observe()
    print(f"import in {time.monotonic() - began:.0f} s, at most {peak >> 20} MiB anonymous")
    assert_imported(facts, before)
    limit = int(on("maas", "cat /sys/fs/cgroup/memory.max"))
    assert 0.6 * wanted.memory_share * limit < peak <= limit
    assert on("pve1", "grep '^oom_kill ' /proc/vmstat") == kills
    assert on("maas", "systemctl is-system-running") == "running"
    eventually(lambda: anonymous() < peak / 2, 30)


def anonymous() -> int:
    """Bytes of the guest's memory that nobody can take back."""
    return int(on("maas", "sed -n 's/^anon //p' /sys/fs/cgroup/memory.stat"))


def assert_imported(facts: MaasFacts, before: set[str | None]) -> None:
    images = facts.images.value or ()
    assert len(images) == 8
    assert all(image.complete and image.version not in before for image in images)


def test_an_import_that_dies_with_maas_leaves_sets_incomplete_and_says_so(maas: Maas) -> None:
    maas.start_import()
    restart(PEBBLE)
    facts = maas.observe()
    assert facts.importing.value is False
    assert not any(image.complete for image in facts.images.value or ())
    before = {image.version for image in facts.images.value or ()}
    time.sleep(1)  # a version is of a second
    maas.start_import()
    eventually(lambda: maas.observe().importing.value is False, IMPORT_S)
    assert_imported(maas.observe(), before)


def test_maas_status_is_a_table_of_its_services() -> None:
    head, *rows = [line.split() for line in on("maas", "maas status").splitlines()]
    assert head == ["Service", "Startup", "Current", "Since"]
    current = {row[0]: row[2] for row in rows}
    assert {current[name] for name in ("dhcpd", "bind9", "rackd", "regiond")} == {"active"}
    assert current["dhcpd6"] == "inactive"
    on("maas", f"systemctl stop {DHCPD}")
    try:
        stopped = [line.split() for line in on("maas", "maas status").splitlines()]
        assert ["dhcpd", "enabled", "inactive", "-"] in stopped
    finally:
        on("maas", f"systemctl start {DHCPD}")


def test_its_state_is_readable_by_root_alone() -> None:
    modes = on("maas", f"stat -c %a /{dhcp.DIRECTORY}/state.json {CONF}").split()
    assert modes == ["600", "640"]
    state = json.loads(on("maas", f"cat /{dhcp.DIRECTORY}/state.json"))
    assert len(state["reservedips"]) == 6
