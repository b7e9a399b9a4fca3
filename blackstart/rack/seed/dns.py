"""BIND on two guests: the primary and the secondary of the site's two zones."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from blackstart.rack.seed import base
from blackstart.rack.topology import Guest, Topology

SERIAL = 2026010101
TTL_S = 300
SERVICES = {"web": "docker"}  # alias -> role of the guest that it is

_OPTIONS = """\
include "/etc/bind/rndc.key";
controls {{ inet 127.0.0.1 allow {{ 127.0.0.1; }} keys {{ "rndc-key"; }}; }};

options {{
    directory "/var/cache/bind";
    listen-on {{ any; }};
    listen-on-v6 {{ none; }};
    recursion no;
    dnssec-validation no;
    notify {notify};
    allow-transfer {{ {transfer}; }};
}};
"""


def reverse_zone(topology: Topology) -> str:
    """Name of the zone of the network's pointers (a /24)."""
    octets = str(topology.network.network_address).split(".")[:3]
    return ".".join(reversed(octets)) + ".in-addr.arpa"


def addresses(topology: Topology) -> dict[str, IPv4Address]:
    """Every name with an address of its own: machines, management controllers, guests."""
    names = {machine.name: machine.address for machine in topology.machines}
    names |= {f"{machine.name}-bmc": machine.bmc_address for machine in topology.machines}
    return names | {guest.name: guest.address for guest in topology.guests}


def aliases(topology: Topology) -> dict[str, str]:
    """Names that stand for another one."""
    return {alias: _server(topology, role).name for alias, role in SERVICES.items()}


def _server(topology: Topology, role: str) -> Guest:
    return next(guest for guest in topology.guests if guest.role == role)


def _head(topology: Topology) -> list[str]:
    primary, secondary = _server(topology, "maas"), _server(topology, "dns2")
    domain = topology.domain
    return [
        f"$TTL {TTL_S}",
        f"@ IN SOA {primary.name}.{domain}. hostmaster.{domain}. {SERIAL} 60 30 604800 60",
        f"@ IN NS {primary.name}.{domain}.",
        f"@ IN NS {secondary.name}.{domain}.",
    ]


def forward(topology: Topology) -> str:
    """Zone file of the site's domain: every machine, management controller and guest."""
    lines = _head(topology)
    lines += [f"{name} IN A {address}" for name, address in addresses(topology).items()]
    lines += [f"{alias} IN CNAME {name}" for alias, name in aliases(topology).items()]
    return "\n".join(lines) + "\n"


def reverse(topology: Topology) -> str:
    """Zone file of the network's pointers."""
    lines = _head(topology)
    lines += [
        f"{str(address).rsplit('.', 1)[1]} IN PTR {name}.{topology.domain}."
        for name, address in addresses(topology).items()
    ]
    return "\n".join(lines) + "\n"


def _zone(name: str, lines: list[str]) -> str:
    body = "".join(f"    {line};\n" for line in lines)
    return f'\nzone "{name}" {{\n{body}}};\n'


def compose_primary(topology: Topology, root: Path) -> None:
    """Make a guest the primary; it notifies the secondary."""
    secondary = _server(topology, "dns2").address
    text = _OPTIONS.format(notify="explicit", transfer=secondary)
    zones = {topology.domain: forward(topology), reverse_zone(topology): reverse(topology)}
    for name, content in zones.items():
        base.write(root / "etc/bind/zones" / name, content)
        text += _zone(
            name,
            ["type primary", f'file "/etc/bind/zones/{name}"', f"also-notify {{ {secondary}; }}"],
        )
    _serve(root, text)


def compose_secondary(topology: Topology, root: Path) -> None:
    """Make a guest the secondary; it keeps the zones on disk and answers alone."""
    primary = _server(topology, "maas").address
    text = _OPTIONS.format(notify="no", transfer="none")
    for name in (topology.domain, reverse_zone(topology)):
        text += _zone(
            name,
            [
                "type secondary",
                f"primaries {{ {primary}; }}",
                f'file "/var/cache/bind/{name}"',
                "masterfile-format text",
            ],
        )
    _serve(root, text)


def _serve(root: Path, configuration: str) -> None:
    base.write(root / "etc/bind/named.conf", configuration)
    base.write(root / "etc/default/named", 'OPTIONS="-u bind -4 -n 1"\n')
    # Instead of tmpfiles.d(5), which guests do not run.
    base.write(
        root / "etc/systemd/system/named.service.d/rack.conf",
        "[Service]\nRuntimeDirectory=named\nRuntimeDirectoryMode=0775\n"
        "ExecStartPre=/usr/bin/chown root:bind /run/named\n",
    )
    base.enable(root, "named.service")
