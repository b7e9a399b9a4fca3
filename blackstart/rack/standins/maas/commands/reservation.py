"""``maas-reservation``: make a guest's reservation a dynamic host entry, and one again.

For tests on the rack. A host entry that is made over OMAPI while dhcpd runs is in its lease file
alone, and MAAS takes it out of there before the next start (outage of July 2025)::

    maas-reservation dynamic MAC            keep its address by a dynamic entry alone
    maas-reservation reserved MAC ADDRESS   reserve it again; the dynamic entry is gone then
"""

from __future__ import annotations

import sys
from typing import Any

from .. import omapi
from ..client import Client, Refusal
from ..layout import Layout
from ..store import Store

USAGE = "usage: maas-reservation {dynamic MAC | reserved MAC ADDRESS}"


def main(arguments: list[str]) -> int:
    """Entry point; 1 when MAAS or dhcpd refuse, 2 for other words."""
    layout = Layout()
    try:
        state = Store(layout.state).snapshot()
        client = Client.of_administrator(layout, state)
        match arguments:
            case ["dynamic", mac]:
                _make_dynamic(client, mac.lower(), state["dhcp"])
            case ["reserved", mac, address]:
                fields = {"ip": address, "mac_address": mac.lower()}
                client.call("POST", "reservedips/", fields)
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except (Refusal, OSError, ValueError) as error:
        print(f"maas-reservation: {error}", file=sys.stderr)
        return 1
    return 0


def _make_dynamic(client: Client, mac: str, dhcp: dict[str, Any]) -> None:
    """First the reservation goes, and dhcpd starts without it; then the entry is made."""
    held = [each for each in client.call("GET", "reservedips/") if each["mac_address"] == mac]
    if not held:
        raise Refusal(f"{mac} has no reserved IP")
    client.call("DELETE", f"reservedips/{held[0]['id']}/")
    omapi.add_host(mac, held[0]["ip"], port=dhcp["omapi_port"], secret=dhcp["omapi_secret"])
    print(f"{mac} has {held[0]['ip']} by a dynamic host entry, until dhcpd's next start")
