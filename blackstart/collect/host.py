"""Facts of one host, by one script over one connection."""

from __future__ import annotations

from blackstart.collect import host_parse
from blackstart.collect.host_parse import HostReading
from blackstart.collect.host_script import HOST_SECTIONS
from blackstart.collect.sections import run
from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError


def look_at_host(runner: CommandRunner, host: str, *, timeout_s: float) -> HostReading:
    """Ask a host for everything, within ``timeout_s`` seconds; never raises ``DriverError``.

    A host that does not answer is an error in every fact.
    """
    try:
        answers = run(runner, host, HOST_SECTIONS, timeout_s=timeout_s)
    except DriverError as error:
        return host_parse.nothing_read(host, str(error))
    return host_parse.understand(host, answers)
