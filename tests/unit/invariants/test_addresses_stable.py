"""addresses-stable: MAC, address, DNS and certificate agree, with each other and with before."""

from __future__ import annotations

import pytest

from blackstart.invariants import addresses_stable
from blackstart.invariants.base import Evidence
from blackstart.model.verdict import Judgement, Verdict

from .site import MACS, good, lost, put, seen, site

FAIL, UNPROVEN = Verdict.FAIL, Verdict.UNPROVEN
MAC = MACS["box"]
INTERFACES, NAME = "guests.box.interfaces", "names.ns/box.lab.test"
CARRIED, VERIFIED = "certificates.api.addresses", "certificates.api.verified"


def box(evidence: Evidence) -> Judgement:
    judged = {item.target: item for item in addresses_stable().judge(evidence)}
    assert set(judged) == {"box", "far"}
    assert judged["far"].verdict is Verdict.PASS
    return judged["box"]


def agent(*addresses: str, mac: str = MAC) -> object:
    return seen({mac: addresses}, "agent of box")


def both(path: str, value: object) -> Evidence:
    return put(put(good(), "before", path, value), "after", path, value)


def test_all_is_well() -> None:
    judged = box(good())
    assert judged.verdict is Verdict.PASS
    assert judged.reason == (f"{MAC} has 192.0.2.61; box.lab.test in DNS; certificate api verified")


@pytest.mark.parametrize(
    "interfaces",
    [
        seen({MAC.upper(): ("192.0.2.61",)}),
        seen({MAC: ("192.0.2.61/24",)}),
        seen({MAC: ("192.0.2.61",), "02:42:00:00:00:01": ("172.17.0.1",)}),
    ],
    ids=["capitals", "with its prefix", "beside a bridge of docker"],
)
def test_ways_to_say_the_same(interfaces: object) -> None:
    assert box(put(good(), "after", INTERFACES, interfaces)).verdict is Verdict.PASS


BROKEN = {
    "other address": (
        put(good(), "after", INTERFACES, agent("192.0.2.220")),
        f"{MAC} has 192.0.2.220 (agent of box); the inventory declares 192.0.2.61; "
        "certificate api is for 192.0.2.61 (tls api), not for 192.0.2.220",
    ),
    "other address, nobody at the old one": (
        put(
            put(good(), "after", INTERFACES, agent("192.0.2.220")),
            "after",
            "certificates.api",
            None,
        ),
        f"{MAC} has 192.0.2.220 (agent of box); the inventory declares 192.0.2.61; "
        "certificate api is for 192.0.2.61 (tls api), not for 192.0.2.220",
    ),
    "other address, which the certificate carries too": (
        put(
            both(CARRIED, seen(("192.0.2.61", "192.0.2.220"), "tls api")),
            "after",
            INTERFACES,
            agent("192.0.2.220"),
        ),
        f"{MAC} has 192.0.2.220 (agent of box); the inventory declares 192.0.2.61",
    ),
    "no address": (
        put(good(), "after", INTERFACES, agent()),
        f"{MAC} has no address (agent of box); the inventory declares 192.0.2.61",
    ),
    "other card": (
        put(good(), "after", INTERFACES, agent("192.0.2.61", mac="bc:24:11:00:00:99")),
        f"box has no {MAC} but bc:24:11:00:00:99 (agent of box)",
    ),
    "one address more": (
        put(good(), "after", INTERFACES, agent("192.0.2.61", "192.0.2.220")),
        f"{MAC} has 192.0.2.220, 192.0.2.61 (agent of box); before the fault 192.0.2.61",
    ),
    "DNS elsewhere": (
        put(good(), "after", NAME, seen(("192.0.2.220",), "dns ns")),
        "box.lab.test is 192.0.2.220 (dns ns); the inventory declares 192.0.2.61",
    ),
    "certificate for another address": (
        put(good(), "after", CARRIED, seen(("192.0.2.220",), "tls api")),
        "certificate api is for 192.0.2.220 (tls api); the inventory declares 192.0.2.61",
    ),
    "certificate that does not verify": (
        put(good(), "after", VERIFIED, seen(False, "tls api")),
        "certificate api does not verify (tls api)",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, said = BROKEN[name]
    judged = box(evidence)
    assert (judged.verdict, judged.reason) == (FAIL, said)


UNKNOWN = {
    "agent silent": (
        put(good(), "after", INTERFACES, lost("agent of box", "not running")),
        "interfaces of box not seen: not running (agent of box)",
    ),
    "nobody looked": (
        put(good(), "after", "guests.box", None),
        "interfaces of box not seen: nobody looked",
    ),
    "not read before": (
        put(good(), "before", INTERFACES, lost()),
        "interfaces of box before the fault not seen: no answer (read)",
    ),
    "elsewhere before already": (
        both(INTERFACES, agent("192.0.2.220")),
        f"{MAC} had 192.0.2.220 before the fault; declared 192.0.2.61",
    ),
    "DNS silent": (
        put(good(), "after", NAME, lost("dns ns", "timeout")),
        "answer of ns to box.lab.test not seen: timeout (dns ns)",
    ),
    "endpoint silent": (
        put(good(), "after", CARRIED, lost("tls api", "refused")),
        "addresses in certificate api not seen: refused (tls api)",
    ),
    "verification not tried": (
        put(good(), "after", VERIFIED, lost("tls api", "refused")),
        "validity of certificate api not seen: refused (tls api)",
    ),
    "certificate not looked at": (
        put(good(), "after", "certificates.api", None),
        "addresses in certificate api not seen: nobody looked; "
        "validity of certificate api not seen: nobody looked",
    ),
    "certificate wrong before already": (
        both(VERIFIED, seen(False, "tls api")),
        "certificate api does not verify before the fault (tls api)",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, said = UNKNOWN[name]
    judged = box(evidence)
    assert (judged.verdict, judged.reason) == (UNPROVEN, said)


def test_no_running_guest_is_unproven() -> None:
    inventory = site(guests={}, dns=None, compose={}, certificates={})
    (judged,) = addresses_stable().judge(good(inventory=inventory))
    assert (judged.verdict, judged.target) == (UNPROVEN, "home")
