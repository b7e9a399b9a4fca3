"""Every declared name asked of one server, politely."""

from __future__ import annotations

from blackstart.drivers.base import Clock, NameLookup
from blackstart.model.facts import Observed
from blackstart.model.inventory import Dns

# Resolvers limit the rate of a client: at most 5 questions a second to one of them.
PAUSE_S = 0.2
# A server that let so many questions in a row go unanswered is not asked the rest.
SILENT_AFTER = 2

Answers = dict[str, Observed[tuple[str, ...]]]


def look_at_names(
    dns: Dns, server: str, names: NameLookup, clock: Clock, *, pause_s: float = PAUSE_S
) -> Answers:
    """The answers of one server, by ``SERVER/NAME``; ``pause_s`` seconds between questions."""
    address = str(dns.servers[server].address)
    answers: Answers = {}
    silent = 0
    for number, name in enumerate(dns.names):
        if silent >= SILENT_AFTER:
            error = f"not asked: {server} left {silent} questions in a row unanswered"
            answers[f"{server}/{name}"] = Observed(source=f"dns @{address}: {name} A", error=error)
            continue
        if number and pause_s:
            clock.sleep(pause_s)
        seen = names.ask(address, name)
        silent = 0 if seen.known else silent + 1
        answers[f"{server}/{name}"] = seen
    return answers


def unasked(dns: Dns, server: str, error: str) -> Answers:
    """The answers of a server whose round did not end in time."""
    source = f"dns @{dns.servers[server].address}"
    return {f"{server}/{name}": Observed(source=source, error=error) for name in dns.names}
