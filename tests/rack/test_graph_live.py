"""The deadlock of NFS by name (outage of April 2026) in the picture of a real rack.

The picture is left in ``reports/boot-graph/`` for a person to look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from blackstart.incident.known import Known
from blackstart.incident.loading import load as load_incident
from blackstart.incident.model import Drift, Step
from blackstart.inventory_file import load
from tests.rack.command import on
from tests.rack.drills import INVENTORY, ROOT
from tests.rack.typed import Typed, as_new, typed

__all__ = ["as_new"]
INCIDENT, DRIFT = "2026-04-13-nas-mounts-after-power-loss", "mounts-as-they-were"
PICTURES = ROOT / "reports" / "boot-graph"
GRAPH_S = 180.0
SERVER = "nas1.rack.test"

pytestmark = pytest.mark.timeout(1800)


def run(steps: tuple[Step, ...]) -> None:
    for step in steps:
        on(step.host, step.run, timeout=step.timeout)


@pytest.fixture(scope="module")
def drift() -> Drift:
    """The incident's own, as it is replayed."""
    known = Known.of(ROOT / "checks", ROOT / "scenarios", load(INVENTORY))
    return load_incident(ROOT / "incidents" / INCIDENT, known).drifts[DRIFT]


@pytest.fixture(scope="module")
def drifted(as_new: None, drift: Drift) -> Iterator[None]:
    """Both hypervisors mount the NAS by its name and wait for it; mended afterwards."""
    try:
        run(drift.apply)
        yield
    finally:
        run(drift.fix)


def graph(name: str) -> tuple[Typed, dict[str, Any], str]:
    """How ``blackstart graph`` ended, what it wrote as JSON, and its picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    svg, data = PICTURES / f"{name}.svg", PICTURES / f"{name}.json"
    for file in (svg, data):
        file.unlink(missing_ok=True)
    words = ("graph", "--inventory", str(INVENTORY), "--svg", str(svg), "--json", str(data))
    done = typed(*words, within_s=GRAPH_S)
    print(svg)
    return done, json.loads(data.read_text("utf-8")), svg.read_text("utf-8")


def test_a_healthy_rack_waits_for_nothing_of_its_own(as_new: None) -> None:
    done, told, svg = graph("healthy")
    assert (done.code, told["decision"], told["cycles"]) == (0, "go", [])
    assert "waits for itself" in svg, "the legend: texts of the picture are in it as comments"
    assert not [item["id"] for item in told["parts"] if item["id"].startswith("name/")]


def test_nfs_by_name_is_a_cycle_with_its_two_lines(drifted: None) -> None:
    done, told, svg = graph("nfs-by-name")
    assert (done.code, told["decision"]) == (1, "no-go")
    for host in ("pve1", "pve2"):
        (cycle,) = (item for item in told["cycles"] if f"boot/{host}" in item["parts"])
        assert cycle["kind"] == "deadlock"
        assert {f"mount/{host}-vms", f"name/{SERVER} for {host}"} <= {*cycle["parts"]}
        entry, server = cycle["evidence"]
        assert entry.startswith(f"{host}:/etc/fstab:") or entry.startswith(
            f"ssh {host}: /etc/fstab"
        )
        assert f"{SERVER}:/export/vms /mnt/nas/vms nfs" in entry
        assert "inventory: dns.servers." in server
        assert f" is on {host}" in server
        assert "/etc/fstab" in cycle["fix"]
        assert entry in done.said
        assert server in done.said
        # Cut at the edge of its lane, each line begins as it does here.
        for text in (entry, server):
            assert text[:40] in svg
    assert SERVER in svg
