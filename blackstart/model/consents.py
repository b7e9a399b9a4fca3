"""Consents that could never be used: to a fault that its target cannot have, as declared.

Pure functions over the document as written, as in ``blackstart.model.references``. Whoever
gave such a consent believes that something is drilled which no scenario ever takes up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from blackstart.model.document import Document, Path, Problem, Rule, entries, section, text
from blackstart.model.inventory import FaultName

Kind = Literal["nodes", "guests"]

APPLIES_TO: Mapping[FaultName, tuple[Kind, ...]] = {
    "reboot": ("nodes",),
    "power-cut": ("nodes",),
    "cold-start": ("nodes",),
    "nas-stop": ("nodes",),
    "nas-block": ("nodes",),
    "nas-stale": ("nodes",),
    "memory": ("nodes", "guests"),
    "service-restart": ("nodes", "guests"),
    "service-stop": ("nodes", "guests"),
    "guest-stop": ("guests",),
    "guest-reboot": ("guests",),
    "lease-renewal": ("guests",),
    "image-sync": ("nodes", "guests"),
}
"""What each fault can be done to. ``image-sync`` under pressure also takes a node's memory."""

_ONE: Mapping[Kind, str] = {"nodes": "node", "guests": "guest"}


def _consents(document: Document) -> Iterator[tuple[Kind, str, Document, FaultName]]:
    """Kind, name and body of each target, with each fault that it opted in to."""
    for kind in _ONE:
        for name, body in entries(document, kind):
            for fault in APPLIES_TO:
                if fault in section(body, "may_break"):
                    yield kind, name, body, fault


def _of_another_kind(document: Document) -> Iterator[Problem]:
    for kind, name, _, fault in _consents(document):
        if kind in APPLIES_TO[fault]:
            continue
        what = f"{fault} is done to a {_ONE[APPLIES_TO[fault][0]]}, and '{name}' is a {_ONE[kind]}"
        fitting = [other for other, kinds in APPLIES_TO.items() if kind in kinds]
        remedy = f"remove it, or write one of {', '.join(fitting)}"
        yield Problem((kind, name, "may_break", fault), what, remedy)


def _without_what_it_needs(document: Document) -> Iterator[Problem]:
    """What a fault would refuse on every try, because the inventory lacks what it needs."""
    servers = {text(mount, "server") for _, mount in entries(document, "mounts")}
    for kind, name, body, fault in _consents(document):
        path: Path = (kind, name, "may_break", fault)
        if kind not in APPLIES_TO[fault]:
            continue
        if fault in {"power-cut", "cold-start"} and "out_of_band" not in body:
            what = f"{fault} needs a management controller, and node '{name}' declares none"
            yield Problem(path, what, "add `out_of_band:` to it, or remove this")
        elif fault.startswith("nas-") and name not in servers:
            what = f"{fault} is seen by those who mount from '{name}', and no mount is declared"
            yield Problem(path, what, f"declare one in `mounts:` with server: {name}, or remove it")
        elif fault == "lease-renewal" and body.get("ssh") is not True:
            what = f"lease-renewal is done by ssh, and guest '{name}' has no `ssh: true`"
            yield Problem(path, what, "add it to the guest, or remove this")


RULES: tuple[Rule, ...] = (_of_another_kind, _without_what_it_needs)
