"""VLANs as they are written for the next boot against those that bridges pass now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from blackstart.model.host_network import Bridging, Card, Stanza

DEFAULT = 1
"""The untagged VLAN of a bridge of which nothing else is said (bridge(8), PVID)."""


def read_vlans(text: str) -> frozenset[int]:
    """``2-4094`` or ``10 20,30``. Raises ``ValueError`` on anything else."""
    found: set[int] = set()
    for part in text.replace(",", " ").split():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def differences(
    stanza: Stanza,
    declared: Iterable[Stanza],
    cards: Iterable[Card],
    bridging: Mapping[str, Bridging],
) -> Iterator[str]:
    """In words, what of one interface is not as written; of one that is not up, nothing.

    What a port says of itself comes before what its bridge says.
    """
    card = next((item for item in cards if item.name == stanza.name), None)
    if card is None:
        return
    if card.kind == "vlan" and stanza.vlan_id is not None and card.vlan_id != stanza.vlan_id:
        yield f"{card.name} is VLAN {card.vlan_id}, written as {stanza.vlan_id}"
    if card.kind != "bridge":
        return
    if card.vlan_aware != stanza.vlan_aware:
        words = {True: "VLAN-aware", False: "not VLAN-aware"}
        yield f"{card.name} is {words[card.vlan_aware]}, written as {words[stanza.vlan_aware]}"
    elif stanza.vlan_aware:
        own = {item.name: item for item in declared}
        for port in stanza.ports:
            said = own.get(port, stanza)
            untagged = said.vlan_default or stanza.vlan_default or DEFAULT
            wanted = read_vlans(said.vlans or stanza.vlans) | {untagged}
            yield from _on_port(port, bridging.get(port), wanted, untagged)


def _on_port(
    port: str, passes: Bridging | None, wanted: frozenset[int], untagged: int
) -> Iterator[str]:
    if passes is None:
        yield f"{port} passes no VLAN"
        return
    if passes.untagged != untagged:
        yield f"{port} has untagged VLAN {passes.untagged}, written as {untagged}"
    for what, vlans in (
        ("passes, and is not written:", {*passes.vlans} - wanted),
        ("is written, and does not pass:", wanted - {*passes.vlans}),
    ):
        if vlans:
            yield f"{port} {what} VLAN {spans(vlans)}"


def spans(vlans: Iterable[int]) -> str:
    """``2-4, 10`` for people."""
    runs: list[list[int]] = []
    for vlan in sorted(vlans):
        if runs and vlan == runs[-1][1] + 1:
            runs[-1][1] = vlan
        else:
            runs.append([vlan, vlan])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
