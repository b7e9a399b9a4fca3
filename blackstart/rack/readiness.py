"""When a rack is ready, and the clocks of machines that come back from a saved state."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from shlex import quote
from threading import Event

from blackstart.rack import ssh
from blackstart.rack.errors import MachineError
from blackstart.rack.home import Home
from blackstart.rack.phases import Say
from blackstart.rack.topology import Machine, Topology

BOOT_LIMIT_S = 420.0
LOGIN_PAUSE_S = 2.0
CLOCK_LIMIT_S = 20.0
CLOCK_TOLERANCE_S = 2.0
NO_CONNECTION = 255
# Asked over one connection: a login costs an emulated processor a second, a question little.
ASK = """
while :; do
    missing=$(timeout 15 /usr/lib/blackstart-rack/ready) && exit 0
    echo "$missing" | tr '\\n' ' '
    echo
    sleep 10
done
"""


def wait(home: Home, topology: Topology, say: Say) -> None:
    """Wait until every machine and its guests are ready, at most 420 s.

    Raises `MachineError` that names what is missing on which machine.
    """
    missing = {machine.name: "no ssh yet" for machine in topology.machines}
    deadline = time.monotonic() + BOOT_LIMIT_S
    given_up = Event()

    def watch(machine: Machine) -> None:
        while not given_up.wait(LOGIN_PAUSE_S) and time.monotonic() < deadline:
            missing[machine.name] = "no ssh yet"
            for lacking in _ask(home, machine, deadline):
                missing[machine.name] = lacking
            if not missing[machine.name]:
                del missing[machine.name]
                return

    def shown() -> str:
        return "; ".join(f"{name}: {what}" for name, what in sorted(missing.copy().items()))

    with ThreadPoolExecutor(max_workers=len(missing)) as pool:
        watching = [pool.submit(watch, machine) for machine in topology.machines]
        while not all(future.done() for future in watching):
            done, _ = futures.wait(watching, timeout=0.5, return_when=futures.FIRST_EXCEPTION)
            if any(future.exception() for future in done):
                given_up.set()
            say(shown())
    for future in watching:
        future.result()
    if missing:
        raise MachineError(
            f"not ready after {BOOT_LIMIT_S:g} s: {shown()}",
            f"look at it: blackstart rack ssh {min(missing)}",
        )


def _ask(home: Home, machine: Machine, deadline: float) -> Iterator[str]:
    """What the machine lacks, again and again over one connection; at the end nothing ("")."""
    limit = max(1.0, deadline - time.monotonic())
    command = ssh.arguments(home, machine.address, ["sh", "-c", quote(ASK)])
    with subprocess.Popen(
        ["timeout", f"{limit:g}", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield line.strip()
    if process.returncode == 0:
        yield ""
    elif process.returncode == NO_CONNECTION:
        _refuse_panic(home, machine)


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
