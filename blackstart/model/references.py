"""References and duplicates in an inventory: rules that span its parts.

Pure functions over the document as written; what has the wrong type is somebody else's
finding and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.model.document import (
    Document,
    Path,
    Problem,
    Rule,
    did_you_mean,
    entries,
    section,
    text,
)


def _dangling_nodes(document: Document) -> Iterator[Problem]:
    nodes = section(document, "nodes")
    for name, guest in entries(document, "guests"):
        node = text(guest, "node")
        if node is None:
            continue
        if node not in nodes:
            remedy = did_you_mean(node, nodes)
            yield Problem(("guests", name, "node"), f"there is no node '{node}'", remedy)
        elif section(nodes, node).get("role") == "nas":
            what = f"node '{node}' is a NAS and carries no guests"
            yield Problem(("guests", name, "node"), what, "name a hypervisor")


_NAMING_A_GUEST: tuple[tuple[str, ...], ...] = (
    ("dns", "servers"),
    ("dhcp",),
    ("compose",),
    ("services",),
    ("certificates",),
)


def _dangling_guests(document: Document) -> Iterator[Problem]:
    guests = section(document, "guests")
    for place in _NAMING_A_GUEST:
        for name, body in entries(document, *place):
            guest = text(body, "guest")
            if guest is not None and guest not in guests:
                remedy = did_you_mean(guest, guests)
                yield Problem((*place, name, "guest"), f"there is no guest '{guest}'", remedy)
    guest = text(section(document, "maas"), "guest")
    if guest is not None and guest not in guests:
        what = f"there is no guest '{guest}'"
        yield Problem(("maas", "guest"), what, did_you_mean(guest, guests))


def _taken(
    places: Iterator[tuple[Path, str, object]], noun: str, *, quoted: bool = True
) -> Iterator[Problem]:
    """Values that occur twice among (path, owner, value); ``quoted`` ones are named."""
    first: dict[object, tuple[Path, str]] = {}
    for path, owner, value in places:
        if value is None:
            continue
        if value in first:
            other_path, other = first[value]
            named = f"{noun} {value}" if quoted else noun
            what = f"{named} of {owner} is that of {other} too"
            yield Problem(path, what, "give each its own", also=other_path)
        else:
            first[value] = (path, owner)


def _duplicate_vmids(document: Document) -> Iterator[Problem]:
    def places() -> Iterator[tuple[Path, str, object]]:
        for name, guest in entries(document, "guests"):
            vmid = guest.get("vmid")
            yield ("guests", name, "vmid"), name, vmid if isinstance(vmid, int) else None

    yield from _taken(places(), "vmid")


def _duplicate_macs(document: Document) -> Iterator[Problem]:
    def places() -> Iterator[tuple[Path, str, object]]:
        for name, guest in entries(document, "guests"):
            mac = text(guest, "mac")
            yield ("guests", name, "mac"), name, mac.lower() if mac is not None else None

    yield from _taken(places(), "MAC")


def _duplicate_addresses(document: Document) -> Iterator[Problem]:
    def places() -> Iterator[tuple[Path, str, object]]:
        for kind in ("nodes", "guests", "virtual_addresses"):
            for name, body in entries(document, kind):
                yield (kind, name, "address"), name, text(body, "address")

    yield from _taken(places(), "address")


def _shared_names(document: Document) -> Iterator[Problem]:
    """A fault, its consent and its login are found by the bare name of a target."""
    for name in section(document, "guests"):
        if name in section(document, "nodes"):
            what = f"guest '{name}' has the name of a node"
            also: Path = ("nodes", name)
            yield Problem(("guests", name), what, "give each its own", also=also)


def _duplicate_mounts(document: Document) -> Iterator[Problem]:
    def places() -> Iterator[tuple[Path, str, object]]:
        for name, mount in entries(document, "mounts"):
            host, path = text(mount, "host"), text(mount, "path")
            yield ("mounts", name, "path"), name, f"{host}:{path}" if host and path else None

    yield from _taken(places(), "mount point")


def _duplicate_controllers(document: Document) -> Iterator[Problem]:
    """Two nodes behind one management controller: the wrong machine would lose its power."""

    def places() -> Iterator[tuple[Path, str, object]]:
        for name, node in entries(document, "nodes"):
            access = section(node, "out_of_band")
            url, system = text(access, "url"), text(access, "system")
            whole = f"{url.rstrip('/')} {system}" if url and system else None
            yield ("nodes", name, "out_of_band"), name, whole

    yield from _taken(places(), "the management controller", quoted=False)


def _duplicate_names(document: Document) -> Iterator[Problem]:
    def places() -> Iterator[tuple[Path, str, object]]:
        for name in section(document, "dns", "names"):
            yield ("dns", "names", name), f"'{name}'", name.rstrip(".").lower()

    yield from _taken(places(), "DNS name")


def _names_of_guests(document: Document) -> Iterator[Problem]:
    """A guest's names must be declared, with its address, or they would never be asked."""
    if "dns" not in document:
        return
    declared = {name.rstrip(".").lower(): body for name, body in entries(document, "dns", "names")}
    for guest, body in entries(document, "guests"):
        names = body.get("names")
        for index, name in enumerate(names if isinstance(names, list) else []):
            if not isinstance(name, str):
                continue
            path: Path = ("guests", guest, "names", index)
            known = declared.get(name.rstrip(".").lower())
            if known is None:
                remedy = "declare it there with its addresses"
                yield Problem(path, f"name '{name}' is not in dns.names", remedy)
                continue
            addresses = known.get("addresses")
            if isinstance(addresses, list) and body.get("address") not in addresses:
                what = f"dns.names gives '{name}' other addresses than guest {guest} has"
                also: Path = ("dns", "names", name)
                yield Problem(path, what, "correct one of the two", also=also)


