"""What start, stop, shutdown and reboot of a guest do, and what they refuse.

Each function returns the body of a task; whatever it raises as ``Died`` becomes
the task's exit status. Texts as recorded from Proxmox VE 9.1.7.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .errors import Died
from .guestconfig import Drive, GuestConfig
from .guests import Guest, require_unlocked
from .node import Node
from .runtime import STOPPED, Vitals
from .tasks import Task

Work = Callable[[Task], None]
SHUTDOWN_TIMEOUT_S = 60
CLOUD_INIT_BYTES = 4 * 2**20
NO_EFI_DISK = "no efidisk configured! Using temporary efivars disk."
ROOT = "root@pam"
_PREFIX = {"qemu": "qm", "lxc": "vz"}


def task_kind(guest: Guest, verb: str) -> str:
    """``qmstart``, ``vzshutdown`` and so on."""
    return f"{_PREFIX[guest.kind]}{verb}"


def vitals_of(node: Node, guest: Guest) -> Vitals:
    """How the guest is at this moment."""
    return node.runtime.vitals().get(guest.vmid, STOPPED)


def start(node: Node, guest: Guest, *, skip_lock: bool = False) -> Work:
    """Start a guest whose volumes are all there."""

    def work(task: Task) -> None:
        with node.guests.locked(guest):
            config = node.guests.config(guest)
            if not skip_lock:
                require_unlocked(guest, config)
            if vitals_of(node, guest).running:
                raise Died(f"{guest.title} already running")
            if config.pending:
                config = config.with_pending_applied()
                node.guests.write(guest, config)
            _require_volumes(node, config)
            _require_bridges(node, config)
            if config.values.get("bios") == "ovmf" and "efidisk0" not in config.values:
                task.warn(NO_EFI_DISK)
            node.runtime.start(guest.vmid)

    return work


def stop(node: Node, guest: Guest, *, skip_lock: bool = False) -> Work:
    """Kill a guest; one that is stopped already is no error."""

    def work(_task: Task) -> None:
        with node.guests.locked(guest):
            config = node.guests.config(guest)
            if not skip_lock:
                require_unlocked(guest, config)
            if vitals_of(node, guest).running:
                node.runtime.stop(guest.vmid)

    return work


def shutdown(
    node: Node,
    guest: Guest,
    *,
    timeout_s: int | None = None,
    force: bool = False,
    skip_lock: bool = False,
) -> Work:
    """Ask a guest to power off; ``force`` kills one that does not in time.

    Without a timeout the guest's own ``startup`` property gives it (``down=``),
    else ``SHUTDOWN_TIMEOUT_S``.
    """

    def work(task: Task) -> None:
        with node.guests.locked(guest):
            config = node.guests.config(guest)
            if not skip_lock:
                require_unlocked(guest, config)
            if vitals_of(node, guest).running:
                _power_down(node, guest, _patience(config, timeout_s), force, task)

    return work


def reboot(node: Node, guest: Guest, *, timeout_s: int | None = None) -> Work:
    """Shut a guest down and start it again; a VM's start is a task of its own."""

    def work(task: Task) -> None:
        shutdown(node, guest, timeout_s=timeout_s)(task)
        if guest.kind == "lxc":
            start(node, guest)(task)
        else:
            node.tasks.spawn(task_kind(guest, "start"), str(guest.vmid), ROOT, start(node, guest))

    return work


def _patience(config: GuestConfig, timeout_s: int | None) -> int:
    if timeout_s is not None:
        return timeout_s
    down_s = config.startup.down_s
    return SHUTDOWN_TIMEOUT_S if down_s is None else down_s


def _power_down(node: Node, guest: Guest, timeout_s: int, force: bool, task: Task) -> None:
    if node.runtime.shutdown(guest.vmid, timeout_s):
        return
    if guest.kind == "qemu":
        failure = "VM quit/powerdown failed - got timeout"
    else:
        command = f"lxc-stop -n {guest.vmid} --nokill --timeout {timeout_s}"
        failure = f"command '{command}' failed: exit code 1"
    if not force:
        raise Died(failure)
    task.say(failure)
    task.say(f"{guest.title} still running - terminating now with SIGKILL")
    node.runtime.stop(guest.vmid)


def _require_volumes(node: Node, config: GuestConfig) -> None:
    for drive in config.drives():
        if drive.volume.startswith("/"):
            continue  # a device or a bind mount: of no store
        if drive.cloud_init:
            _generate_cloud_init(node, drive)
        else:
            node.storage.require_volume(drive.volume)


def _generate_cloud_init(node: Node, drive: Drive) -> None:
    """The vendor makes this drive anew at each start, so only its store must be there."""
    path: Path = node.storage.volume_path(drive.volume)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.truncate(CLOUD_INIT_BYTES)


def _require_bridges(node: Node, config: GuestConfig) -> None:
    for bridge in config.bridges():
        if not (node.layout.interfaces / bridge).exists():
            raise Died(f"bridge '{bridge}' does not exist")
