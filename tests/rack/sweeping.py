"""What the kill sweep on the rack is made of: points, a harness to kill, and what is left of it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blackstart.faults.base import PLAN, Plan, Reversibility
from blackstart.faults.reboot import LOOK
from blackstart.incident.records import digest
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory
from blackstart.model.undo import Redeploy, StartGuest
from blackstart.safety.journal import journals, read
from blackstart.safety.open_faults import PLANNED
from tests.rack import kill_at
from tests.rack.command import rack
from tests.rack.drills import INVENTORY, ROOT

GRACE_S = 10.0
LOOKS_AT_ONCE = 4
LOOK_S = 60.0
UNHEARD = 255
"""Exit code of a look at a host that did not answer, as of ssh(1)."""
GUEST_START_S = 25.0
"""What a dead-man may take for each start of a guest: emulated, `qm start` and its proof took 24 s
(drill test_guest_stop[app1])."""
HARNESS_S = 900.0
GUARDED = (
    *("deadman.armed", "fault.injecting", "fault.injected", "fault.active"),
    *("fault.revert-tried", "fault.revert-proven"),
)
BY_ITSELF = (
    *("fault.planned", "fault.injecting", "fault.injected", "fault.active"),
    "fault.revert-proven",
)
DRILLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "reboot": ("test_node_reboot.py::test_node_reboot[pve2]", BY_ITSELF),
    "power-cut": ("test_node_reboot.py::test_power_cut[pve2]", BY_ITSELF),
    "cold-start": ("test_cold_start.py::test_cold_start[rack]", BY_ITSELF),
    "nas-stop": ("test_nas_outage.py::test_nas_stops[nas1]", GUARDED),
    "nas-block": ("test_nas_outage.py::test_nas_is_cut_off[nas1]", GUARDED),
    "nas-stale": ("test_nas_outage.py::test_nas_handles_go_stale[nas1]", GUARDED),
    "memory-oom": ("test_memory_pressure.py::test_memory_until_oom[pve2]", GUARDED),
    "memory-share": ("test_memory_pressure.py::test_memory_share_of_a_guest[docker1]", GUARDED),
    "service-restart": ("test_service_restart.py::test_docker_restart[docker1]", GUARDED),
    "service-stop": ("test_maas_outage.py::test_name_server_away[maas]", GUARDED),
    "guest-reboot": ("test_maas_restart.py::test_maas_guest_reboot[maas]", BY_ITSELF),
    "lease-renewal": ("test_maas_restart.py::test_lease_renewal[k3s1]", BY_ITSELF),
    "image-sync": ("test_maas_images.py::test_image_sync[maas]", GUARDED),
    "guest-stop": ("test_guest_stop.py::test_guest_stop[app1]", GUARDED),
    "containers-lost": ("test_guest_stop.py::test_containers_lost[docker1]", GUARDED),
}
"""Each fault with one drill, and the steps at which its harness dies."""
WITHOUT_UNDO = frozenset({"guest-reboot", "lease-renewal"})
"""Faults of a guest that heal by themselves: it must answer again at its declared address."""
NOT_YET = frozenset({"fault.planned", "deadman.armed", "fault.injecting"})
"""Steps after which nothing is broken yet."""
POINTS = tuple((name, step) for name, (_, steps) in DRILLS.items() for step in steps)

# Ours by name; the rack's own things are called blackstart-rack and are none of a drill's. The
# patterns do not match themselves: this script is in the command line of its own shell.
TRACES = r"""
systemctl list-units --all --plain --no-legend 'blackstart-deadman-*' 'blackstart-fill-*'
ls -d /var/lib/blackstart /run/blackstart /etc/systemd/system/blackstart-* \
    /etc/systemd/system/*.wants/blackstart-deadman-* 2>/dev/null | grep -v blackstart-rack
grep -o ' /[r]un/blackstart/[^ ]*' /proc/mounts
command -v nft >/dev/null && nft list tables | grep blackstart_
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -oE '/([r]un|[v]ar/lib)/blackstart/[^ ]*'
true
"""


@dataclass
class Room:
    """Where one sweep keeps its drills' journals and its results."""

    directory: Path
    inventory: Inventory = field(default_factory=lambda: load(INVENTORY))
    code: str = field(default_factory=lambda: digest(ROOT / "blackstart", ROOT / "scenarios"))

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)

    def result(self, point: str) -> Path:
        """Where a point's result lies."""
        return self.directory / f"{point}.json"

    def is_good(self, point: str) -> bool:
        """Whether it was swept before and was good, with the very code of today."""
        path = self.result(point)
        if not path.exists():
            return False
        kept = json.loads(path.read_text())
        return kept["good"] is True and kept.get("code") == self.code

    def keep(self, point: str, **data: Any) -> None:
        """Write a result, whole or not at all."""
        part = self.result(point).with_suffix(".part")
        kept = {"point": point, "code": self.code, **data}
        part.write_text(json.dumps(kept, indent=1) + "\n")
        part.replace(self.result(point))

    def drills(self, point: str) -> Path:
        """Where the point's drill keeps its journal."""
        return self.directory / "drills" / point

    def harness(self, test: str, point: str, step: str | None) -> subprocess.Popen[str]:
        """Start a drill as a person does, in a session of its own; it dies at ``step``."""
        words = [sys.executable, "-m", "pytest", f"scenarios/{test}"]
        words += ["--inventory", str(INVENTORY), "--arm", "rack"]
        words += ["--drills", str(self.drills(point))]
        environment = dict(os.environ)
        if step is not None:
            words += ["-p", "tests.rack.kill_at"]
            environment[kill_at.VARIABLE] = step
        with self.directory.joinpath(f"{point}.log").open("w") as log:
            return subprocess.Popen(
                words,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def plan(self, point: str) -> Plan:
        """The plan that the drill wrote down before it touched anything; its first fault's."""
        (journal,) = journals(self.drills(point))
        planned, *_ = read(journal).of(PLANNED)
        return PLAN.validate_python(planned.data["plan"])

    def recover(self, point: str) -> subprocess.CompletedProcess[str]:
        """``blackstart recover``, as a person calls it."""
        words = ["recover", "--inventory", str(INVENTORY)]
        return subprocess.run(
            [sys.executable, "-m", "blackstart", *words, "--drills", str(self.drills(point))],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=HARNESS_S,
            check=False,
        )


def died(harness: subprocess.Popen[str]) -> bool:
    """Whether it was killed, and not ended; waits for it. Kills what does not end."""
    try:
        code = harness.wait(HARNESS_S)
    except subprocess.TimeoutExpired:
        os.killpg(harness.pid, signal.SIGKILL)
        harness.wait(10)
        raise
    return code == -signal.SIGKILL


def survivors(session: int) -> list[int]:
    """Processes of the harness's session that are still there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def asked(host: str, script: str) -> subprocess.CompletedProcess[str]:
    """A command on a machine or guest, over an ssh that is not the harness's.

    A machine whose memory is being exhausted hears nobody; that is an answer, too.
    """
    try:
        return rack("ssh", host, "--", script, timeout=LOOK_S, check=False)
    except subprocess.TimeoutExpired as error:
        return subprocess.CompletedProcess(error.cmd, UNHEARD, "", f"nothing within {LOOK_S} s")


def ill(plan: Plan, *, broken: bool) -> list[str]:
    """What is not healed yet: undo actions that do not hold, machines that have not booted.

    ``broken`` says that the fault had been injected: then a machine must show another boot.
    """
    looks: dict[str, dict[str, str]] = {}
    for action in plan.undo:
        host = action.on(plan.undo_host or plan.target)
        looks.setdefault(host, {})[action.proof()] = action.kind
    if plan.deadman is not None:
        there = f"! [ -e {plan.deadman.home} ]"
        looks.setdefault(plan.deadman.host, {})[there] = "its dead-man is there"
    if plan.fault in WITHOUT_UNDO:
        looks.setdefault(plan.target, {})["true"] = "it does not answer"
    found = [problem for host, proofs in looks.items() for problem in _unproven(host, proofs)]
    found += (problem for host in plan.nodes_down if (problem := _boot(plan, host, broken)))
    return found


def _unproven(host: str, proofs: Mapping[str, str]) -> list[str]:
    """What of these does not hold, by its name; all of a host in one look, for looks take time."""
    lines = [
        f"sh -c {shlex.quote(proof)} >/dev/null 2>&1 || echo {number}"
        for number, proof in enumerate(proofs)
    ]
    answer = asked(host, "\n".join([*lines, "echo end"]))
    names, said = list(proofs.values()), answer.stdout.split()
    if answer.returncode != 0 or not said or said.pop() != "end":
        return [f"{host}: no answer"]
    return [f"{host}: {names[int(number)]}" for number in said]


def _boot(plan: Plan, host: str, broken: bool) -> str | None:
    """Why a machine is not there (again), ``None`` when it is."""
    before = plan.prior["boot_id"]
    seen = asked(host, LOOK).stdout.split()
    if len(seen) != 2 or seen[1] not in {"running", "degraded"}:
        return f"{host}: {' '.join(seen) or 'no answer'}"
    same = seen[0] == (before[host] if isinstance(before, dict) else before)
    return f"{host}: the same boot as before" if broken and same else None


def allowed_s(plan: Plan, inventory: Inventory) -> float:
    """How long healing may take without a harness: the lease and 10 s, and what boots."""
    allowed = 0.0 if plan.deadman is None else plan.deadman.lease_s + GRACE_S
    allowed += GUEST_START_S * sum(isinstance(action, StartGuest) for action in plan.undo)
    for action in plan.undo:
        if isinstance(action, Redeploy):
            allowed += inventory.guests[action.guest].budget
    if plan.fault in WITHOUT_UNDO:
        allowed += inventory.guests[plan.target].budget
    if plan.reversibility is Reversibility.SELF_HEALING and plan.nodes_down:
        boots = (inventory.nodes[name].boot_budget for name in plan.nodes_down)
        allowed += max(boots) + plan.off_s + max(plan.later_s.values(), default=0.0)
    return allowed


def healed_after(plan: Plan, inventory: Inventory, *, broken: bool) -> tuple[float, list[str]]:
    """Seconds until nothing was ill any more, or what still was when the time was over."""
    began = time.monotonic()
    while True:
        left = ill(plan, broken=broken)
        took = time.monotonic() - began
        if not left or took > allowed_s(plan, inventory):
            return took, left
        time.sleep(0.5)


def traces(inventory: Inventory) -> list[str]:
    """All that any drill has left anywhere on the site."""
    hosts = [*inventory.nodes, *(name for name, guest in inventory.guests.items() if guest.ssh)]
    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        answers = list(pool.map(lambda host: asked(host, TRACES), hosts))
    found = []
    for host, answer in zip(hosts, answers, strict=True):
        said = answer.stdout.splitlines() if answer.returncode == 0 else ["cannot be looked at"]
        found += [f"{host}: {line}" for line in said]
    return found
