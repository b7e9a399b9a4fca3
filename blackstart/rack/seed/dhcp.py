"""ISC dhcpd as MAAS configures it: a reservation per guest, and a dynamic pool."""

from __future__ import annotations

from pathlib import Path

from blackstart.rack.seed import base
from blackstart.rack.topology import Guest, Topology

DIRECTORY = "var/snap/maas/common/maas"
LEASE_S = 600
OMAPI_PORT = 7911
POOL = (200, 220)  # hosts of the network

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
shared-network vlan-5001 {{
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
           pool {{
              range {first} {last};
           }}
    }}
}}

#
# Hosts
#
"""

_HOST = """\
# {name}-eth0
host {identifier} {{
   hardware ethernet {mac};
   fixed-address {address};
}}
"""

_OMAPI = """
omapi-port {port};
key omapi_key {{
    algorithm HMAC-MD5;
    secret "{secret}";
}};
omapi-key omapi_key;
"""


def reserved(topology: Topology) -> tuple[Guest, ...]:
    """The guests that get their address from this server."""
    return tuple(guest for guest in topology.guests if not guest.static)


def configuration(topology: Topology, omapi_secret: str) -> str:
    """dhcpd.conf(5) in the layout that MAAS writes."""
    server = next(guest for guest in topology.guests if guest.role == "maas")
    resolvers = [str(g.address) for g in topology.guests if g.role in ("maas", "dns2")]
    network = topology.network
    head = _HEAD.format(
        lease=LEASE_S,
        network=network.network_address,
        netmask=network.netmask,
        server=server.address,
        broadcast=network.broadcast_address,
        resolvers=", ".join(resolvers),
        domain=topology.domain,
        router=topology.controller,
        first=network[POOL[0]],
        last=network[POOL[1]],
    )
    hosts = "".join(
        _HOST.format(
            name=guest.name,
            identifier=guest.mac.replace(":", "-"),
            mac=guest.mac,
            address=guest.address,
        )
        for guest in reserved(topology)
    )
    return head + hosts + _OMAPI.format(port=OMAPI_PORT, secret=omapi_secret)


def compose(topology: Topology, secrets: Path, root: Path) -> None:
    """Lay the DHCP server's configuration, readable by root alone, and an empty lease file."""
    secret = (secrets / "omapi-key").read_text("utf-8").strip()
    base.write(root / DIRECTORY / "dhcpd.conf", configuration(topology, secret), mode=0o640)
    base.write(root / DIRECTORY / "dhcp/dhcpd.leases", "")
    base.enable(root, "maas-dhcpd.service")
