"""When a rack is ready, and the clocks of machines that come back from a saved state."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from blackstart.rack import ssh
from blackstart.rack.errors import MachineError
from blackstart.rack.home import Home
from blackstart.rack.phases import Say
from blackstart.rack.topology import Machine, Topology

BOOT_LIMIT_S = 300.0
POLL_S = 2.0  # each question costs an emulated processor the time of an ssh login
CLOCK_LIMIT_S = 20.0
CLOCK_TOLERANCE_S = 2.0
NO_CONNECTION = 255
READY = """
ready=/usr/lib/blackstart-rack/ready
if [ -x $ready ]; then exec timeout 15 $ready; fi
state=$(timeout 10 systemctl is-system-running --wait)
[ "$state" = running ] && exit 0
echo "system is ${state:-starting}"; systemctl --failed --no-legend --plain | cut -d' ' -f1
exit 1
"""


def wait(home: Home, topology: Topology, say: Say) -> None:
    """Wait until every machine and its guests are ready, at most 300 s.

    Raises `MachineError` that names what is missing on which machine.
    """
    missing = {machine.name: "no ssh yet" for machine in topology.machines}
    deadline = time.monotonic() + BOOT_LIMIT_S

    def watch(machine: Machine) -> None:
        while machine.name in missing and time.monotonic() < deadline:
            lacking = _lacking(home, machine)
            if lacking is None:
                del missing[machine.name]
            else:
                missing[machine.name] = lacking
                time.sleep(POLL_S)

    with ThreadPoolExecutor(max_workers=len(missing)) as pool:
        watching = [pool.submit(watch, machine) for machine in topology.machines]
        while not all(future.done() for future in watching):
            time.sleep(0.2)
            say("; ".join(f"{name}: {what}" for name, what in sorted(missing.items())))
        for future in watching:
            future.result()
    if missing:
        what = "; ".join(f"{name}: {lacking}" for name, lacking in sorted(missing.items()))
        raise MachineError(
            f"not ready after {BOOT_LIMIT_S:g} s: {what}",
            f"look at it: blackstart rack ssh {min(missing)}",
        )


def _lacking(home: Home, machine: Machine) -> str | None:
    try:
        done = ssh.run(home, machine.address, READY, timeout=30.0)
    except subprocess.TimeoutExpired:
        return "ssh hangs"
    if done.returncode == NO_CONNECTION:
        _refuse_panic(home, machine)
        return "no ssh yet"
    if done.returncode == 0:
        return None
    return ", ".join((done.stdout + done.stderr).split("\n")).strip(", ") or "not ready"


def _refuse_panic(home: Home, machine: Machine) -> None:
    log = home.machine(machine.name).serial_log
    if "Kernel panic" in log.read_text("utf-8", errors="replace"):
        raise MachineError(f"{machine.name}: its kernel panicked", f"read the end of {log}")


def set_clocks(home: Home, topology: Topology) -> None:
    """Set every machine's clock from its hardware clock, and check it.

    A restored machine's clock is behind by the age of the saved state; its
    emulated hardware clock is right (hwclock(8)). Raises `MachineError` when a
    clock is not right within 20 s.
    """
    with ThreadPoolExecutor(max_workers=len(topology.machines)) as pool:
        for future in [pool.submit(_set_clock, home, m) for m in topology.machines]:
            future.result()


def _set_clock(home: Home, machine: Machine) -> None:
    deadline = time.monotonic() + CLOCK_LIMIT_S
    said = "no answer"
    while time.monotonic() < deadline:
        try:
            done = ssh.run(home, machine.address, "hwclock -s --utc && date +%s.%N", timeout=10.0)
        except subprocess.TimeoutExpired:
            continue
        said = (done.stdout + done.stderr).strip()
        if done.returncode == 0 and abs(float(done.stdout) - time.time()) < CLOCK_TOLERANCE_S:
            return
        time.sleep(0.2)
    raise MachineError(
        f"{machine.name}: its clock is not right after {CLOCK_LIMIT_S:g} s ({said})",
        "blackstart rack up --fresh",
    )
