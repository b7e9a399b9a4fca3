"""Guests through the Proxmox VE API: ``GuestControl``.

Three things of this API have cost people nights. An empty list is what a token without
the privilege gets, so it proves nothing. ``cluster/resources`` keeps a dead node's
guests at ``running`` for about five minutes, so a status is only believed from the node
itself. And a POST that answers 200 has accepted a task, whose exit status is the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from blackstart.drivers import proxmox_answers as answers
from blackstart.drivers.base import Clock
from blackstart.drivers.bounded import gather
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_guest import GuestReader
from blackstart.drivers.waiting import wait_for
from blackstart.errors import Rejected, TimedOut, Unreachable
from blackstart.model.circumstances import Vitals
from blackstart.model.facts import GuestFacts, unread
from blackstart.model.inventory import Guest

WORKERS = 4
OBSERVE_S = 30.0
TASK_POLL_S = 0.5
TASKS_LOOKED_AT = 10

Act = Literal["start", "stop", "shutdown", "reboot"]


class ProxmoxGuests:
    """The declared guests of one cluster. Thread-safe."""

    def __init__(self, api: ProxmoxApi, guests: Mapping[str, Guest], clock: Clock) -> None:
        self._api = api
        self._guests = dict(guests)
        self._clock = clock

    def observe(self) -> Mapping[str, GuestFacts]:
        """Facts of every declared guest, asked in parallel; at most about 40 s in all."""
        reader = GuestReader(self._api)
        readings = gather(
            {name: _read(reader, guest) for name, guest in self._guests.items()},
            workers=WORKERS,
            timeout_s=OBSERVE_S,
        )
        return {
            name: reading
            if isinstance(reading, GuestFacts)
            else unread(GuestFacts, "api", str(reading))
            for name, reading in readings.items()
        }

    def status(self, guest: str) -> str:
        """``running`` or ``stopped``, from the guest's node itself. Raises ``DriverError``."""
        current = self._current(guest)
        with answers.understood(f"status/current of {guest}"):
            return str(current["status"])

    def start(self, guest: str, *, timeout_s: float) -> str:
        """Start it and wait for the task, at most ``timeout_s`` seconds; its exit status.

        Raises ``Rejected`` with the task's own words when it failed, ``TimedOut`` when it
        had not ended. ``WARNINGS: N`` is a success, and is returned as such.
        """
        return self._act(guest, "start", timeout_s)

    def stop(self, guest: str, *, timeout_s: float) -> str:
        """Pull its plug; otherwise as ``start``."""
        return self._act(guest, "stop", timeout_s)

    def shutdown(self, guest: str, *, timeout_s: float) -> str:
        """Ask it to shut down, for at most ``timeout_s`` seconds; otherwise as ``start``."""
        return self._act(guest, "shutdown", timeout_s, timeout=max(int(timeout_s) - 2, 1))

    def reboot(self, guest: str, *, timeout_s: float) -> str:
        """Shut it down and start it again; otherwise as ``shutdown``.

        The node does both, whoever asked for it is still there or not.
        """
        return self._act(guest, "reboot", timeout_s, timeout=max(int(timeout_s) - 2, 1))

    def vitals(self, guest: str) -> Vitals:
        """Uptime and memory, from the guest's node itself. Raises ``DriverError``."""
        return answers.vitals(self._current(guest), guest)

    def starts_finished(self, node: str, since_wall: float) -> bool:
        """Whether the node's ``startall`` task that began since then has ended.

        The time is compared with the node's own clock. Raises ``DriverError``.
        """
        path = f"nodes/{node}/tasks"
        tasks = answers.records(
            self._api.get(path, typefilter="startall", source="all", limit=TASKS_LOOKED_AT), path
        )
        with answers.understood(path):
            return any(
                task.get("type") == "startall"
                and float(task.get("starttime", 0)) >= since_wall
                and "endtime" in task
                for task in tasks
            )

    def _declared(self, name: str) -> Guest:
        try:
            return self._guests[name]
        except KeyError:
            raise Rejected(f"{name}: no such guest in the inventory") from None

    def _current(self, name: str) -> answers.Json:
        reader = GuestReader(self._api)
        path = f"{reader.place(self._declared(name)).path}/status/current"
        return answers.record(self._api.get(path), path)

    def _act(self, name: str, act: Act, timeout_s: float, **fields: Any) -> str:
        deadline = self._clock.monotonic() + timeout_s
        place = GuestReader(self._api).place(self._declared(name))
        upid = str(self._api.post(f"{place.path}/status/{act}", **fields))
        exitstatus = wait_for(
            self._clock,
            lambda: self._exit_status(upid),
            bound_s=max(deadline - self._clock.monotonic(), 0.0),
            poll_s=TASK_POLL_S,
        )
        if exitstatus is None:
            raise TimedOut(f"{name}: {act} had not ended after {timeout_s:.0f} s ({upid})")
        if not answers.succeeded(exitstatus):
            raise Rejected(f"{name}: {act} failed: {exitstatus}")
        return exitstatus

    def _exit_status(self, upid: str) -> str | None:
        """The task's exit status, or ``None`` while it runs or its node cannot be asked."""
        parts = upid.split(":")
        if len(parts) < 3 or parts[0] != "UPID":
            raise Rejected(f"no task was started: the answer is {upid!r}")
        try:
            task = answers.record(self._api.get(f"nodes/{parts[1]}/tasks/{upid}/status"), upid)
        except (Unreachable, TimedOut):
            return None  # a node that is gone for a moment keeps the task; the bound decides
        return str(task.get("exitstatus")) if task.get("status") == "stopped" else None


def _read(reader: GuestReader, guest: Guest) -> Callable[[], GuestFacts]:
    return lambda: reader.read(guest)
