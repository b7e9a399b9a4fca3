"""Bringing a rack up and down, and back to its pristine state."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from blackstart.rack import (
    client,
    disks,
    host,
    image,
    kvm,
    network,
    readiness,
    record,
    status,
    supervision,
)
from blackstart.rack.controller import Settings
from blackstart.rack.errors import HostError, RackError
from blackstart.rack.home import CLONE, RUNTIME, Home, cache
from blackstart.rack.phases import Phases
from blackstart.rack.record import Record
from blackstart.rack.topology import Topology

LOCK = Path("/run/blackstart-rack.lock")
LOCK_TIMEOUT_S = 30.0
CONTROLLER_END_S = 20.0
STRAY_END_S = 2.0


@contextmanager
def exclusive() -> Iterator[None]:
    """One of up, down and reset at a time on a host; waits at most 30 s for the other."""
    with LOCK.open("w") as lock:
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise RackError(
                        "another 'rack up', 'down' or 'reset' is at work", "wait for its end"
                    ) from error
                time.sleep(0.2)
        yield


def up(topology: Topology, phases: Phases, *, take_over: bool, fresh: bool) -> str:
    """Bring the rack up, from its saved state when there is one; returns what was done.

    ``fresh`` forgets disks and saved state and boots cold. ``take_over`` ends a
    rack of another clone or topology. Raises `HostError` when such a rack runs
    and must not be ended, `MachineError` when a machine does not become ready
    (the rack then stays up, to be looked at).
    """
    os.umask(0o022)
    with phases.phase("host") as say:
        host.ensure_packages(say)
    with exclusive():
        home = Home(cache() / disks.home_name(topology))
        running = record.read()
        if running is not None and running.alive:
            if not (fresh or take_over) and _is_current(running, topology, home):
                if running.phase != "ready":
                    _finish(running, topology, phases)
                return "the rack is up already"
            _refuse_foreign(running, topology, take_over=take_over)
        with phases.phase("clean up"):
            _remove()
        host.make_for_caller(cache())
        with phases.phase("image") as say:
            base = image.ensure(cache(), say)
        with phases.phase("virtualisation"):
            accelerated = kvm.works(base.kernel, base.initramfs, cache())
        load = not fresh and _saved_build(home) == base.build
        if not load:
            with phases.phase("disks") as say:
                _forget_others(home, topology)
                disks.prepare(home, topology, base, say)
                host.give_to_caller(home.directory)
        entry = Record(topology.name, str(CLONE), str(home.directory), "starting")
        entry.write()
        with phases.phase("machines start"):
            network.create(topology)
            settings = Settings(
                topology.name, str(home.directory), str(base.directory), kvm=accelerated, load=load
            )
            entry = replace(entry, controller=supervision.start(settings, home))
            entry.write()
            supervision.await_answer(entry)
        _finish(entry, topology, phases, loaded=load)
        return "the rack is up" + (" from its saved state" if load else "")


def _saved_build(home: Home) -> str | None:
    """The build of the image over which the home's saved state lies, if it has one."""
    if not home.saved.exists():
        return None
    return str(json.loads(home.saved.read_text("utf-8"))["build"])


def _is_current(running: Record, topology: Topology, home: Home) -> bool:
    """Whether the running rack is this clone's, of today's code, with every machine on.

    One that is not ready (yet) counts as long as it has nothing better to go
    back to: it may only have been slow.
    """
    mine = (str(CLONE), topology.name, str(home.directory))
    if (running.clone, running.topology, running.home) != mine:
        return False
    machines = status.observe().machines.values()
    on = bool(machines) and all(machine["power"] == "On" for machine in machines)
    return on and (running.phase == "ready" or not home.saved.exists())


def _refuse_foreign(running: Record, topology: Topology, *, take_over: bool) -> None:
    whose = []
    if running.clone != str(CLONE):
        whose.append(f"of the clone {running.clone}")
    if running.topology != topology.name:
        whose.append(f"with the topology '{running.topology}'")
    if whose and not take_over:
        raise HostError(
            f"another rack {' '.join(whose)} is up on this host",
            "let it finish, or end it and take over: blackstart rack up --replace",
        )


def _forget_others(home: Home, topology: Topology) -> None:
    """Remove older homes of the topology, and images that no home needs (disk budget)."""
    keep = {image.content_hash()}
    for other in cache().glob(f"{topology.name}-*"):
        if other != home.directory:
            shutil.rmtree(other)
    for other in (cache() / "images").glob("*/base.raw"):
        if other.parent.name not in keep:
            shutil.rmtree(other.parent)


def _finish(entry: Record, topology: Topology, phases: Phases, *, loaded: bool = False) -> None:
    """Clocks of a restored rack; a cold one boots until ready and is saved then."""
    home = entry.files()
    try:
        if loaded:
            with phases.phase("clocks"):
                readiness.set_clocks(home, topology)
        else:
            with phases.phase("boot") as say:
                readiness.wait(home, topology, say)
    except RackError:
        replace(entry, phase="not ready").write()
        raise
    if not loaded:
        with phases.phase("save state"):
            build = client.call("POST", "/save", timeout=client.LONG_S)["build"]
            home.saved.write_text(json.dumps({"build": build}), "utf-8")
    replace(entry, phase="ready").write()


def reset(topology: Topology, phases: Phases) -> None:
    """Every machine back to its pristine saved state, also one that is off.

    Raises `HostError` when no rack of this clone is up or it has no saved state.
    """
    with exclusive():
        entry = record.read()
        if entry is None or not entry.alive:
            raise HostError("no rack is up", "blackstart rack up")
        _refuse_foreign(entry, topology, take_over=False)
        if not entry.files().saved.exists():
            raise HostError("this rack has no saved state", "blackstart rack up --fresh")
        with phases.phase("restore"):
            client.call("POST", "/restore", timeout=client.LONG_S)
        _finish(entry, topology, phases, loaded=True)


def down() -> bool:
    """End whatever rack is up and remove all that it left; whether there was any."""
    with exclusive():
        return _remove()


def _remove() -> bool:
    entry = record.read()
    found = entry is not None or network.exists() or RUNTIME.exists()
    if entry is not None and entry.controller is not None:
        entry.controller.end(CONTROLLER_END_S)
    for machine in record.noted_machines():
        machine.end(0)
    for process in network.processes():
        process.end(STRAY_END_S)
    network.remove()
    if RUNTIME.exists():
        shutil.rmtree(RUNTIME)
    return found
