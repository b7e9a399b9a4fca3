"""Starting the rack's controller process, and waiting for its answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict

from blackstart.rack import client, network
from blackstart.rack.command import SYSTEM_PATH
from blackstart.rack.controller import Settings
from blackstart.rack.errors import MachineError, RackError
from blackstart.rack.home import CLONE, Home
from blackstart.rack.record import Process, Record

CONTROLLER_START_S = 150.0


def start(settings: Settings, home: Home) -> Process:
    words = [
        "nsenter",
        f"--net={network.HANDLE}",
        sys.executable,
        "-P",
        "-m",
        "blackstart.rack.controller",
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(CLONE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": SYSTEM_PATH,
    }
    with home.controller_log.open("w") as log:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(settings)))
    process.stdin.close()
    started = Process.of(process.pid)
    if started is None:
        raise RackError("the controller ended at once", f"read {home.controller_log}")
    return started


def await_answer(entry: Record) -> None:
    """Wait until all machines are switched on and the command socket answers."""
    deadline = time.monotonic() + CONTROLLER_START_S
    log = entry.files().controller_log
    while time.monotonic() < deadline:
        if not entry.alive:
            said = log.read_text(errors="replace").strip().splitlines() or ["no output"]
            raise MachineError(f"the controller ended: {said[-1]}", f"read {log}")
        try:
            client.call("GET", "/", timeout=2.0)
        except RackError:
            time.sleep(0.1)
        else:
            return
    raise MachineError(f"the machines did not start in {CONTROLLER_START_S:g} s", f"read {log}")
