"""One question to one DNS server: a name's IPv4 addresses, or the names of an address."""

from __future__ import annotations

import time

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.reversename

from blackstart.model.facts import Observed

TIMEOUT_S = 2.0
ATTEMPTS = 2


class DnsLookup:
    """``NameLookup`` over UDP, and over TCP when the answer does not fit (RFC 7766)."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, port: int = 53) -> None:
        """``timeout_s`` bounds each of two attempts; a single lost datagram is no verdict."""
        self._timeout_s = timeout_s
        self._port = port

    def ask(self, server: str, name: str) -> Observed[tuple[str, ...]]:
        """Addresses that ``server`` (an IPv4 address) gives, sorted, CNAMEs followed.

        A server that answers without an address has answered: the value is then empty, and
        the source ends with its word (``NXDOMAIN``, ``SERVFAIL``, ``REFUSED``, ... of RFC 1035,
        or ``NODATA`` for a name that has other records). Only where there was no answer is
        the fact unknown: ``timeout``, or the connection's own error.
        """
        source = f"dns @{server}: {name} A"
        return self._question(server, dns.name.from_text(name), dns.rdatatype.A, source)

    def pointers(self, server: str, address: str) -> Observed[tuple[str, ...]]:
        """Names that ``server`` gives for an IPv4 address, sorted, as ``ask`` gives addresses.

        In lower case and without the final dot.
        """
        name = dns.reversename.from_address(address)
        return self._question(server, name, dns.rdatatype.PTR, f"dns @{server}: {address} PTR")

    def _question(
        self, server: str, name: dns.name.Name, kind: dns.rdatatype.RdataType, source: str
    ) -> Observed[tuple[str, ...]]:
        query = dns.message.make_query(name, kind)
        deadline = time.monotonic() + ATTEMPTS * self._timeout_s
        error = "timeout"
        while time.monotonic() < deadline:
            try:
                response, _ = dns.query.udp_with_fallback(
                    query,
                    server,
                    timeout=min(self._timeout_s, deadline - time.monotonic()),
                    port=self._port,
                    ignore_unexpected=True,
                    ignore_errors=True,
                )
            except dns.exception.Timeout:
                continue
            except (dns.exception.DNSException, OSError, EOFError) as failure:
                error = getattr(failure, "strerror", None) or str(failure)
                break
            return _read(response, kind, source)
        return Observed(source=source, error=error)


def _read(
    response: dns.message.Message, kind: dns.rdatatype.RdataType, source: str
) -> Observed[tuple[str, ...]]:
    found = {
        record.to_text().rstrip(".").lower()
        for rrset in response.answer
        if rrset.rdtype == kind
        for record in rrset
    }
    if response.rcode() != dns.rcode.NOERROR:
        return Observed(source=f"{source}: {dns.rcode.to_text(response.rcode())}", value=())
    if not found:
        return Observed(source=f"{source}: NODATA", value=())
    return Observed(source=source, value=tuple(sorted(found)))
