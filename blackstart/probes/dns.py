"""One DNS query over UDP, through dnspython: does the server give the declared addresses?

One datagram a question and no retry, so that an answer belongs to the instant it was
asked at. Resolvers limit the rate of a client (BIND: ``rate-limit``), and a probe must
not be the outage: 5 queries a second to a server at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from blackstart.probes.base import Answer, down

MAX_QUERIES_HZ = 5.0


@dataclass(slots=True)
class DnsProbe:
    """Ask one server for the declared names in turn; each must give exactly its addresses."""

    name: str
    subject: str
    server: str
    names: Mapping[str, frozenset[str]]
    timeout_s: float
    port: int = 53
    kind: str = "dns"
    max_rate_hz: float | None = MAX_QUERIES_HZ
    _turn: cycle[str] = field(init=False)

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError(f"{self.name}: no names to ask for")
        self._turn = cycle(self.names)

    async def ask(self) -> Answer:
        """Ask for the next name. Raises ``ProbeBroken`` when this machine cannot ask."""
        name = next(self._turn)
        query = dns.message.make_query(name, dns.rdatatype.A)
        try:
            async with asyncio.timeout(self.timeout_s):
                response = await dns.asyncquery.udp(query, self.server, port=self.port)
        except (TimeoutError, dns.exception.Timeout):
            return Answer(False, f"{name}: no answer within {self.timeout_s:g} s")
        except (OSError, dns.exception.DNSException) as error:
            answer = down(error)
            return Answer(False, f"{name}: {answer.detail}")
        return self._compare(name, response)

    def _compare(self, name: str, response: dns.message.Message) -> Answer:
        if response.rcode() != dns.rcode.NOERROR:
            return Answer(False, f"{name}: {dns.rcode.to_text(response.rcode())}")
        given: frozenset[str] = frozenset()
        if isinstance(response, dns.message.QueryMessage):
            records = response.resolve_chaining().answer
            given = frozenset(record.to_text() for record in records or ())
        if given != self.names[name]:
            shown = ", ".join(sorted(given)) or "no address"
            expected = ", ".join(sorted(self.names[name]))
            return Answer(False, f"{name}: {shown} instead of {expected}")
        return Answer(True)

    async def close(self) -> None:
        """Nothing stays open between questions."""
