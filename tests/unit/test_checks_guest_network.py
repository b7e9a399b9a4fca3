"""The check of guests' bridges shown green, red, unproven, and not applicable."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.errors import Found, Unproven
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.observed import unread

from .calling import call, checks_in
from .host_boots import rewritten, well
from .proxmox_cases import config, nothing_seen, site

CHECK = checks_in("test_guest_network")["guest_has_its_bridges"]
TAGGED = "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=3"


def given(facts: HostBootFacts | None = None, **cards: str) -> dict[str, Any]:
    """The guest with these cards, on a node that says this of its boot."""
    return site(config(**cards), host_boots={"a1": facts or well()})


@pytest.mark.parametrize("card", [TAGGED, TAGGED.replace("tag=3", "tag=10"), TAGGED[:-6]])
def test_a_bridge_that_is_there_and_passes_the_vlan_is_green(card: str) -> None:
    call(CHECK, given(net0=card))


def test_a_bridge_that_is_not_vlan_aware_gets_an_interface_for_the_tag() -> None:
    plain = rewritten("files", "bridge-vlan-aware yes", "bridge-fd 0")
    call(CHECK, given(plain, net0=TAGGED.replace("tag=3", "tag=77")))


RED: list[tuple[dict[str, Any], str]] = [
    (given(net0=TAGGED.replace("vmbr0", "vmbr9")), "box: net0: there is no vmbr9 on a1"),
    (given(net0=TAGGED.replace("tag=3", "tag=77")), "net0: vmbr0 passes VLAN 2-4 10 and not 77"),
    (
        given(rewritten("files", "iface vmbr0", "iface vmbr1"), net1=TAGGED),
        "net1: vmbr0 was made by hand, no boot makes it again",
    ),
]


@pytest.mark.parametrize(("case", "told"), RED, ids=[told for _, told in RED])
def test_red_with_where_it_is_written(case: dict[str, Any], told: str) -> None:
    with pytest.raises(Found, match=told) as found:
        call(CHECK, case)
    assert "ssh a1: /etc/network/interfaces" in found.value.evidence


def test_a_guest_without_a_bridge_does_not_apply() -> None:
    with pytest.raises(pytest.skip.Exception, match="box is on no bridge"):
        call(CHECK, given())


def unwritten() -> HostBootFacts:
    """A node whose network is written where nobody looked."""
    facts = well()
    nothing = facts.interfaces.model_copy(update={"value": ()})
    return facts.model_copy(update={"interfaces": nothing})


@pytest.mark.parametrize(
    "case",
    [
        given(unwritten(), net0=TAGGED),
        given(unread(HostBootFacts, "ssh a1", "No route to host"), net0=TAGGED),
        {**given(net0=TAGGED), "host_boots": {}},
        {**nothing_seen(), "host_boots": {"a1": well()}},
    ],
    ids=["written elsewhere", "silent", "not asked", "no api"],
)
def test_what_cannot_be_read_is_unproven(case: dict[str, Any]) -> None:
    with pytest.raises(Unproven):
        call(CHECK, case)
