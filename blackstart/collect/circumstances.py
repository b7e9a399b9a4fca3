"""``Circumstances`` of real hosts, over one command runner; hosts are asked side by side."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from blackstart.collect import rescue
from blackstart.collect.here import look_here
from blackstart.collect.upkeep import look_at_storage, look_for_work
from blackstart.drivers.base import CommandRunner
from blackstart.drivers.bounded import gather
from blackstart.errors import DriverError
from blackstart.model.circumstances import Here, NewestFile, StorageHealth
from blackstart.model.facts import Observed

WORKERS = 8
GATHER_S = 60.0
COMMAND_S = 15.0
# Hidden files are unfinished ones, empty ones are no backup. stat -c is GNU's and BusyBox's.
_NEWEST = """\
cd {directory} || exit 1
find . -type f -size +0 ! -path '*/.*' -exec stat -c '%Y %n' {{}} + | sort -n | tail -n 1
date +%s"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HostCircumstances:
    """Asks hosts; every question is bounded, and one that fails is an error in its answer."""

    runner: CommandRunner

    def here(self) -> Observed[Here]:
        """This machine itself."""
        return look_here()

    def work(self, hosts: Iterable[str]) -> Mapping[str, Observed[tuple[str, ...]]]:
        """Backups, scrubs, resyncs and upgrades under way, by host."""
        return _side_by_side({host: partial(look_for_work, self.runner, host) for host in hosts})

    def storage(self, hosts: Iterable[str]) -> Mapping[str, Observed[StorageHealth]]:
        """Damage of arrays and pools, by host."""
        return _side_by_side({host: partial(look_at_storage, self.runner, host) for host in hosts})

    def newest_file(self, host: str, directory: str) -> Observed[NewestFile]:
        """The newest file below a directory, and its age by the host's own clock."""
        source = f"ssh {host}: files below {directory}"
        command = f"timeout -k 1 10 sh -c {shlex.quote(_newest(directory))}"
        try:
            result = self.runner.run(host, command, timeout_s=COMMAND_S)
        except DriverError as error:
            return Observed(source=source, error=str(error))
        match [line.split(" ", 1) for line in result.stdout.splitlines()]:
            case [[at, path], [now]] if at.isdigit() and now.isdigit():
                age_s = float(int(now) - int(at))
                return Observed(source=source, value=NewestFile(path=path, age_s=age_s))
            case [[now]] if now.isdigit():
                return Observed(source=source, error="there is no file in it")
        said = result.stderr.strip() or f"exit {result.exit_code}"
        return Observed(source=source, error=said)

    def ups(self, host: str, name: str) -> Observed[str]:
        """``ups.status`` (upsc(8))."""
        source = f"ssh {host}: upsc {name}"
        command = f"timeout -k 1 8 upsc {shlex.quote(f'{name}@localhost')} ups.status"
        try:
            result = self.runner.run(host, command, timeout_s=COMMAND_S)
        except DriverError as error:
            return Observed(source=source, error=str(error))
        if not result.ok or not result.stdout.strip():
            said = result.stderr.strip() or f"exit {result.exit_code}"
            return Observed(source=source, error=said)
        return Observed(source=source, value=" ".join(result.stdout.split()))

    def by_hand(self, hosts: Mapping[str, tuple[str, ...]]) -> Mapping[str, Observed[str]]:
        """What a person needs to put each host back by hand."""
        calls = {
            host: partial(rescue.by_hand, self.runner, host, vmids) for host, vmids in hosts.items()
        }
        return _side_by_side(calls)


def _newest(directory: str) -> str:
    return _NEWEST.format(directory=shlex.quote(directory))


def _side_by_side(calls: Mapping[str, Callable[[], Observed[T]]]) -> Mapping[str, Observed[T]]:
    answers = gather(calls, workers=WORKERS, timeout_s=GATHER_S)
    return {
        host: Observed(source=f"ssh {host}", error=str(answer))
        if isinstance(answer, DriverError)
        else answer
        for host, answer in answers.items()
    }
