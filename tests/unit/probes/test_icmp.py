"""ICMP: real echoes on loopback, a real outage in a network namespace, real refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from blackstart.errors import ProbeBroken
from blackstart.probes.icmp import EchoSocket, IcmpProbe

NAMESPACE = ["unshare", "--net", "--map-root-user"]
PREPARE = "ip link set lo up; "
SILENCE = """
import json, time
from pathlib import Path
from blackstart.drivers.clock import SystemClock
from blackstart.model.samples import outages
from blackstart.probes.icmp import EchoSocket, IcmpProbe
from blackstart.probes.runner import ProbeRunner

ignore = Path("/proc/sys/net/ipv4/icmp_echo_ignore_all")
sockets, clock = EchoSocket(), SystemClock()
probes = [IcmpProbe(f"icmp {a}", f"guest/{a}", a, 0.5, sockets) for a in ("127.0.0.1", "127.0.0.2")]
lost = IcmpProbe("icmp lost", "guest/lost", "198.51.100.1", 0.5, sockets)
runner = ProbeRunner([*probes, lost], clock, 20.0)
runner.start()
time.sleep(0.7)
ignore.write_text("1"); fell = clock.monotonic()
time.sleep(1.0)
before_back = clock.monotonic(); ignore.write_text("0")
time.sleep(0.7)
*seen, unreachable = runner.stop()
print(json.dumps({
    "down_s": before_back - fell,
    "outages": [[o.model_dump() for o in outages(s.samples)] for s in seen],
    "broken": unreachable.broken,
}))
"""


def run_in_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NAMESPACE, "sh", "-c", PREPARE + 'exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def silence() -> dict[str, Any]:
    """What two probes saw when loopback stopped answering for about a second."""
    if run_in_namespace("true").returncode != 0:
        pytest.skip("no leave to make a network namespace (unshare --net)")
    done = run_in_namespace(sys.executable, "-c", SILENCE)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_outage_lies_between_its_bounds(silence: dict[str, Any]) -> None:
    for seen in silence["outages"]:
        (outage,) = seen
        assert outage["lower_s"] <= silence["down_s"] <= outage["upper_s"]
        assert outage["upper_s"] - outage["lower_s"] < 0.5


def test_no_route_is_this_machines_trouble_and_no_outage(silence: dict[str, Any]) -> None:
    assert "this machine cannot ask" in silence["broken"]
    assert "unreachable" in silence["broken"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may drop a privilege it has")
def test_no_permission_is_a_broken_probe_with_its_remedy() -> None:
    asking = (
        "import asyncio; from blackstart.probes.icmp import *;"
        "asyncio.run(IcmpProbe('icmp a','guest/a','127.0.0.1',1.0,EchoSocket()).ask())"
    )
    done = run_in_namespace("setpriv", "--bounding-set=-net_raw", sys.executable, "-c", asking)
    assert "ProbeBroken: no permission for ICMP; run as root" in done.stderr


async def test_loopback_answers() -> None:
    sockets = EchoSocket()
    asking = IcmpProbe("icmp a", "guest/a", "127.0.0.1", 1.0, sockets)
    try:
        answer = await asking.ask()
    except ProbeBroken:
        pytest.skip("no leave for ICMP here")
    finally:
        await asking.close()
    assert answer.ok
