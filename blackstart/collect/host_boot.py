"""What every host says of its own next boot: one script each, side by side, each bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from blackstart.collect.boot_parse import understand
from blackstart.collect.boot_script import BOOT_SECTIONS
from blackstart.collect.sections import run
from blackstart.drivers.base import CommandRunner
from blackstart.drivers.bounded import gather
from blackstart.drivers.triage import Triage
from blackstart.errors import DriverError
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.observed import unread
from blackstart.model.subjects import hosts_asked

WORKERS = 32
GRACE_S = 3.0


@dataclass(frozen=True, slots=True)
class HostBoots:
    """Asks hosts over one command runner; at most ``deadline_s`` seconds, whoever hangs."""

    inventory: Inventory
    runner: CommandRunner
    deadline_s: float = 45.0
    triage: Triage = field(default_factory=Triage)

    def __call__(self) -> Mapping[str, HostBootFacts]:
        """Facts of every node, and of every running guest into which the harness may log in."""
        bound_s = self.triage.bound(self.deadline_s)
        answers = gather(
            {
                host: partial(look_at_boot, self.runner, host, timeout_s=bound_s)
                for host in hosts_asked(self.inventory)
            },
            workers=WORKERS,
            timeout_s=bound_s + GRACE_S,
        )
        return {
            host: unread(HostBootFacts, f"ssh {host}", str(answer))
            if isinstance(answer, DriverError)
            else answer
            for host, answer in answers.items()
        }


def look_at_boot(runner: CommandRunner, host: str, *, timeout_s: float) -> HostBootFacts:
    """Facts of one host, within ``timeout_s`` seconds; never raises ``DriverError``."""
    try:
        answers = run(runner, host, BOOT_SECTIONS, timeout_s=timeout_s)
    except DriverError as error:
        return unread(HostBootFacts, f"ssh {host}", str(error))
    return understand(host, answers)
