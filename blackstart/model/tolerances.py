"""Tolerances that could never cover anything: rules over the document as written.

A misspelt one is not noticed before the drill that fails for what it should have covered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blackstart.model.document import Document, Path, Problem, Rule, did_you_mean, section, text
from blackstart.model.facts import SiteFacts

_NOT_COMPARED = {"taken_at", "leases"}
FACT_SECTIONS = tuple(name for name in SiteFacts.model_fields if name not in _NOT_COMPARED)

_NAMED_IN: Mapping[str, tuple[str, ...]] = {
    "hosts": ("nodes",),
    "guests": ("guests",),
    "names": ("dns", "servers"),
    "reverse": ("dns", "servers"),
    "compose": ("compose",),
    "certificates": ("certificates",),
    "mounts": ("mounts",),
}
"""Sections whose facts stand under names, and where the inventory declares these."""

_WILD = "*?["
"""What begins a pattern (fnmatch); an asterisk goes over slashes too."""


def _tolerances(document: Document) -> Iterator[Problem]:
    entries = document.get("tolerate")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        path = text(entry, "path") if isinstance(entry, Mapping) else None
        if path is None:
            continue
        at: Path = ("tolerate", index, "path")
        part, _, below = path.partition("/")
        if part not in FACT_SECTIONS:
            what = f"'{path}' begins with no section of the facts"
            remedy = f"begin with one of {', '.join(FACT_SECTIONS)}, as in hosts/*/failed_units"
            yield Problem(at, what, remedy)
        elif part in _NAMED_IN and below and not _known(below, _declared(document, part)):
            what = f"'{path}' covers nothing: {'.'.join(_NAMED_IN[part])} has nobody of that name"
            name = below.partition("/")[0]
            yield Problem(at, what, did_you_mean(name, _declared(document, part)))


def _declared(document: Document, part: str) -> Document:
    return section(document, *_NAMED_IN[part])


def _known(below: str, names: Document) -> bool:
    """Whether the name at the begin of a path may be one of these; of a pattern, its begin."""
    name = below.partition("/")[0]
    plain = next((name[:at] for at, letter in enumerate(name) if letter in _WILD), None)
    return name in names if plain is None else any(other.startswith(plain) for other in names)


RULES: tuple[Rule, ...] = (_tolerances,)
