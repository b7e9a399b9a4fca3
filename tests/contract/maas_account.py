"""Which of the recorded exchanges concern the driver, and why the rest does not."""

from __future__ import annotations

from collections.abc import Iterable

from tests.contract.maas_recorded import Exchange, exchanges

# What the driver calls, and the fact that the answer goes into; ``None`` for what it does.
CALLED: dict[tuple[str, str], str | None] = {
    ("GET", "version/"): "version",
    ("GET", "users/?op=whoami"): "administrator",
    ("GET", "reservedips/"): "reservations",
    ("GET", "ipaddresses/"): "reservations",
    ("GET", "machines/"): "nodes",
    ("GET", "devices/"): "nodes",
    ("GET", "subnets/"): "subnets",
    ("GET", "subnets/{id}/?op=reserved_ip_ranges"): "dynamic_ranges",
    ("GET", "dnsresources/"): "dns_records",
    ("GET", "rackcontrollers/"): "racks",
    ("GET", "boot-resources/"): "images",
    ("GET", "boot-resources/{id}/"): "images",
    ("GET", "boot-resources/?op=is_importing"): "importing",
    ("GET", "maas/?op=get_config"): "syncs_by_itself",
    ("GET", "events/?op=query"): "events",
    ("POST", "boot-resources/?op=import"): None,
    ("POST", "boot-resources/?op=stop_import"): None,
}
# A called endpoint with these parameters asks for something else.
OTHERWISE = (
    ({"hostname"}, "asks for a part of a list that the driver reads whole"),
    ({"mac_address"}, "asks for a part of a list that the driver reads whole"),
    ({"id"}, "asks for a part of a list that the driver reads whole"),
)
NO_CONCERN = {
    "reservedips/{id}/": "one object of a list that the driver reads whole",
    "devices/{id}/": "one object of a list that the driver reads whole",
    "rackcontrollers/{id}/": "one object of a list that the driver reads whole",
    "nodes/{id}/interfaces/": "interfaces and links are in machines/ and devices/",
    "nodes/{id}/interfaces/15/": "interfaces and links are in machines/ and devices/",
    "subnets/{id}/?op=ip_addresses": "a part of ipaddresses/?all=true",
    "subnets/{id}/?op=statistics": "how much is free is no fact of anybody's address",
    "subnets/{id}/?op=unreserved_ip_ranges": "how much is free is no fact of anybody's address",
    "rackcontrollers/{id}/?op=list_boot_images": "boot-resources/{id}/ is the proof of an import",
    "boot-resources/op-is_importing": "another spelling of a call that is recorded as ?op=",
    "boot-sources/": "where images come from is not drilled",
    "boot-sources/3/selections/": "where images come from is not drilled",
    "machines/{id}/?op=power_parameters": "MAAS switches no machine for a drill",
    "dhcp-snippets/": "the configuration that dhcpd was given is read itself",
    "discovery/": "what MAAS overheard is nobody's declaration",
    "domains/": "names are compared as a whole",
    "fabrics/": "subnets/ carries the VLAN that DHCP hangs on",
    "fabrics/1/vlans/0/": "subnets/ carries the VLAN that DHCP hangs on",
    "notifications/": "for the eyes of its user interface",
    "regioncontrollers/": "has no service_set",
}
A_WRITE = "a write: the driver reads, starts an import and stops it, and does nothing else"


def asked(exchange: Exchange) -> bool:
    """Whether the driver makes this very request."""
    query = set(exchange.query)
    if exchange.endpoint == ("GET", "ipaddresses/"):
        return query == {"all"}
    return exchange.endpoint in CALLED and not any(query >= keys for keys, _ in OTHERWISE)


def refusal(exchange: Exchange) -> bool:
    """Whether it is a refusal that any call may meet: of a login, a privilege, a path, a method.

    Those of a write's fields are not among them.
    """
    return exchange.status >= 400 and (
        exchange.method == "GET" or exchange.status in (403, 405) or exchange.title == "user create"
    )


def concerned() -> tuple[Exchange, ...]:
    """The exchanges that the driver is held to."""
    return tuple(found for found in exchanges() if asked(found) or refusal(found))


def reason(exchange: Exchange) -> str:
    """Why one of the others is of no concern. Raises ``LookupError`` when nobody knows."""
    if exchange.method != "GET":
        return A_WRITE
    if exchange.endpoint in CALLED:
        if exchange.endpoint == ("GET", "ipaddresses/"):
            return "asks for a part of a list that the driver reads whole"
        return next(words for keys, words in OTHERWISE if set(exchange.query) >= keys)
    return NO_CONCERN[exchange.endpoint[1]]


def account(used: Iterable[int]) -> str:
    """How many are used, and the number of the others by reason."""
    used = set(used)
    rest: dict[str, int] = {}
    for exchange in exchanges():
        if exchange.number not in used:
            why = reason(exchange)
            rest[why] = rest.get(why, 0) + 1
    lines = [f"{len(used)} of {len(exchanges())} recorded exchanges are used; of no concern are"]
    lines += [f"  {count:3} {why}" for why, count in sorted(rest.items(), key=lambda it: -it[1])]
    return "\n".join(lines)
