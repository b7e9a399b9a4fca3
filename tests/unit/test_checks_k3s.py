"""Every check of k3s shown green, red, unproven, and not applicable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from blackstart.model.facts import Observed
from blackstart.model.k3s_facts import K3sFacts, K3sNode, K3sServer
from tests.unit.test_plugin import ROOT, inventory_text

CONFTEST = """
import pytest
from blackstart.model.facts import SiteFacts

@pytest.fixture(scope="session")
def facts():
    return SiteFacts.model_validate_json({text!r})
"""


def seen(value: Any, source: str) -> Observed[Any]:
    return Observed[Any](value=value, source=source)


def server(address: str, **changes: Any) -> K3sServer:
    """A server of which all is well but for the facts in ``changes``."""
    made = K3sServer(
        address=address,
        failing=seen((), f"readyz {address}"),
        carried=seen((address, "127.0.0.1"), f"tls {address}"),
        verified=seen(True, f"tls {address}"),
    )
    return made.model_copy(update=changes)


def node(name: str, address: str, **changes: Any) -> K3sNode:
    made = K3sNode(name=name, ready=True, why="KubeletReady", addresses=(address,))
    return made.model_copy(update=changes)


def cluster(nodes: list[K3sNode], servers: dict[str, K3sServer]) -> K3sFacts:
    return K3sFacts(
        version=seen("v1.33.6+k3s1", "api"), nodes=seen(tuple(nodes), "api nodes"), servers=servers
    )


WELL = cluster(
    [node("k1", "10.0.0.104"), node("k3s-vm-2", "10.0.0.9")],
    {"k1": server("10.0.0.104"), "10.0.0.9:6443": server("10.0.0.9")},
)


def check(
    pytester: pytest.Pytester, k3s: K3sFacts | None, servers: list[str] | None = None
) -> pytest.RunResult:
    document = json.loads(inventory_text())
    if servers is not None:
        document["k3s"] = {"servers": servers, "token": "env:T", "ca": "file:/etc/ca.pem"}
    pytester.makefile(".yaml", lab=json.dumps(document))
    facts = {"taken_at": 0.0, "k3s": k3s.model_dump(mode="json") if k3s is not None else None}
    pytester.makeconftest(CONFTEST.format(text=json.dumps(facts)))
    source = Path(ROOT / "checks" / "test_k3s.py").read_text()
    pytester.path.joinpath("test_k3s.py").write_text(source)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", "-rs", timeout=120)


def test_a_healthy_cluster_is_green_by_names_and_by_addresses(pytester: pytest.Pytester) -> None:
    result = check(pytester, WELL, ["k1", "10.0.0.9:6443"])
    result.assert_outcomes(passed=6)
    assert result.ret == 0


ILL: list[tuple[K3sNode, K3sServer, str]] = [
    (
        node("silent", "10.0.0.1", ready=False, why="NodeStatusUnknown: no news"),
        server("10.0.0.1"),
        "*silent is not ready: NodeStatusUnknown: no news (api nodes); journalctl -u k3s on it*",
    ),
    (
        node("alone", "10.0.0.2"),
        server("10.0.0.2", failing=seen(("etcd failed",), "readyz alone")),
        "*10.0.0.2:6443 fails etcd failed (readyz alone)*",
    ),
    (
        node("k1", "10.0.0.220"),
        server("10.0.0.104"),
        "*k1 is known at 10.0.0.220, the inventory declares 10.0.0.104 (api nodes); "
        "reserve 10.0.0.104 for its MAC*",
    ),
    (
        node("moved", "10.0.0.4"),
        server("10.0.0.4", carried=seen(("10.0.0.221",), "tls moved")),
        "*10.0.0.4:6443's certificate is for 10.0.0.221, not for 10.0.0.4 (tls moved); reserve*",
    ),
    (
        node("late", "10.0.0.5"),
        server("10.0.0.5", verified=seen(False, "tls late: certificate has expired")),
        "*10.0.0.5:6443's certificate fails (tls late: certificate has expired)*",
    ),
]


def test_each_is_red_with_both_sides_and_its_fix(pytester: pytest.Pytester) -> None:
    servers = {"k1" if item[0].name == "k1" else f"{item[1].address}:6443": item[1] for item in ILL}
    lines = [said for _, _, said in ILL]
    servers["10.0.0.6:6443"] = server("10.0.0.6")
    lines.append("*no node is named 10.0.0.6:6443 or known at 10.0.0.6 (api nodes: silent, *)*")
    ill = cluster([item[0] for item in ILL], servers)
    result = check(pytester, ill, list(servers))
    # The server without a node fails two of its three checks, every other one of its.
    result.assert_outcomes(failed=len(ILL) + 2, passed=2 * len(ILL) + 1)
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(lines)


def lost(source: str) -> Observed[Any]:
    return Observed[Any](source=source, error="401 Unauthorized")


def test_what_cannot_be_read_is_unproven(pytester: pytest.Pytester) -> None:
    dark = {name: lost(f"{name} of k1") for name in ("failing", "carried", "verified")}
    facts = cluster([], {"k1": server("10.0.0.104", **dark)})
    facts = facts.model_copy(update={"nodes": lost("api nodes")})
    result = check(pytester, facts, ["k1", "10.0.0.9:6443"])
    result.assert_outcomes(failed=6)
    assert result.ret == 3
    result.stdout.fnmatch_lines_random(
        [
            "*api nodes: 401 Unauthorized*",
            "*carried of k1: 401*",
            "*nobody looked at 10.0.0.9:6443*",
        ]
    )


def test_a_site_without_k3s_is_skipped_with_the_reason(pytester: pytest.Pytester) -> None:
    result = check(pytester, None)
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["*declares nothing that serves k3s*"])
    assert result.ret == 3, "a run of skips alone proves nothing"
