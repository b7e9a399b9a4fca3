"""Would a host's network be after a boot what it is now?"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.checking import boot_facts, expect, has_own_kernel, known
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.host_network import Stanza
from blackstart.model.inventory import Inventory
from blackstart.model.vlans import differences

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
MOST_ERRORS = 10
"""Of one link since it came up: a plug being pulled leaves a few, a bad cable hundreds."""


def _declared(facts: HostBootFacts) -> tuple[Stanza, ...]:
    """What ifupdown configures. Skips the check where it configures nothing."""
    found = known(facts.interfaces)
    if not found:
        pytest.skip(f"{facts.interfaces.source} configures nothing: another program does")
    return found


def _bridge_ports(facts: HostBootFacts) -> list[tuple[Stanza, str]]:
    found = [(stanza, port) for stanza in _declared(facts) for port in stanza.ports]
    if not found:
        pytest.skip(f"no bridge or bond with ports in {facts.interfaces.source}")
    return found


@pytest.mark.claim(severity="critical", breaks="boot")
def test_no_network_change_is_staged(host: str, host_boots: HostBoots) -> None:
    """No network configuration waits for the next boot to be tried (pvenetcommit.service)."""
    facts = boot_facts(host_boots, host)
    expect(
        not known(facts.staged_network),
        "a changed network configuration would be applied by the next boot",
        evidence=facts.staged_network.source,
        fix="apply it while you watch (ifreload -a in the GUI's Apply), or discard it there",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_generated_network_is_read(host: str, host_boots: HostBoots) -> None:
    """A boot reads what the cluster generated for its software-defined networks (pvesdn(1))."""
    facts = boot_facts(host_boots, host)
    generated = known(facts.generated_network)
    if generated == "none":
        pytest.skip(f"nothing was generated ({facts.generated_network.source})")
    expect(
        generated == "read",
        "networks that the cluster generated are not made at boot, and guests on them do not start",
        evidence=(facts.generated_network.source, facts.interfaces.source),
        fix="add to /etc/network/interfaces: source /etc/network/interfaces.d/*",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_interface_that_is_up_comes_up_again(host: str, host_boots: HostBoots) -> None:
    """Every declared interface that is up now is ``auto``, or belongs to one that is."""
    facts = boot_facts(host_boots, host)
    declared = _declared(facts)
    up = {card.name for card in known(facts.cards) if card.up}
    carried = {
        name
        for stanza in declared
        for port in stanza.ports
        for name in (port, port.partition(".")[0])
    } | {stanza.raw for stanza in declared}
    wrong = [
        stanza
        for stanza in declared
        if stanza.name in up and not stanza.auto and stanza.name not in carried
    ]
    expect(
        not wrong,
        f"up now and not after a boot: {', '.join(stanza.name for stanza in wrong)}",
        evidence=tuple(f"ssh {host}: {stanza.where}" for stanza in wrong),
        fix=f"add there: auto {' '.join(stanza.name for stanza in wrong)}",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_bridge_ports_exist(host: str, host_boots: HostBoots) -> None:
    """Every port of a bridge or bond exists: without it the bridge comes up and leads nowhere."""
    facts = boot_facts(host_boots, host)
    ports = _bridge_ports(facts)
    there = {card.name for card in known(facts.cards)}
    made = {stanza.name for stanza in _declared(facts)}
    wrong = [
        (stanza, port)
        for stanza, port in ports
        # eno1.100 is made of eno1 when it is asked for (interfaces(5), vlan).
        if port not in made and not {port, port.partition(".")[0]} & there
    ]
    expect(
        not wrong,
        "; ".join(f"{stanza.name} has port {port}, which is not there" for stanza, port in wrong),
        evidence=(
            *(f"ssh {host}: {stanza.where}" for stanza, _ in wrong),
            facts.cards.source,
        ),
        fix="write the card's name as ip -br link shows it",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_bridge_ports_are_pinned(machine: str, host_boots: HostBoots) -> None:
    """The name of every card in a bridge or bond is fixed by a ``.link`` file (systemd.link(5)).

    Otherwise it follows from the card's place, which memory, firmware or a kernel may change.
    """
    facts = boot_facts(host_boots, machine)
    ports = {port.partition(".")[0] for _, port in _bridge_ports(facts)}
    pinned = known(facts.pinned_names)
    hardware = {card.name for card in known(facts.cards) if not card.kind}
    loose = sorted((ports & hardware) - {*pinned})
    expect(
        not loose,
        f"not pinned: {', '.join(loose)}",
        evidence=(facts.pinned_names.source, facts.interfaces.source),
        fix="pve-network-interface-pinning generate, or a .link file with its MAC address",
    )


@pytest.mark.claim(
    severity="critical", breaks="address", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_vlans_are_as_written(host: str, host_boots: HostBoots) -> None:
    """Bridges pass the VLANs now that their configuration says: what was set by hand is lost."""
    facts = boot_facts(host_boots, host)
    declared = _declared(facts)
    cards = known(facts.cards)
    aware = any(stanza.vlan_aware for stanza in declared)
    bridging = known(facts.bridging) if aware else {}
    wrong = [
        (stanza, text)
        for stanza in declared
        for text in differences(stanza, declared, cards, bridging)
    ]
    expect(
        not wrong,
        "; ".join(text for _, text in wrong),
        evidence=(
            *dict.fromkeys(f"ssh {host}: {stanza.where}" for stanza, _ in wrong),
            facts.cards.source,
            facts.bridging.source,
        ),
        fix="write what is meant into the file, with a console at hand: ifreload -a",
    )


@pytest.mark.claim(
    severity="warning", breaks="redundancy", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_links_are_free_of_errors(machine: str, host_boots: HostBoots) -> None:
    """Network cards have not seen more than a few errors: cable, plug or port are bad."""
    facts = boot_facts(host_boots, machine)
    has_own_kernel(facts)
    wrong = [
        f"{card.name} has {card.errors} errors"
        for card in known(facts.cards)
        if not card.kind and card.errors > MOST_ERRORS
    ]
    expect(
        not wrong,
        "; ".join(wrong),
        evidence=facts.cards.source,
        fix="change cable or port, then see whether it grows: ip -s -s link",
    )


@pytest.mark.claim(severity="warning", breaks="address")
def test_resolver_is_not_a_guest_of_its_own(
    host: str, host_boots: HostBoots, inventory: Inventory
) -> None:
    """One of a host's resolvers at least is neither itself nor a guest that it carries."""
    facts = boot_facts(host_boots, host)
    servers = known(facts.resolvers)
    own = {address for card in known(facts.cards) for address in card.addresses}
    own |= {str(guest.address) for guest in inventory.guests_of(host).values()}
    others = [item for item in servers if item not in own and not item.startswith(("127.", "::1"))]
    expect(
        bool(others),
        f"every resolver is its own: {', '.join(servers) or 'there is none'}",
        evidence=facts.resolvers.source,
        fix="name one that is up while this host boots, such as the router, as second",
    )


@pytest.mark.claim(severity="warning", breaks="redundancy")
def test_host_has_a_second_resolver(host: str, host_boots: HostBoots) -> None:
    """A host knows two resolvers: with one, its reboot is everybody's."""
    facts = boot_facts(host_boots, host)
    servers = known(facts.resolvers)
    expect(
        len({*servers}) > 1,
        f"the only resolver is {', '.join(servers) or 'none'}",
        evidence=facts.resolvers.source,
        fix="add a second nameserver where this file is made (interfaces, netplan, DHCP)",
    )
