"""Directories of drills that never ran, as the engine would leave them behind.

The journal goes through the real ``Journal``; the clock is set by hand, so that the same
story gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blackstart.model.differences import Difference
from blackstart.model.samples import Sample, Series
from blackstart.model.subjects import Subject, subject
from blackstart.model.verdict import Judgement, Verdict
from blackstart.safety.journal import Journal

BEGAN = 5000.0
WALL = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC
INJECTED = 18.0
PERIOD_S = 0.1
GUESTS = {
    "maas": "pve1",
    "docker1": "pve1",
    "k3s1": "pve1",
    "dns2": "pve2",
    "k3s2": "pve2",
    "k3s3": "pve2",
    "app1": "pve2",
}
Downs = Mapping[str, tuple[float, float]]
"""Per probe, from when to when it was down, in seconds from the injection."""

REBOOT_OF_PVE1: Downs = {
    "icmp pve1": (9.04, 47.62),
    "icmp maas": (3.21, 58.13),
    "icmp docker1": (3.33, 66.84),
    "icmp k3s1": (3.38, 71.27),
    "dns maas": (2.87, 60.31),
    "http web": (2.95, 82.55),
    "tcp k3s1": (3.02, 76.48),
}


@dataclass
class ScriptedClock:
    """Shows what it was set to."""

    now: float = BEGAN
    wall_began: float = WALL

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.wall_began + self.now - BEGAN

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def good(name: str, target: str, reason: str) -> Judgement:
    return Judgement(name=name, target=target, verdict=Verdict.PASS, reason=reason)


@dataclass
class Story:
    """What happened. ``stops_after`` cuts the journal behind that step, as a crash would."""

    downs: Downs = field(default_factory=lambda: dict(REBOOT_OF_PVE1))
    bit: bool = True
    refused: tuple[str, ...] = ()
    plan_only: bool = False
    extra: tuple[Judgement, ...] = ()
    differences: tuple[Difference, ...] = ()
    stops_after: str | None = None
    torn: bool = False
    silent: tuple[float, float] | None = None
    broken: Mapping[str, str] = field(default_factory=dict)
    more_guests: int = 0
    node: str = "pve1"
    guest_budget_s: float = 180.0
    wall_began: float = WALL

    @property
    def guests(self) -> dict[str, str]:
        return GUESTS | {f"extra{n:02d}": "pve2" for n in range(self.more_guests)}


class _Stopped(Exception):
    """The journal ends here."""


class _Writer:
    def __init__(self, directory: Path, story: Story, number: int) -> None:
        self.clock = ScriptedClock(wall_began=story.wall_began + 3600 * number)
        self.journal = Journal(directory, self.clock)
        self.story = story

    def at(self, seconds: float, step: str, **data: Any) -> None:
        self.clock.now = BEGAN + seconds
        self.journal.write(step, **data)
        if step == self.story.stops_after:
            raise _Stopped

    def phase(self, name: str, began: float, ended: float, *steps: tuple[float, str, dict]) -> None:  # type: ignore[type-arg]
        self.at(began, "phase.begin", phase=name)
        for seconds, step, data in steps:
            self.at(seconds, step, **data)
        self.at(ended, "phase.end", phase=name, ended="done")


def make(drills: Path, story: Story, number: int = 0) -> Path:
    """Write one drill's directory below ``drills`` and return it."""
    stamp = f"20260101-{number:02d}0000"
    directory = drills / f"{stamp}-test_node_reboot-{story.node}"
    writer = _Writer(directory, story, number)
    try:
        _tell(writer, story, directory)
    except _Stopped:
        if story.torn:
            with writer.journal.path.open("a") as torn:
                torn.write('{"seq": 99, "step": "fau')
    finally:
        writer.journal.close()
    return directory


