"""Does every name server answer, does it know every declared name, and do all say the same?"""

from __future__ import annotations

import pytest

from blackstart.checking import expect, known
from blackstart.errors import Unproven
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory

pytestmark = pytest.mark.check


@pytest.mark.claim(severity="critical", breaks="boot")
def test_name_server_gives_every_declared_name(
    name_server: str, facts: SiteFacts, inventory: Inventory
) -> None:
    """Each server by itself gives each declared name its declared addresses and no other.

    A secondary that serves yesterday's zone hides behind the other server until that reboots. A
    name that is to be blocked is declared at 0.0.0.0, as Pi-hole answers it.
    """
    names = inventory.dns.names if inventory.dns else {}
    if not names:
        raise Unproven("the inventory declares no name to ask for (dns.names)")
    wrong: list[str] = []
    sources: list[str] = []
    unread: list[str] = []
    for name, declared in names.items():
        seen = facts.names.get(f"{name_server}/{name}")
        right = {str(address) for address in declared.addresses}
        if seen is None:
            unread.append(f"nobody asked {name_server} for {name}")
        elif seen.value is None:
            unread.append(f"{seen.source}: {seen.error}")
        elif {*known(seen)} != right:
            given = ", ".join(known(seen)) or "no address"
            wrong.append(f"{name} is {given} and not {', '.join(sorted(right))}")
            sources.append(seen.source)
    server = inventory.dns.servers[name_server] if inventory.dns else None
    expect(
        not wrong,
        f"to {name_server} {'; '.join(wrong)}",
        evidence=tuple(sources),
        fix="let it load its zone again (rndc reload; of a secondary: rndc retransfer ZONE), or "
        "correct dns.names in the inventory",
        touches=(server.guest,) if server and server.guest else (),
    )
    if unread:
        raise Unproven("; ".join(unread))
