"""Facts of the ISC DHCP server of a guest: its configuration and its lease file.

Both are read in one round trip, from the places of the MAAS snap, of MAAS' packages and of
Debian's isc-dhcp-server, the first that is there. Keys in the configuration stay there.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TypeVar

from blackstart.collect.sections import Answer, Section, run, shell
from blackstart.drivers.base import CommandRunner
from blackstart.drivers.dhcpd_conf import read_configuration
from blackstart.drivers.dhcpd_leases import read_leases
from blackstart.errors import DriverError, Malformed
from blackstart.model.dhcp_facts import DhcpFacts
from blackstart.model.observed import Observed, unread

Places = tuple[tuple[str, str], ...]
PLACES: Places = (
    ("/var/snap/maas/common/maas/dhcpd.conf", "/var/snap/maas/common/maas/dhcp/dhcpd.leases"),
    ("/var/lib/maas/dhcpd.conf", "/var/lib/maas/dhcp/dhcpd.leases"),
    ("/etc/dhcp/dhcpd.conf", "/var/lib/dhcp/dhcpd.leases"),
)
"""Configuration and lease file of one server, by product."""
MAX_BYTES = 3 * 1024 * 1024
READ_S = 10

# Every statement ends with a semicolon and a key's base64 has none (dhcpd.conf(5), KEYS).
_WITHOUT_KEYS = "sed -E 's/(secret[[:space:]]+)[^;]*;/\\1\"\";/'"

T = TypeVar("T")
P = TypeVar("P")


def _print(places: Places, which: int, program: str) -> str:
    """Shell text: the path of the file and its text, of the server that is there."""
    words = " ".join(shlex.quote(f"{pair[0]}:{pair[which]}") for pair in places)
    return f"""\
for place in {words}; do
    [ -e "${{place%%:*}}" ] || continue
    file=${{place#*:}}
    size=$(wc -c <"$file") || exit
    [ "$size" -le {MAX_BYTES} ] || {{ echo "$file has $size bytes" >&2; exit 1; }}
    echo "$file"
    exec {program} "$file"
done
echo 'no dhcpd.conf of MAAS or isc-dhcp-server' >&2
exit 1
"""


def _sections(places: Places) -> tuple[Section, ...]:
    return (
        shell("configuration", READ_S, _print(places, 0, _WITHOUT_KEYS)),
        shell("leases", READ_S, _print(places, 1, "cat")),
    )


def look_at_dhcp(
    runner: CommandRunner, guest: str, *, timeout_s: float, places: Places = PLACES
) -> DhcpFacts:
    """Facts of the server in a guest, within ``timeout_s`` seconds; never raises ``DriverError``.

    A file that is damaged is an error in all that it would have said.
    """
    try:
        answers = run(runner, guest, _sections(places), timeout_s=timeout_s)
    except DriverError as error:
        return unread(DhcpFacts, f"ssh {guest}", str(error))
    configuration = _read(guest, answers["configuration"], "dhcpd.conf", read_configuration)
    leases = _read(guest, answers["leases"], "dhcpd.leases", read_leases)
    return DhcpFacts(
        declared=_part(configuration, lambda found: found.hosts),
        ranges=_part(configuration, lambda found: found.ranges),
        partners=_part(configuration, lambda found: found.partners),
        lease_s=_stated(_part(configuration, lambda found: found.lease_s)),
        recorded=_part(leases, lambda found: found.hosts),
        leases=_part(leases, lambda found: found.leases),
    )


def _read(
    guest: str, answer: Answer, usual: str, understand: Callable[[str], T]
) -> tuple[str, T | None, str | None]:
    if answer.error is not None:
        return f"ssh {guest}: {usual}", None, answer.error
    if not answer.lines:
        return f"ssh {guest}: {usual}", None, "the answer is empty"
    path, *lines = answer.lines
    source = f"ssh {guest}: {path}"
    try:
        return source, understand("\n".join([*lines, ""])), None
    except Malformed as error:
        return source, None, str(error)


def _part(read: tuple[str, T | None, str | None], part: Callable[[T], P]) -> Observed[P]:
    source, found, error = read
    if found is None:
        return Observed(source=source, error=error)
    return Observed(source=source, value=part(found))


def _stated(seen: Observed[int | None]) -> Observed[int]:
    if seen.error is None and seen.value is None:
        return Observed(source=seen.source, error="it states no default-lease-time")
    return Observed(source=seen.source, value=seen.value, error=seen.error)
