"""What an ISC DHCP server has on disk: its configuration and its record of what it gave."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address

from blackstart.model.observed import Observed, Record


class Lease(Record):
    """The last record of one address. Times in seconds since the epoch; ``None``: never, unset.

    ``state`` in dhcpd's words: active, free, expired, released, abandoned, reset, backup.
    """

    address: str
    mac: str | None = None
    hostname: str | None = None
    starts: float | None = None
    ends: float | None = None
    state: str

    def held_at(self, wall: float) -> bool:
        """Whether a client has it at a wall-clock time (seconds)."""
        return self.state == "active" and (self.ends is None or self.ends > wall)


class HostEntry(Record):
    """A host declaration. ``addresses`` as written: a host name stands for what DNS says.

    ``dynamic`` ones were made over OMAPI while the server ran and live in its lease file alone;
    ``deleted`` is a record that the entry of this name is gone. ``line`` is in its file.
    """

    name: str
    mac: str | None = None
    addresses: tuple[str, ...] = ()
    dynamic: bool = False
    deleted: bool = False
    line: int


class AddressRange(Record):
    """Addresses that a server gives to whoever asks, both ends included."""

    first: str
    last: str

    def __contains__(self, address: str) -> bool:
        """Whether an address, as text, lies within; a host name or IPv6 never does."""
        try:
            found = IPv4Address(address)
        except AddressValueError:
            return False
        return IPv4Address(self.first) <= found <= IPv4Address(self.last)

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class LeaseTrial(Record):
    """What came of asking a server for a lease and, at once, for its renewal.

    ``address`` and ``lease_s`` (seconds) are what it gave; ``refused`` says what it did
    instead of giving or renewing, ``None`` when it did both.
    """

    address: str | None = None
    lease_s: int | None = None
    refused: str | None = None


class DhcpFacts(Record):
    """One server. ``declared`` hosts are in its configuration and outlive any restart;
    ``recorded`` ones are in its lease file, from which MAAS takes them at each start.

    ``partners`` names the failover peers it shares its leases with; none: it is alone.
    ``lease_s`` is the longest lease in seconds that it gives unasked (dhcpd.conf(5),
    default-lease-time).
    """

    declared: Observed[tuple[HostEntry, ...]]
    recorded: Observed[tuple[HostEntry, ...]]
    leases: Observed[tuple[Lease, ...]]
    ranges: Observed[tuple[AddressRange, ...]]
    partners: Observed[tuple[str, ...]]
    lease_s: Observed[int]
