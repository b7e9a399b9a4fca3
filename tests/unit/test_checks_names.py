"""The check of name servers shown green, red and unproven; a blocked name is a declared one."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.errors import Found, Unproven
from blackstart.model.facts import Observed, SiteFacts
from blackstart.model.inventory import Inventory

from .calling import checks_in
from .invariants.site import facts, lost, seen, site

CHECK = checks_in("test_names")["name_server_gives_every_declared_name"]
WEB, ADS = "web.lab.test", "ads.example.net"


def lab() -> Inventory:
    return site(
        dns={
            "servers": {"one": {"address": "192.0.2.61", "guest": "box"}},
            "names": {WEB: {"addresses": ["192.0.2.61"]}, ADS: {"addresses": ["0.0.0.0"]}},
        }
    )


def answering(**names: Observed[tuple[str, ...]]) -> SiteFacts:
    """What the server answered to ``web`` and ``ads``."""
    told = {"web": WEB, "ads": ADS}
    return facts("first").model_copy(
        update={"names": {f"one/{told[key]}": value for key, value in names.items()}}
    )


WELL: dict[str, Any] = {
    "web": seen(("192.0.2.61",), "dns @192.0.2.61: web.lab.test A"),
    "ads": seen(("0.0.0.0",), "dns @192.0.2.61: ads.example.net A"),
}


def test_a_server_that_gives_what_is_declared_is_green() -> None:
    CHECK("one", answering(**WELL), lab())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"web": seen(("192.0.2.9",), "dns")}, "to one web.lab.test is 192.0.2.9 and not 192.0.2"),
        ({"web": seen((), "dns: NXDOMAIN")}, r"web.lab.test is no address .*\(dns: NXDOMAIN\)"),
        ({"ads": seen(("198.51.100.7",), "dns")}, "ads.example.net is 198.51.100.7 and not 0.0.0."),
        ({"web": seen((), "dns"), "ads": lost("dns")}, "web.lab.test is no address"),
    ],
)
def test_another_answer_is_red_and_touches_its_guest(change: dict[str, Any], told: str) -> None:
    with pytest.raises(Found, match=told) as found:
        CHECK("one", answering(**{**WELL, **change}), lab())
    assert found.value.touches == ("box",)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (answering(**{**WELL, "web": lost("dns @192.0.2.61", "timeout")}), "61: timeout"),
        (answering(web=WELL["web"]), "nobody asked one for ads.example.net"),
    ],
)
def test_no_answer_is_unproven(given: SiteFacts, told: str) -> None:
    with pytest.raises(Unproven, match=told):
        CHECK("one", given, lab())


def test_no_name_to_ask_for_is_unproven() -> None:
    with pytest.raises(Unproven, match="declares no name"):
        CHECK("one", answering(**WELL), site(dns=None))
