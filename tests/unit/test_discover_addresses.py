"""Which address a guest is given in a first inventory, and why another one has none."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.discover.addresses import Known, Unknown, address_of, reserved_by_mac
from blackstart.discover.entrance import Entrance, maas_url, proxmox_entrance
from blackstart.errors import UsageError
from blackstart.model.facts import GuestFacts, Observed, unread
from blackstart.model.maas_facts import Reservation, ReservationKind
from blackstart.model.survey import GuestSeen

MAC, SECOND = "bc:24:11:00:00:01", "bc:24:11:00:00:02"
CARD = {"net0": f"virtio={MAC.upper()},bridge=vmbr0"}
BOTH = {**CARD, "net1": f"virtio={SECOND.upper()},bridge=vmbr1"}
LOST = "500 QEMU guest agent is not running"


def guest(config: dict[str, str] | None, seen: Any = None, kind: str = "qemu") -> GuestSeen:
    """A running guest; ``seen`` are its addresses by MAC, ``None`` where nobody says."""
    config_fact: Any = (
        Observed[Any](source="api", value=config)
        if config is not None
        else Observed[Any](source="api", error="pve2 is offline")
    )
    inside = Observed[Any](source="api", value=seen) if seen is not None else None
    facts = unread(GuestFacts, "api", LOST).model_copy(
        update={
            "config": config_fact,
            "status": Observed[str](source="api", value="running"),
            **({"interfaces": inside} if inside else {}),
        }
    )
    return GuestSeen.model_validate(
        {"vmid": 100, "kind": kind, "name": "web", "node": "pve1", "facts": facts}
    )


def held(ip: str, mac: str | None = MAC, kind: ReservationKind = "reservedip") -> Reservation:
    return Reservation(ip=ip, kind=kind, mac=mac, hostname=None, subnet=1, source="maas")


def test_what_is_seen_inside_the_guest() -> None:
    assert address_of(guest(CARD, {MAC: ("192.0.2.9",)}), {}) == Known("192.0.2.9", MAC)


def test_the_first_card_that_has_one() -> None:
    seen = {MAC: (), SECOND: ("192.0.2.9",)}
    assert address_of(guest(BOTH, seen), {}) == Known("192.0.2.9", SECOND)


@pytest.mark.parametrize("useless", ["169.254.3.4", "127.0.0.1", "0.0.0.0", "fe80::1", "x"])
def test_what_is_no_address_of_the_lan(useless: str) -> None:
    assert address_of(guest(CARD, {MAC: (useless,)}), {}) == Unknown("it shows no IPv4 address")
    found = address_of(guest(CARD, {MAC: (useless, "192.0.2.9")}), {})
    assert found == Known("192.0.2.9", MAC)


def test_of_several_a_person_decides() -> None:
    several = {MAC: ("192.0.2.100", "192.0.2.9")}
    found = address_of(guest(CARD, several), {})
    assert found == Known("192.0.2.9", MAC, "it has 192.0.2.100 as well; which must it keep?")
    reserved = reserved_by_mac([held("192.0.2.100")])
    found = address_of(guest(CARD, several), reserved)
    assert found == Known("192.0.2.100", MAC, "it has 192.0.2.9 as well; which must it keep?")
    config = {**CARD, "ipconfig0": "ip=192.0.2.100/24,gw=192.0.2.1"}
    assert address_of(guest(config, several), {}) == found


def test_as_it_is_configured_when_nobody_sees_it() -> None:
    config = {**CARD, "ipconfig0": "ip=192.0.2.9/24,gw=192.0.2.1"}
    told = "configured (ipconfig0), and not seen in the guest"
    assert address_of(guest(config), {}) == Known("192.0.2.9", MAC, told)
    container = {"net0": f"name=eth0,hwaddr={MAC.upper()},ip=192.0.2.9/24"}
    told = "configured (net0), and not seen in the guest"
    assert address_of(guest(container, {}, "lxc"), {}) == Known("192.0.2.9", MAC, told)


def test_as_maas_reserves_it_when_it_is_one_address_of_the_card() -> None:
    told = "reserved by MAAS, and not seen in the guest"
    assert address_of(guest(CARD), reserved_by_mac([held("192.0.2.9")])) == Known(
        "192.0.2.9", MAC, told
    )
    lost = Unknown(f"its addresses are not known: {LOST}")
    for others in (
        [held("192.0.2.9"), held("192.0.2.10")],
        [held("192.0.2.9", SECOND)],
        [held("192.0.2.9", None)],
    ):
        assert address_of(guest(CARD), reserved_by_mac(others)) == lost


def test_why_there_is_none() -> None:
    assert address_of(guest(None), {}) == Unknown("its configuration is not known: pve2 is offline")
    assert address_of(guest({"name": "x"}), {}) == Unknown("it has no network card")
    assert address_of(guest({"net0": "bridge=vmbr0"}), {}) == Unknown("it has no network card")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("https://192.0.2.11:8006", "192.0.2.11", 8006),
        ("https://pve1.example.net/", "pve1.example.net", 8006),
        ("pve1", "pve1", 8006),
        ("pve1:443", "pve1", 443),
        ("  192.0.2.11 ", "192.0.2.11", 8006),
        ("https://[2001:db8::11]:8006/", "2001:db8::11", 8006),
        ("2001:db8::11", "2001:db8::11", 8006),
        ("https://192.0.2.11:8006/?console=kvm#v1:0:18:4", "192.0.2.11", 8006),
    ],
)
def test_where_an_api_is(text: str, host: str, port: int) -> None:
    assert proxmox_entrance(text) == Entrance(host, port)


@pytest.mark.parametrize("text", ["https://192.0.2.53:5443", "https://192.0.2.53:5443/MAAS/"])
def test_where_maas_is(text: str) -> None:
    assert maas_url(text) == "https://192.0.2.53:5443/MAAS"


@pytest.mark.parametrize("text", ["192.0.2.53:5240/MAAS", "ftp://x/MAAS", "https://x/MAAS/r/"])
def test_what_is_no_url_of_maas(text: str) -> None:
    with pytest.raises(UsageError, match="--maas"):
        maas_url(text)