def _tell(writer: _Writer, story: Story, directory: Path) -> None:
    named = {"fault": "reboot", "target": story.node}
    writer.at(0.0, "drill.begin", **_begin(story))
    guards = [
        (1.5, "guard.answer", {"guard": name, "refusal": None})
        for name in ("armed", "consent", "nothing-open", "healthy", "quorum", "out-of-band")
    ]
    writer.phase("guard", 0.0, 2.1, *guards)
    if story.refused:
        writer.at(2.2, "drill.end", verdict="unproven", refused=list(story.refused))
        return
    if story.plan_only:
        writer.at(2.2, "drill.end", verdict="unproven", plan_only=True)
        return
    writer.phase("baseline", 2.1, 17.4)
    plan = {
        **named,
        "rescue": ["ssh 10.77.0.11 'systemctl --failed; journalctl -b -p err'"],
        "prior": {"boot_id": "3f2a0c1e"},
    }
    writer.phase("arm", 17.4, 17.9, (17.5, "fault.planned", {"plan": plan}))
    proof = "boot id 3f2a0c1e became 91ad77b0" if story.bit else "pve1 runs on, boot id 3f2a0c1e"
    active = "fault.active" if story.bit else "fault.inactive"
    bitten = INJECTED + 49.0 if story.bit else INJECTED + 31.0
    writer.phase(
        "inject",
        17.9,
        bitten + 0.1,
        (INJECTED, "fault.injecting", named),
        (INJECTED + 0.3, "fault.injected", named),
        (bitten, active, {**named, "proof": proof}),
    )
    proven = {**named, "proof": "pve1 has ended its boot: running"}
    writer.phase(
        "revert",
        bitten + 0.1,
        74.6,
        (74.5, "fault.revert-proven", proven),
        (74.5, "fault.closed", {**named, "how": "reverted"}),
    )
    if story.bit:
        text = "9 of 16 answer; waiting for guest/k3s1, service/web"
        writer.phase("recover", 74.6, 112.0, (75.0, "recover.progress", {"text": text}))
    (directory / "samples.json").write_text(_samples(story))
    writer.at(112.1, "phase.begin", phase="judge")
    judged = (*(_passes(story) if story.bit else ()), *story.extra)
    for judgement in judged:
        writer.at(114.0, "judgement", **judgement.model_dump(mode="json"))
    changed = [item.model_dump(mode="json") for item in story.differences]
    writer.at(114.1, "differences", differences=changed)
    writer.at(114.2, "phase.end", phase="judge", ended="done")
    verdicts = {item.verdict for item in judged}
    order = (Verdict.FAIL, Verdict.UNPROVEN, Verdict.PASS)
    writer.at(114.3, "drill.end", verdict=next(item for item in order if item in verdicts))


def _begin(story: Story) -> dict[str, Any]:
    return {
        "scenario": f"test_node_reboot[{story.node}]",
        "test": f"scenarios/test_node_reboot.py::test_node_reboot[{story.node}]",
        "site": "rack",
        "targets": [story.node],
        "fault": "reboot",
        "budget_s": 480.0,
        "hold_s": 10.0,
        "parts": {
            "real": ["Linux kernel and systemd", "corosync quorum", "ISC dhcpd, BIND", "Docker"],
            "stand_in": ["Proxmox VE API", "k3s API"],
        },
        "environment": {"QEMU": "7.2.22", "acceleration": "tcg (emulated)"},
        "subjects": [item.model_dump(mode="json") for item in _subjects(story)],
    }


def _subjects(story: Story) -> list[Subject]:
    def under(guest: str) -> str:
        return subject("guest", guest)

    def one(name: str, carrier: str | None, budget_s: float) -> Subject:
        return Subject(name=name, under=carrier, budget_s=budget_s)

    nodes = [one(subject("node", name), None, 240.0) for name in ("pve1", "pve2", "nas1")]
    guests = [
        one(subject("guest", name), subject("node", node), story.guest_budget_s)
        for name, node in story.guests.items()
    ]
    served = [one(subject("dns", name), under(name), 120.0) for name in ("maas", "dns2")]
    served.append(one(subject("service", "web"), under("docker1"), 240.0))
    served += [
        one(subject("service", name), under(name), 240.0) for name in ("k3s1", "k3s2", "k3s3")
    ]
    return [*nodes, *guests, *served]


