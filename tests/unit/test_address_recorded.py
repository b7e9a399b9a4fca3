"""The outage of July 2025 on recorded files: who moves is told before MAAS restarts dhcpd.

The files are what dhcpd 4.4.3 and MAAS wrote: before, and after MAAS had cleaned the lease
file for the next start. One guest is reserved, the other has a dynamic host entry alone.
"""

from __future__ import annotations

from typing import Any

from blackstart.drivers.dhcpd_conf import read_configuration
from blackstart.drivers.dhcpd_leases import read_leases
from blackstart.model.address_findings import Judged, findings
from blackstart.model.address_site import address_book
from blackstart.model.dhcp_facts import DhcpFacts
from blackstart.model.facts import GuestFacts, SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.maas_facts import DynamicRange
from blackstart.model.observed import unread

from .drivers.dhcpd_files import needs_recorded, recorded
from .guest_addresses import MAAS, maas, reservation
from .invariants.site import seen

pytestmark = needs_recorded
RESERVED = ("bc:24:11:3b:7a:a7", "198.51.100.30")
DYNAMIC = ("bc:24:11:00:00:02", "198.51.100.41")
GUESTS = {"kept": RESERVED, "loose": DYNAMIC}


def inventory() -> Inventory:
    guests = {
        name: {"vmid": 101 + turn, "kind": "qemu", "node": "a1", "mac": mac, "address": address}
        for turn, (name, (mac, address)) in enumerate(GUESTS.items())
    }
    node = {"address": "198.51.100.1", "api": "proxmox"}
    document: dict[str, Any] = {"site": "home", "domain": "lab.test", "nodes": {"a1": node}}
    return Inventory.model_validate(
        {**document, "guests": guests, "maas": {**MAAS, "guest": "kept"}}
    )


def judged(lease_file: str) -> Judged:
    """What the address book says, with everything as recorded and this lease file."""
    conf = read_configuration(recorded("dhcpd.conf.from-api-state"))
    log = read_leases(recorded(lease_file))
    server = DhcpFacts(
        declared=seen(conf.hosts, "dhcpd.conf"),
        ranges=seen(conf.ranges, "dhcpd.conf"),
        partners=seen(conf.partners, "dhcpd.conf"),
        lease_s=seen(conf.lease_s, "dhcpd.conf"),
        recorded=seen(log.hosts, "dhcpd.leases"),
        leases=seen(log.leases, "dhcpd.leases"),
    )
    guests = {
        name: unread(GuestFacts, "api", "not asked").model_copy(
            update={
                "config": seen({"net0": f"virtio={mac},bridge=vmbr0", "ipconfig0": "ip=dhcp"}),
                "interfaces": seen({mac: (address,)}),
            }
        )
        for name, (mac, address) in GUESTS.items()
    }
    held = maas(
        reservations=seen((reservation(*RESERVED),)),
        dns_records=seen(()),
        dynamic_ranges=seen(
            (DynamicRange(subnet=1, first="198.51.100.100", last="198.51.100.150"),)
        ),
    )
    facts = SiteFacts(taken_at=0.0, guests=guests, dhcp={"kept": server}, maas=held)
    return findings(address_book(inventory(), facts))


def moving(found: Judged) -> dict[str, str]:
    return {item.subject: item.text for item in found.findings if item.kind == "moves"}


def test_before_the_restart_exactly_the_dynamic_one_is_told() -> None:
    for lease_file in ("dhcpd.leases.real", "dhcpd.leases.after-restart"):
        found = moving(judged(lease_file))
        assert list(found) == ["loose"]
        assert "198.51.100.41 rests on a dynamic host entry (dhcpd.leases line" in found["loose"]
        assert found["loose"].endswith("it then gets one of 198.51.100.100-198.51.100.150")


def test_when_maas_has_cleaned_the_file_nothing_keeps_it() -> None:
    found = moving(judged("dhcpd.leases.after-maas-clean"))
    assert list(found) == ["loose"]
    assert "nothing keeps 198.51.100.41 for bc:24:11:00:00:02" in found["loose"]


def test_an_entry_deleted_while_dhcpd_ran_is_told_until_a_start_brings_it_back() -> None:
    """The lease file has a deletion of it last, so the running server no longer gives it."""
    (text,) = (item.text for item in judged("dhcpd.leases.real").findings if item.subject == "kept")
    assert "host entry (dhcpd.conf, deleted in the lease file)" in text
    for lease_file in ("dhcpd.leases.after-restart", "dhcpd.leases.after-maas-clean"):
        assert not [item for item in judged(lease_file).findings if item.subject == "kept"]
