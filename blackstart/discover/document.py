"""An inventory as text, from what was seen: strict, without consent to anything, with comments
where a person must decide. Secrets are in it as references only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from blackstart.discover import guests
from blackstart.discover import members as nodes
from blackstart.discover.addresses import Reserved
from blackstart.discover.entrance import PROXMOX_PORT
from blackstart.discover.guests import Placed
from blackstart.discover.members import Access
from blackstart.discover.naming import label
from blackstart.discover.remarks import closing
from blackstart.discover.written import dumped, one_line
from blackstart.errors import Unproven
from blackstart.model.parts import Fqdn
from blackstart.model.survey import Survey

HOME_DOMAIN = "home.arpa"
"""Set aside for homes (RFC 8375); for a site that shows no search domain of its own."""
_FQDN: TypeAdapter[str] = TypeAdapter(Fqdn)


@dataclass(frozen=True, slots=True)
class MaasFound:
    """The inventory's section of MAAS, where it is, what it reserves, what a person must know."""

    section: Mapping[str, str]
    host: str
    reserved: Reserved
    remarks: tuple[str, ...]


def inventory_text(survey: Survey, access: Access, maas: MaasFound | None, taken_at: str) -> str:
    """The whole file. Raises ``Unproven`` when no node can be declared."""
    found = nodes.members(survey.nodes, access)
    if not found.addresses:
        gone = "; ".join(found.left_out) or "the API shows none"
        raise Unproven(f"no node can be declared, so there is no inventory: {gone}")
    placement = guests.place(survey, found.addresses, maas.reserved if maas else {})
    lines = [
        *_head(survey, taken_at),
        "",
        *_proxmox(access),
        "",
        *nodes.written(survey.nodes, found, access),
        "",
        *guests.written(placement, survey.templates),
        "",
        *(_maas(maas, placement.placed) if maas else ()),
        *closing(survey, {item.guest.vmid: item.name for item in placement.placed}),
    ]
    return "\n".join(lines) + "\n"


def _head(survey: Survey, taken_at: str) -> Iterator[str]:
    yield f"# What the API of Proxmox VE {one_line(survey.version)} showed on {taken_at}."
    yield "# Nothing here may be broken. Comments that begin with `decide:` wait for a person."
    yield ""
    yield "# decide: the site's name; drills are armed by it."
    yield dumped({"site": label(survey.name, "site")})
    domain = survey.domain.value or ""
    try:
        yield dumped({"domain": _FQDN.validate_python(domain)})
    except ValidationError:
        why = survey.domain.error or f"the nodes search {domain!r}"
        yield f"# decide: the site's domain ({one_line(why)})."
        yield dumped({"domain": HOME_DOMAIN})
    yield ""
    yield "# decide: `ssh:` with a user and a key shows what only the hosts themselves know, as"
    yield "# mounts, units, kernel, the quorum's votes; until then that is unproven."
    yield dumped({"ssh": "none"})


def _proxmox(access: Access) -> Iterator[str]:
    section: dict[str, Any] = {"token": access.token}
    if access.ca is not None:
        section["ca"] = access.ca
    if access.entrance.port != PROXMOX_PORT:
        section["port"] = access.entrance.port
    if access.pinned:
        yield "# decide: a pinned certificate is refused once it is renewed. `ca:` here, with the"
        yield "# nodes' /etc/pve/pve-root-ca.pem, in place of every `fingerprint:`, outlives that."
    yield dumped({"proxmox": section})


def _maas(maas: MaasFound, placed: tuple[Placed, ...]) -> Iterator[str]:
    section = dict(maas.section)
    inside = next((item.name for item in placed if item.known.address == maas.host), None)
    for remark in maas.remarks:
        yield f"# decide: {one_line(remark)}"
    if inside is not None:
        section["guest"] = inside
    else:
        yield "# decide: `guest:`, if MAAS runs in one; none above has the address of its URL."
    yield dumped({"maas": section})
    yield ""