def _probes(story: Story) -> list[tuple[str, str, str]]:
    icmp = [("icmp", name, subject("node", name)) for name in ("pve1", "pve2", "nas1")]
    icmp += [("icmp", name, subject("guest", name)) for name in story.guests]
    dns = [("dns", name, subject("dns", name)) for name in ("maas", "dns2")]
    http = [("http", "web", subject("service", "web"))]
    tcp = [("tcp", name, subject("service", name)) for name in ("k3s1", "k3s2", "k3s3")]
    return [*icmp, *dns, *http, *tcp]


def _samples(story: Story) -> str:
    series = [
        _series(story, f"{kind} {name}", kind, full_name)
        for kind, name, full_name in _probes(story)
    ]
    return json.dumps([json.loads(item.model_dump_json()) for item in series])


def _series(story: Story, probe: str, kind: str, full_name: str) -> Series:
    period_s = 0.2 if kind == "dns" else PERIOD_S
    fell, back = story.downs.get(probe, (1e9, 1e9)) if story.bit else (1e9, 1e9)
    quiet = story.silent or (1e9, 1e9)
    samples = []
    for index in range(round((112.0 - 2.3) / period_s)):
        since = 2.3 + index * period_s - INJECTED
        if quiet[0] <= since < quiet[1]:
            continue
        up = not fell <= since < back
        samples.append(
            Sample(
                at=round(BEGAN + INJECTED + since, 3),
                ok=up,
                latency_s=0.004 if up else 2.0,
                detail="" if up else "no answer within 2 s",
            )
        )
    broken = story.broken.get(probe)
    return Series(
        probe=probe,
        kind=kind,
        subject=full_name,
        period_s=period_s,
        samples=() if broken else tuple(samples),
        broken=broken,
    )


def _passes(story: Story) -> tuple[Judgement, ...]:
    failed = {(item.name, item.target) for item in story.extra}
    back = [name for name, node in GUESTS.items() if node == "pve1"]
    every = [
        *(good("guests-boot", name, f"{name} is back in its budget") for name in back),
        *(
            good("names-resolve", f"{server}/{name}.rack.test", "the declared address")
            for server in ("maas", "dns2")
            for name in GUESTS
        ),
        good("containers-run", "web", "1 of 1 services run, the sentinel is intact"),
        *(good("addresses-stable", name, "MAC, address and DNS agree") for name in GUESTS),
        good("nothing-else-changed", "rack", "no undeclared difference"),
    ]
    return tuple(item for item in every if (item.name, item.target) not in failed)


PASSED = Story()
FAILED = Story(
    downs={**REBOOT_OF_PVE1, "icmp k3s1": (3.38, 1e6), "tcp k3s1": (3.02, 1e6)},
    extra=(
        Judgement(
            name="guests-boot",
            target="k3s1",
            verdict=Verdict.FAIL,
            reason="stopped: pve1 has ended its start of all guests, and k3s1 has onboot: 0",
            evidence=("api GET nodes/pve1/qemu/114/config: onboot absent", "icmp k3s1: 1087 lost"),
        ),
        Judgement(
            name="nothing-else-changed",
            target="rack",
            verdict=Verdict.FAIL,
            reason="2 undeclared differences",
            evidence=("guests/k3s1/status: running -> stopped",),
        ),
    ),
    differences=(
        Difference(
            path="hosts/pve1/boot_id", before="3f2a0c1e", after="91ad77b0", klass="expected"
        ),
        Difference(path="guests/k3s1/status", before="running", after="stopped", klass="identity"),
        Difference(
            path="hosts/pve1/failed_units/smartd.service",
            before="absent",
            after="smartd.service",
            klass="set",
            tolerated="no disks to watch on the rack",
        ),
        Difference(path="hosts/pve1/uptime_s", before="900", after="40", klass="volatile"),
    ),
)
DID_NOT_BITE = Story(
    bit=False,
    extra=(
        Judgement(
            name="fault-bit",
            target="pve1",
            verdict=Verdict.UNPROVEN,
            reason="the fault did not bite: pve1 runs on, boot id 3f2a0c1e",
        ),
    ),
)
REFUSED = Story(refused=("consent: pve1 has not opted in to reboot",))
CRASHED = Story(stops_after="fault.injected", torn=True)