def _dangling_mounts(document: Document) -> Iterator[Problem]:
    """Mounts name their server (a node) and their host: a node, or a guest with ``ssh``."""
    nodes, guests = set(section(document, "nodes")), set(section(document, "guests"))
    closed = {name for name, guest in entries(document, "guests") if guest.get("ssh") is not True}
    for name, mount in entries(document, "mounts"):
        for key, known in (("server", nodes), ("host", nodes | guests)):
            value = text(mount, key)
            if value is not None and value not in known:
                what = f"mount {name} names {key} '{value}', which is not declared"
                yield Problem(
                    ("mounts", name, key), what, f"write one of {', '.join(sorted(known))}"
                )
        host = text(mount, "host")
        if host in closed:
            what = f"mount {name} is on guest '{host}', which nobody may log in to and look"
            yield Problem(("mounts", name, "host"), what, f"add ssh: true to guests.{host}")


def _dangling_hosts(document: Document) -> Iterator[Problem]:
    """What is asked by ssh is a node, or a guest into which the harness may log in."""
    nodes = set(section(document, "nodes"))
    guests = {name for name, body in entries(document, "guests") if body.get("ssh") is True}
    for place in (("backups", "etc_pve"), ("ups",)):
        host = text(section(document, *place), "host")
        if host is not None and host not in nodes | guests:
            what = f"'{host}' is neither a node nor a guest with `ssh: true`"
            yield Problem((*place, "host"), what, did_you_mean(host, sorted(nodes | guests)))


def _dangling_servers(document: Document) -> Iterator[Problem]:
    """A server of k3s without a port is a guest."""
    guests, servers = section(document, "guests"), section(document, "k3s").get("servers")
    for index, server in enumerate(servers if isinstance(servers, list) else []):
        named = isinstance(server, str) and not {".", ":"} & set(server)
        if named and server not in guests:
            remedy = f"{did_you_mean(server, guests)}, or write its endpoint as 192.0.2.71:6443"
            yield Problem(("k3s", "servers", index), f"there is no guest '{server}'", remedy)


def _dangling_holders(document: Document) -> Iterator[Problem]:
    """A virtual address is looked for on the cards of those who may hold it."""
    known = [*section(document, "nodes"), *section(document, "guests")]
    for name, body in entries(document, "virtual_addresses"):
        holders = body.get("held_by")
        for index, holder in enumerate(holders if isinstance(holders, list) else []):
            if isinstance(holder, str) and holder not in known:
                what = f"there is no node or guest '{holder}'"
                path: Path = ("virtual_addresses", name, "held_by", index)
                yield Problem(path, what, did_you_mean(holder, known))


def _unwatched(document: Document) -> Iterator[Problem]:
    """What must never go down is something that is probed."""
    watched = {f"node/{name}" for name in section(document, "nodes")}
    watched |= {f"guest/{name}" for name in section(document, "guests")}
    watched |= {f"dns/{name}" for name in section(document, "dns", "servers")}
    watched |= {f"dhcp/{name}" for name in section(document, "dhcp")}
    watched |= {f"service/{name}" for name in section(document, "services")}
    watched |= {f"mount/{name}" for name in section(document, "mounts")}
    for name, group in entries(document, "never_down"):
        members = group.get("any_of")
        for index, member in enumerate(members if isinstance(members, list) else []):
            if isinstance(member, str) and member not in watched:
                what = f"never_down {name} names '{member}', which nothing probes"
                remedy = "write it as KIND/NAME; kinds: node, guest, dns, dhcp, service, mount"
                yield Problem(("never_down", name, "any_of", index), what, remedy)


RULES: tuple[Rule, ...] = (
    _dangling_nodes,
    _dangling_guests,
    _duplicate_vmids,
    _duplicate_macs,
    _duplicate_addresses,
    _shared_names,
    _duplicate_mounts,
    _duplicate_controllers,
    _duplicate_names,
    _names_of_guests,
    _dangling_mounts,
    _dangling_hosts,
    _dangling_servers,
    _dangling_holders,
    _unwatched,
)
