"""Is each k3s server known to its peers where it is, and does its certificate say so?"""

from __future__ import annotations

import pytest

from blackstart.checking import expect, k3s_facts, known
from blackstart.model.facts import SiteFacts
from blackstart.model.k3s_facts import K3sNode, K3sServer

pytestmark = pytest.mark.check

FIX = "reserve {address} for its MAC at the DHCP server and let it renew"


def _server(facts: SiteFacts, name: str) -> K3sServer:
    return k3s_facts(facts, name).servers[name]


def _node(facts: SiteFacts, name: str) -> K3sNode:
    """The node of that name, else the one at the server's declared address."""
    k3s, address = k3s_facts(facts, name), _server(facts, name).address
    nodes = known(k3s.nodes)
    found = [node for node in nodes if node.name == name]
    found += [node for node in nodes if address in node.addresses]
    names = ", ".join(node.name for node in nodes) or "none"
    expect(
        bool(found),
        f"no node is named {name} or known at {address}",
        evidence=f"{k3s.nodes.source}: {names}",
        fix="join it again, or correct k3s.servers in the inventory",
    )
    return found[0]


@pytest.mark.claim(severity="critical", breaks="boot")
def test_k3s_node_is_ready(k3s_server: str, facts: SiteFacts) -> None:
    """What is ill before a reboot does not come back from it."""
    failing = _server(facts, k3s_server).failing
    look = "journalctl -u k3s on it"
    problem = f"{k3s_server} fails {', '.join(known(failing))}"
    expect(not known(failing), problem, evidence=failing.source, fix=look)
    node, source = _node(facts, k3s_server), k3s_facts(facts, k3s_server).nodes.source
    expect(node.ready, f"{node.name} is not ready: {node.why}", evidence=source, fix=look)


@pytest.mark.claim(severity="critical", breaks="address", incident="2025-07-27-addresses-moved")
def test_k3s_node_is_known_at_its_declared_address(k3s_server: str, facts: SiteFacts) -> None:
    """A member of embedded etcd cannot change its address (k3s-io/k3s issue 11778)."""
    node, address = _node(facts, k3s_server), _server(facts, k3s_server).address
    source = k3s_facts(facts, k3s_server).nodes.source
    expect(
        address in node.addresses,
        f"{node.name} is known at {', '.join(node.addresses) or 'no address'}, "
        f"the inventory declares {address}",
        evidence=source,
        fix=FIX.format(address=address),
    )


@pytest.mark.claim(severity="critical", breaks="address", incident="2025-07-27-addresses-moved")
def test_k3s_certificate_is_for_its_declared_address(k3s_server: str, facts: SiteFacts) -> None:
    """Peers refuse a server whose certificate names other addresses (outage of July 2025)."""
    server = _server(facts, k3s_server)
    carried, address = known(server.carried), server.address
    expect(
        address in carried,
        f"{k3s_server}'s certificate is for {', '.join(carried) or 'no address'}, "
        f"not for {address}",
        evidence=server.carried.source,
        fix=FIX.format(address=address),
    )
    expect(
        known(server.verified),
        f"{k3s_server}'s certificate fails",
        evidence=server.verified.source,
        fix="renew it, or correct ca of k3s in the inventory",
    )
