"""What ``pve-guests.service`` does: start all guests at boot, shut all down at the end.

Source of order and delays: the vendor's administration guide, "Automatic Start
and Shutdown of Virtual Machines", and recorded logs of Proxmox VE 9.1.7.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from .accounts import ROOT
from .errors import Died
from .guestconfig import GuestConfig
from .guests import Guest
from .node import Node, this_node
from .power import Work, shutdown, start, task_kind, vitals_of
from .propertystring import Startup
from .tasks import OK, Task

LAST = 2**31
"""Place of a guest without an order: after all that have one."""
DEFAULT_UP_S = {"qemu": 3, "lxc": 0}
DEFAULT_DOWN_S = 180
QUORUM_POLL_S = 1


def main(arguments: list[str]) -> int:
    """Start or stop all guests of this node, as a task of its own."""
    parser = argparse.ArgumentParser(prog="pve guests")
    parser.add_argument("verb", choices=("start", "stop"))
    verb = parser.parse_args(arguments).verb
    node = this_node()
    work = start_all(node) if verb == "start" else stop_all(node)
    status = node.tasks.run(f"{verb}all", "", ROOT, work, _print)
    return 0 if status == OK else 1


def start_all(node: Node) -> Work:
    """Start every guest with ``onboot``, in order; waits for quorum as long as it takes.

    A guest that fails does not stop the rest, nor does it fail this task: what
    became of each guest stands in its own task.
    """

    def work(task: Task) -> None:
        _await_quorum(node, task)
        _remove_backup_locks(node, task)
        wanted = [(g, c) for g, c in node.guests.configs(node.name) if c.on_boot]
        for guest, config in sorted(wanted, key=_place):
            node.membership().require_quorum()
            if not vitals_of(node, guest).running:
                _start_one(node, guest, config, task)

    return work


def stop_all(node: Node) -> Work:
    """Shut every running guest down, last started first, those of one order together."""

    def work(task: Task) -> None:
        guests = sorted(node.guests.configs(node.name), key=_place, reverse=True)
        for _order, group in groupby(guests, key=lambda pair: _place(pair)[0]):
            with ThreadPoolExecutor(os.cpu_count() or 1) as workers:
                for guest, config in group:
                    if vitals_of(node, guest).running:
                        workers.submit(_stop_one, node, guest, config, task)

    return work


def _await_quorum(node: Node, task: Task) -> None:
    if node.membership().quorate:
        return
    task.say("waiting for quorum ...")
    while not node.membership().quorate:
        time.sleep(QUORUM_POLL_S)
    task.say("got quorum")


def _remove_backup_locks(node: Node, task: Task) -> None:
    """After a boot no backup can be running, so its lock is a leftover."""
    for guest, config in node.guests.configs(node.name):
        if config.values.get("lock") == "backup":
            values = {key: text for key, text in config.values.items() if key != "lock"}
            node.guests.write(
                guest, GuestConfig(config.kind, values, config.pending, snapshots=config.snapshots)
            )
            task.say(f"removed left over backup lock from '{guest.vmid}'!")


def _place(pair: tuple[Guest, GuestConfig]) -> tuple[int, int]:
    guest, config = pair
    order = _startup(config).order
    return (LAST if order is None else order, guest.vmid)


def _startup(config: GuestConfig) -> Startup:
    try:
        return config.startup
    except Died:
        return Startup()  # a line that cannot be read gives neither order nor delays


def _start_one(node: Node, guest: Guest, config: GuestConfig, task: Task) -> None:
    task.say(f"Starting {guest.title}")
    kind = task_kind(guest, "start")
    status = node.tasks.run(kind, str(guest.vmid), ROOT, start(node, guest))
    if status != OK and not status.startswith("WARNINGS: "):
        task.say(f"Starting {guest.title} failed: {status}")
        return
    up_s = _startup(config).up_s
    if up_s:
        task.say(f"Waiting for {up_s} seconds (startup delay)")
    time.sleep(DEFAULT_UP_S[guest.kind] if up_s is None else up_s)


def _stop_one(node: Node, guest: Guest, config: GuestConfig, task: Task) -> None:
    down_s = _startup(config).down_s
    timeout_s = DEFAULT_DOWN_S if down_s is None else down_s
    task.say(f"Stopping {guest.title} (timeout = {timeout_s} seconds)")
    work = shutdown(node, guest, timeout_s=timeout_s, force=True)
    node.tasks.run(task_kind(guest, "shutdown"), str(guest.vmid), ROOT, work)


def _print(line: str) -> None:
    print(line, flush=True)
