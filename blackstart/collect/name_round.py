"""Every declared name and guest's address asked of one server, politely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from blackstart.drivers.base import Clock, NameLookup
from blackstart.model.facts import Observed
from blackstart.model.inventory import Inventory

# Resolvers limit the rate of a client: at most 5 questions a second to one of them.
PAUSE_S = 0.2
# A server that let so many questions in a row go unanswered is not asked the rest.
SILENT_AFTER = 2

Answer = Observed[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Round:
    """What one server answered, by ``SERVER/NAME`` and by ``SERVER/ADDRESS``."""

    names: dict[str, Answer] = field(default_factory=dict)
    reverse: dict[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Question:
    """A name whose addresses are asked for, or an address whose names are."""

    server: str
    at: str
    subject: str
    reverse: bool

    def ask(self, names: NameLookup) -> Answer:
        """The server's answer."""
        return (names.pointers if self.reverse else names.ask)(self.at, self.subject)

    def unanswered(self, error: str) -> Answer:
        """What is left of it when it was not asked."""
        kind = "PTR" if self.reverse else "A"
        return Observed(source=f"dns @{self.at}: {self.subject} {kind}", error=error)

    def put(self, found: Round, answer: Answer) -> None:
        """Add the answer to the round."""
        part = found.reverse if self.reverse else found.names
        part[f"{self.server}/{self.subject}"] = answer


def look_at_names(
    inventory: Inventory,
    server: str,
    names: NameLookup,
    clock: Clock,
    *,
    pause_s: float = PAUSE_S,
) -> Round:
    """The answers of one server; ``pause_s`` seconds between questions."""
    found = Round()
    silent = 0
    for number, question in enumerate(_questions(inventory, server)):
        if silent >= SILENT_AFTER:
            error = f"not asked: {server} left {silent} questions in a row unanswered"
            question.put(found, question.unanswered(error))
            continue
        if number and pause_s:
            clock.sleep(pause_s)
        seen = question.ask(names)
        silent = 0 if seen.known else silent + 1
        question.put(found, seen)
    return found


def unasked(inventory: Inventory, server: str, error: str) -> Round:
    """The answers of a server whose round did not end in time."""
    found = Round()
    for question in _questions(inventory, server):
        question.put(found, question.unanswered(error))
    return found


def _questions(inventory: Inventory, server: str) -> Iterator[_Question]:
    """Every declared name, and the address of every guest that has names in DNS."""
    dns = inventory.dns
    if dns is None:
        return
    at = str(dns.servers[server].address)
    yield from (_Question(server, at, name, reverse=False) for name in dns.names)
    addresses = {str(item.address) for item in inventory.guests.values() if item.names}
    yield from (_Question(server, at, item, reverse=True) for item in sorted(addresses))
