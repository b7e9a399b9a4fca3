"""Facts of one host, by one script over one connection."""

from __future__ import annotations

import secrets

from blackstart.collect import host_parse
from blackstart.collect.host_parse import HostReading
from blackstart.collect.host_script import HOST_SECTIONS
from blackstart.collect.sections import longest, script
from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError


def look_at_host(runner: CommandRunner, host: str, *, timeout_s: float) -> HostReading:
    """Ask a host for everything, within ``timeout_s`` seconds; never raises ``DriverError``.

    A host that does not answer, or whose script did not end, is an error in every fact.
    """
    token = secrets.token_hex(8)
    bound_s = min(timeout_s, longest(HOST_SECTIONS))
    try:
        result = runner.run(host, "sh -s", stdin=script(HOST_SECTIONS, token), timeout_s=bound_s)
    except DriverError as error:
        return host_parse.nothing_read(host, str(error))
    return host_parse.parse(host, token, result.stdout, result.stderr)
