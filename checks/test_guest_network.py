"""Would a guest's cards find their bridge on its node after a boot, and their VLAN on it?"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.checking import boot_facts, expect, known
from blackstart.checking_guests import config_of, row_of, where_configured
from blackstart.errors import Unproven
from blackstart.model.guest_network import bridged
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.vlans import read_vlans

pytestmark = pytest.mark.check


@pytest.mark.claim(severity="critical", breaks="boot")
def test_guest_has_its_bridges(
    guest: str,
    proxmox: ProxmoxFacts,
    host_boots: Mapping[str, HostBootFacts],
    inventory: Inventory,
) -> None:
    """Each card's bridge is there and written for the next boot, and passes the card's VLAN.

    A start fails without the bridge (qm(1)); a VLAN that a VLAN-aware bridge does not pass leaves
    the guest up and alone (bridge-vids of interfaces(5)).
    """
    row = row_of(proxmox, inventory, guest)
    cards = bridged(config_of(proxmox, row))
    if not cards:
        pytest.skip(f"{guest} is on no bridge ({where_configured(proxmox, row)})")
    facts = boot_facts(host_boots, row.node)
    there = {card.name for card in known(facts.cards)}
    declared = {stanza.name: stanza for stanza in known(facts.interfaces)}
    wrong = []
    for key, (bridge, tag) in cards.items():
        stanza = declared.get(bridge)
        if bridge not in there:
            wrong.append(f"{key}: there is no {bridge} on {row.node}")
        elif declared and stanza is None:
            wrong.append(f"{key}: {bridge} was made by hand, no boot makes it again")
        elif stanza is not None and stanza.vlan_aware and tag is not None:
            passed = read_vlans(stanza.vlans)
            if tag not in passed:
                wrong.append(f"{key}: {bridge} passes VLAN {stanza.vlans or 'none'} and not {tag}")
    if not declared and not wrong:
        raise Unproven(
            f"{facts.interfaces.source}: no interface is written there, so nobody can say whether "
            "a boot makes the bridges again"
        )
    expect(
        not wrong,
        f"{guest}: {'; '.join(wrong)}",
        evidence=(where_configured(proxmox, row), facts.interfaces.source, facts.cards.source),
        fix=f"write bridge or VLAN into /etc/network/interfaces of {row.node}, then: ifreload -a",
    )
