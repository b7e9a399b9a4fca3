"""Whether a host lets us in, as whom, and whether that user sees what facts need."""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.collect.sections import program, run
from blackstart.drivers.base import CommandRunner
from blackstart.errors import Rejected

SECTIONS = (
    program("user", 5, "id", "-u"),
    program("journal", 8, *["journalctl", "-k", "-b", "-q", "-n", "1", "--no-pager", "-o", "cat"]),
)


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are there. ``journal``: the kernel's lines of this boot may be read."""

    root: bool
    journal: bool


def look_at_login(runner: CommandRunner, host: str, *, timeout_s: float) -> Login:
    """Log in and look, within ``timeout_s`` seconds. Raises ``DriverError``."""
    answers = run(runner, host, SECTIONS, timeout_s=timeout_s)
    user, journal = answers["user"], answers["journal"]
    if user.error is not None or not user.lines:
        raise Rejected(f"{host}: logged in, and `id -u` gives nothing: {user.error}")
    return Login(root=user.lines[0] == "0", journal=bool(journal.lines))
