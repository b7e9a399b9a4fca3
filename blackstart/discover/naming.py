"""Names for an inventory from those that a cluster uses, which allows more."""

from __future__ import annotations

import re
from itertools import chain, count

from blackstart.model.parts import hostname
from blackstart.model.survey import GuestSeen

MOST = 63
_OTHER = re.compile(r"[^a-z0-9-]+")


def label(text: str, otherwise: str) -> str:
    """The first part of a name as RFC 1123 has it; ``otherwise`` when nothing of it is left."""
    first = text.lower().split(".")[0]
    return _OTHER.sub("-", first)[:MOST].strip("-") or otherwise


def is_hostname(text: str) -> bool:
    """Whether an inventory can name a node so."""
    try:
        return bool(hostname(text))
    except ValueError:
        return False


def guest_names(guests: tuple[GuestSeen, ...], taken: set[str]) -> dict[int, str]:
    """A name of its own for each guest, by vmid; ``taken`` are those of nodes.

    The first of several that share a name keeps it; the others carry their vmid.
    """
    used = set(taken)
    names: dict[int, str] = {}
    for guest in guests:
        kind = "vm" if guest.kind == "qemu" else "ct"
        name = label(guest.name, f"{kind}{guest.vmid}")
        suffixes = chain(("", f"-{guest.vmid}"), (f"-{guest.vmid}-{turn}" for turn in count(2)))
        offered = (name[: MOST - len(end)].rstrip("-") + end for end in suffixes)
        names[guest.vmid] = next(text for text in offered if text not in used)
        used.add(names[guest.vmid])
    return names
