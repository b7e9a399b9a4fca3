"""``dhcpd.conf`` in the layout that MAAS writes, from the stand-in's state.

Used twice: on the host for the first configuration, in the guest at each change.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

from ..pve.files import write_atomically
from .store import Record, State, Store, by_id, find, select
from .units import DHCPD, UnitControl

ALGORITHM = "HMAC-MD5"
ROOT_ONLY = 0o640

_HEAD = """\
# WARNING: Do not edit /var/lib/maas/dhcpd.conf yourself.  MAAS will
# overwrite any changes made there.  Instead, you can modify dhcpd.conf by
# using DHCP snippets over the API or through the web interface.

#
# Define lease time globally (can be overriden globally or per subnet
# with a DHCP snippet)
#
default-lease-time {lease};
max-lease-time {lease};

#
# Networks
#
"""

_NETWORK = """\
shared-network vlan-{vlan} {{
    subnet {network} netmask {netmask} {{
           ignore-client-uids true;
           next-server {server};
           option subnet-mask {netmask};
           option broadcast-address {broadcast};
           option domain-name-servers {resolvers};
           option domain-name "{domain}";
           option domain-search "{domain}";
           option routers {router};
           option ntp-servers {server};
{pools}    }}
}}

"""

_POOL = """\
           pool {{
              range {first} {last};
           }}
"""

_HOST = """\
# {label}
host {identifier} {{
   hardware ethernet {mac};
   fixed-address {address};
}}
"""

_OMAPI = """
omapi-port {port};
key omapi_key {{
    algorithm {algorithm};
    secret "{secret}";
}};
omapi-key omapi_key;
"""


def configuration(state: State) -> str:
    """dhcpd.conf(5) of every subnet whose VLAN has DHCP, with a host for each fixed address."""
    dhcp = state["dhcp"]
    served = [subnet for subnet in state["subnets"] if _serves(state, subnet)]
    text = _HEAD.format(lease=dhcp["lease_s"])
    text += "".join(_network(state, subnet) for subnet in served)
    text += "#\n# Hosts\n#\n"
    text += "".join(_hosts(state, {subnet["id"] for subnet in served}))
    return text + _OMAPI.format(
        port=dhcp["omapi_port"], algorithm=ALGORITHM, secret=dhcp["omapi_secret"]
    )


def _serves(state: State, subnet: Record) -> bool:
    vlan = by_id(state, "vlans", subnet["vlan"])
    return vlan is not None and vlan["dhcp_on"]


def _network(state: State, subnet: Record) -> str:
    network = IPv4Network(subnet["cidr"])
    domain = find(state, "domains", is_default=True)
    pools = "".join(
        _POOL.format(first=item["start_ip"], last=item["end_ip"])
        for item in select(state, "ipranges", subnet=subnet["id"], type="dynamic")
    )
    return _NETWORK.format(
        vlan=subnet["vlan"],
        network=network.network_address,
        netmask=network.netmask,
        broadcast=network.broadcast_address,
        server=state["dhcp"]["server"],
        resolvers=", ".join(subnet["dns_servers"]),
        domain=domain["name"] if domain else "",
        router=subnet["gateway_ip"],
        pools=pools,
    )


def _hosts(state: State, served: set[int]) -> Iterator[str]:
    """One host a MAC, named after it: links and users' reservations, then reserved IPs."""
    told: set[str] = set()
    for label, mac, address in (*_linked(state, served), *_reserved(state, served)):
        identifier = mac.replace(":", "-")
        if identifier not in told:
            told.add(identifier)
            yield _HOST.format(label=label, identifier=identifier, mac=mac, address=address)


def _linked(state: State, served: set[int]) -> Iterator[tuple[str, str, str]]:
    for held in state["addresses"]:
        card = by_id(state, "interfaces", held["interface"])
        if held["ip"] and held["subnet"] in served and card is not None:
            node = find(state, "nodes", system_id=card["node"])
            label = f"{node['hostname'] if node else 'unknown'}-{card['name']}"
            yield label, card["mac_address"], held["ip"]


def _reserved(state: State, served: set[int]) -> Iterator[tuple[str, str, str]]:
    for held in state["reservedips"]:
        if held["subnet"] in served:
            yield "", held["mac_address"], held["ip"]


class DhcpServer:
    """The guest's dhcpd: its configuration file, and its unit. Thread-safe."""

    def __init__(self, path: Path, units: UnitControl) -> None:
        self._path = path
        self._units = units
        self._lock = threading.Lock()

    def follow(self, store: Store) -> None:
        """Write the configuration and restart dhcpd, if that changes anything.

        A restart that fails is told in the journal: the answer to whoever made the change is
        the same, as with MAAS.
        """
        with self._lock:
            text = configuration(store.snapshot())
            if self._path.exists() and self._path.read_text("utf-8") == text:
                return
            write_atomically(self._path, text.encode(), ROOT_ONLY)
            refused = self._units.restart(DHCPD)
        if refused:
            print(f"maas.dhcp: [error] {DHCPD} was not restarted: {refused}", flush=True)
