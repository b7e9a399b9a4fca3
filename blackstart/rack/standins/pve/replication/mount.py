"""``/etc/pve``: the directory bound there, writable or not (mount(8), "bind mount")."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol

from ..mounts import mount_points

MOUNT_TIMEOUT_S = 10


class MountPoint(Protocol):
    """Where people and programs see the configuration."""

    def attach(self) -> None:
        """Make the configuration visible, read-only; raises ``OSError``."""

    def set_writable(self, writable: bool) -> bool:
        """Allow or forbid changes; False when it has to be tried again."""

    def detach(self) -> None:
        """Take it away."""


class BindMount:
    """A bind mount of ``source`` on ``target``."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = source
        self._target = target

    def attach(self) -> None:
        self._target.mkdir(parents=True, exist_ok=True)
        if str(self._target) not in mount_points(Path("/proc/self/mountinfo")):
            self._mount("--bind", str(self._source), str(self._target))
        if not self.set_writable(False):
            print(f"{self._target} could not be made read-only yet", flush=True)

    def set_writable(self, writable: bool) -> bool:
        # Read-only fails as long as somebody has a file open for writing.
        options = f"remount,bind,{'rw' if writable else 'ro'}"
        try:
            self._mount("-o", options, str(self._target))
        except OSError as error:
            print(error, flush=True)
            return False
        return True

    def detach(self) -> None:
        self._run(["umount", "--lazy", str(self._target)])

    def _mount(self, *arguments: str) -> None:
        self._run(["mount", *arguments])

    def _run(self, command: list[str]) -> None:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=MOUNT_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise OSError(f"{' '.join(command)}: got timeout") from error
        if done.returncode != 0:
            raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
