"""Would MAAS itself come through, and does it leave a drill in peace?"""

from __future__ import annotations

from ipaddress import ip_network
from itertools import combinations

import pytest

from blackstart.checking import expect, known, maas_facts
from blackstart.errors import Unproven
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.maas_facts import MaasFacts

pytestmark = pytest.mark.check

ILL = ("dead", "degraded")


@pytest.fixture
def maas(facts: SiteFacts, inventory: Inventory) -> MaasFacts:
    """What MAAS says, where there is one."""
    if inventory.maas is None:
        pytest.skip("the inventory declares no MAAS")
    return maas_facts(facts)


@pytest.mark.claim(severity="warning", breaks="visibility")
def test_maas_shows_everything(maas: MaasFacts) -> None:
    """To others than administrators it shows less and does not say so (docs/maas.md)."""
    expect(
        known(maas.administrator),
        "the key's owner is no administrator",
        evidence=maas.administrator.source,
        fix="take the key of one: maas apikey --username NAME",
    )


@pytest.mark.claim(severity="critical", breaks="address", incident="2025-07-29-maas-killed")
def test_maas_services_run(maas: MaasFacts) -> None:
    """What is dead before a restart was not started by it (outage of July 2025)."""
    racks, source = known(maas.racks), maas.racks.source
    expect(
        bool(racks),
        "MAAS has no rack controller, so nobody serves DHCP",
        evidence=source,
        fix="add one: maas-rack register --url http://REGION:5240/MAAS --secret SECRET",
    )
    services = {
        f"{name} of {rack.hostname}": service
        for rack in racks
        for name, service in rack.services.items()
    }
    hostnames = {rack.system_id: rack.hostname for rack in racks}
    serving = [rack for subnet in known(maas.subnets) if subnet.dhcp_on for rack in subnet.racks]
    wanted = {f"dhcpd of {hostnames.get(rack, rack)}" for rack in serving}
    wrong = [
        f"{name} is {service.status}: {service.info or 'no reason given'}"
        for name, service in services.items()
        if service.status in ILL
    ]
    wrong += [
        f"{name} is off, and a subnet is to have its DHCP from there"
        for name in sorted(wanted & services.keys())
        if services[name].status == "off"
    ]
    expect(not wrong, "; ".join(wrong), evidence=source, fix="journalctl -u snap.maas.pebble on it")
    unsaid = {name for name, service in services.items() if service.status == "unknown"}
    unsaid |= wanted - services.keys()
    mute = not services and not unsaid
    unsaid |= {f"any service of {rack.hostname}" for rack in racks if mute}
    if unsaid:
        raise Unproven(f"{source}: nobody says how {', '.join(sorted(unsaid))} is")


@pytest.mark.claim(severity="critical", breaks="boot")
def test_subnets_do_not_overlap(maas: MaasFacts) -> None:
    """Two subnets that overlap have one reverse zone twice, and named does not start with that."""
    subnets = [(item.name, ip_network(item.cidr)) for item in known(maas.subnets)]
    wrong = [
        f"{name} ({network}) and {other} ({second})"
        for (name, network), (other, second) in combinations(subnets, 2)
        if network.version == second.version and network.overlaps(second)
    ]
    expect(
        not wrong,
        f"overlapping: {'; '.join(wrong)}",
        evidence=maas.subnets.source,
        fix="take away the one that is not used: maas ADMIN subnet delete ID",
    )


@pytest.mark.claim(severity="warning", breaks="delay", incident="2025-07-29-maas-killed")
def test_boot_images_are_whole(maas: MaasFacts) -> None:
    """An incomplete one is fetched again at the next import, all at once (July 2025)."""
    lacking = [
        f"{image.name} {image.architecture} {image.version or 'without a version'}"
        for image in known(maas.images)
        if not image.complete
    ]
    expect(
        not lacking,
        f"not whole: {', '.join(lacking)}",
        evidence=maas.images.source,
        fix="import them while nothing else goes on: maas ADMIN boot-resources import",
    )


@pytest.mark.claim(severity="warning", breaks="address", incident="2025-07-29-maas-killed")
def test_image_import_keeps_a_quiet_window(maas: MaasFacts) -> None:
    """MAAS looks every hour, at any hour; its import had its machine killed (July 2025)."""
    expect(
        not known(maas.syncs_by_itself),
        "MAAS imports boot images by itself, every hour",
        evidence=maas.syncs_by_itself.source,
        fix="maas ADMIN maas set-config name=boot_images_auto_import value=false, "
        "and a timer of your own at night: maas ADMIN boot-resources import",
    )
