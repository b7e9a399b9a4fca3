"""MAAS on a guest: the stand-in of its API and image sync, with ISC dhcpd behind it."""

from __future__ import annotations

from pathlib import Path

from blackstart.rack.seed import base, dhcp, dns, files
from blackstart.rack.standins.maas import shipping
from blackstart.rack.standins.maas.first_state import Settings, first_state
from blackstart.rack.topology import Guest, Topology


def settings(topology: Topology, secrets: Path) -> Settings:
    """What the stand-in starts with besides the topology."""

    def secret(name: str) -> str:
        return (secrets / name).read_text("utf-8").strip()

    return Settings(
        pool=dhcp.POOL,
        lease_s=dhcp.LEASE_S,
        names=dns.addresses(topology),
        aliases=dns.aliases(topology),
        administrators_key=secret("maas-api-key"),
        onlookers_key=secret("maas-onlooker-key"),
        omapi_secret=secret("omapi-key"),
    )


def compose(topology: Topology, guest: Guest, secrets: Path, root: Path) -> None:
    """Lay MAAS over a guest: programs, state, dhcpd's configuration and an empty lease file."""
    state = first_state(topology, settings(topology, secrets))
    first = shipping.first_files(state, secrets, guest.name)
    for shipped in (*shipping.programs(), *first):
        files.place(shipped, root)
    files.lay("maas", root)
    base.write(root / dhcp.DIRECTORY / "dhcp/dhcpd.leases", "")
    for unit in ("maas-dhcpd.service", *shipping.enabled_units()):
        base.enable(root, unit)
