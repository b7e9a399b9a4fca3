"""Which addresses a name stands for, as far as anything that was read says, and who has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from blackstart.model.facts import SiteFacts
from blackstart.model.guest_network import cards, configured
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Guest, Inventory, Node
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.virtual_addresses import cards_of, plain

Address = IPv4Address | IPv6Address


def address(text: str) -> Address | None:
    """The address that a text is, without prefix, zone or brackets; ``None`` for a name."""
    try:
        found = ip_address(plain(text).strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def meanings(
    name: str, inventory: Inventory, facts: SiteFacts, boots: Mapping[str, HostBootFacts]
) -> dict[Address, str]:
    """Every address that a name (or an address) may stand for, and what says so.

    Of host tables, those in ``boots`` count; of the rest, the inventory and what name servers
    answered.
    """
    own = address(name)
    if own is not None:
        return {own: "as it is written"}
    wanted = _short(name, inventory)
    found: dict[Address, str] = {}
    for text, source in _said(wanted, inventory, facts, boots):
        meant = address(text)
        if meant is not None:
            found.setdefault(meant, source)
    return found


def _said(
    wanted: str, inventory: Inventory, facts: SiteFacts, boots: Mapping[str, HostBootFacts]
) -> Iterator[tuple[str, str]]:
    """Addresses of a name, and where each stands."""
    for host, boot in boots.items():
        for line in boot.hosts_file.value or ():
            if wanted in {_short(it, inventory) for it in line.names}:
                yield line.address, f"ssh {host}: {line.where}"
    machines: dict[str, Mapping[str, Node | Guest]] = {
        "nodes": inventory.nodes,
        "guests": inventory.guests,
    }
    for kind, declared in machines.items():
        for key, item in declared.items():
            names = item.names if isinstance(item, Guest) else ()
            if wanted in {key, *(_short(it, inventory) for it in names)}:
                yield str(item.address), f"inventory: {kind}.{key}"
    for fqdn, known in (inventory.dns.names if inventory.dns else {}).items():
        if _short(fqdn, inventory) == wanted:
            yield from ((str(it), f"inventory: dns.names.{fqdn}") for it in known.addresses)
    for asked, answer in facts.names.items():
        if _short(asked.partition("/")[2], inventory) == wanted:
            yield from ((text, answer.source) for text in answer.value or ())


def _short(name: str, inventory: Inventory) -> str:
    return name.rstrip(".").lower().removesuffix(f".{inventory.domain}")


def inside(
    inventory: Inventory, facts: SiteFacts, proxmox: ProxmoxFacts
) -> Mapping[Address, tuple[str, ...]]:
    """Who has an address of the cluster: its members, and every guest that says which it has."""
    found: dict[Address, dict[str, None]] = {}
    for owner, text in _owned(inventory, facts, proxmox):
        has = address(text)
        if has is not None and not has.is_loopback:
            found.setdefault(has, {})[owner] = None
    return {has: tuple(owners) for has, owners in found.items()}


def _owned(
    inventory: Inventory, facts: SiteFacts, proxmox: ProxmoxFacts
) -> Iterator[tuple[str, str]]:
    votes = proxmox.votes.value
    members = tuple(votes.nodes) if votes else ()
    for member, links in (votes.links if votes else {}).items():
        yield from ((member, link) for link in links)
    for member in members:
        if member in inventory.nodes:
            yield member, str(inventory.nodes[member].address)
    for name, guest in inventory.guests.items():
        yield name, str(guest.address)
    for name in (*members, *inventory.guests):
        seen = cards_of(facts, name)
        for addresses in (seen.value or {} if seen else {}).values():
            yield from ((name, text) for text in addresses)
    for it in inventory.virtual_addresses.values():
        yield from (
            (name, str(it.address))
            for name in it.held_by
            if name in members or name in inventory.guests
        )
    yield from _configured(inventory, proxmox)


def _configured(inventory: Inventory, proxmox: ProxmoxFacts) -> Iterator[tuple[str, str]]:
    """Addresses in guests' configurations; of guests, too, that the inventory does not declare."""
    names: dict[tuple[str, int], str] = {
        (it.kind, it.vmid): name for name, it in inventory.guests.items()
    }
    for row in proxmox.guests.value or ():
        plan = proxmox.plans.get(row.path)
        config = (plan.config.value if plan else None) or {}
        for mac in cards(config):
            has = configured("lxc" if row.kind == "lxc" else "qemu", config, mac).address
            if has is not None:
                yield names.get((row.kind, row.vmid), row.path), has
