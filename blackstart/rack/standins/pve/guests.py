"""The guests that this node's part of ``/etc/pve`` declares, and their locks."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .configkeys import GuestKind
from .errors import Died
from .files import may_not_write, write_atomically
from .guestconfig import GuestConfig, format_config, parse_config
from .layout import Layout
from .members import read_membership

LOCK_TIMEOUT_S = 10
DIRECTORY: dict[GuestKind, str] = {"qemu": "qemu-server", "lxc": "lxc"}
SHORT: dict[GuestKind, str] = {"qemu": "VM", "lxc": "CT"}


@dataclass(frozen=True, slots=True, order=True)
class Guest:
    """A guest's number, what kind it is, and the node it belongs to."""

    vmid: int
    kind: GuestKind
    node: str

    @property
    def config_name(self) -> str:
        """The configuration file, relative to ``/etc/pve``."""
        return f"nodes/{self.node}/{DIRECTORY[self.kind]}/{self.vmid}.conf"

    @property
    def title(self) -> str:
        """``VM 100`` or ``CT 103``."""
        return f"{SHORT[self.kind]} {self.vmid}"


class Guests:
    """Configurations of guests; those of other nodes can be read, not changed."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def local(self, vmid: int, kind: GuestKind) -> Guest:
        """A guest of this node, whether it exists or not."""
        return Guest(vmid, kind, self._layout.node)

    def of_node(self, node: str, kind: GuestKind | None = None) -> list[Guest]:
        """Every guest whose configuration lies under a node, by number."""
        kinds: tuple[GuestKind, ...] = (kind,) if kind else ("qemu", "lxc")
        found = []
        for each in kinds:
            directory = self._layout.etc_pve / "nodes" / node / DIRECTORY[each]
            stems = (path.stem for path in directory.glob("*.conf"))
            found += [Guest(int(stem), each, node) for stem in stems if stem.isdigit()]
        return sorted(found)

    def nodes(self) -> list[str]:
        """Nodes that have a directory, members or not."""
        return sorted(path.name for path in (self._layout.etc_pve / "nodes").glob("*"))

    def config(self, guest: Guest) -> GuestConfig:
        """Read a configuration; raises ``Died`` as the API does when there is none."""
        try:
            return parse_config(guest.kind, self._path(guest).read_bytes())
        except FileNotFoundError as error:
            raise Died(f"Configuration file '{guest.config_name}' does not exist") from error

    def configs(
        self, node: str, kind: GuestKind | None = None
    ) -> Iterator[tuple[Guest, GuestConfig]]:
        """Every guest of a node with its configuration, except one deleted just now."""
        for guest in self.of_node(node, kind):
            try:
                yield guest, self.config(guest)
            except Died:
                continue

    def write(self, guest: Guest, config: GuestConfig) -> None:
        """Replace a configuration; raises ``Died`` when ``/etc/pve`` may not be written.

        Quorum is asked too: its loss is known a moment before the file system closes.
        """
        path = self._path(guest)
        if not read_membership(self._layout.members, self._layout.node).quorate:
            raise may_not_write(path)
        write_atomically(path, format_config(config))

    @contextmanager
    def locked(self, guest: Guest) -> Iterator[None]:
        """Hold the guest's lock file; raises ``Died`` when another has it for too long."""
        path = self._layout.locks / "qemu-server" / f"lock-{guest.vmid}.conf"
        if guest.kind == "lxc":
            path = self._layout.locks / "lxc" / f"pve-config-{guest.vmid}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as stream:
            deadline = time.monotonic() + LOCK_TIMEOUT_S
            while not _try_lock(stream.fileno()):
                if time.monotonic() > deadline:
                    raise Died(f"can't lock file '{path}' - got timeout")
                time.sleep(0.1)
            yield

    def _path(self, guest: Guest) -> Path:
        return self._layout.etc_pve / guest.config_name


def require_unlocked(guest: Guest, config: GuestConfig) -> None:
    """Raise ``Died`` when a backup or the like holds the guest's configuration."""
    lock = config.values.get("lock")
    if lock:
        raise Died(f"{SHORT[guest.kind]} is locked ({lock})")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
