"""What the rack's own question for readiness asks of k3s, against the stand-in."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from blackstart.rack.seed import files
from tests.contract.k3s_cluster import TOKEN, Cluster, await_that, cluster

READY = files.TREES / "machine/usr/lib/blackstart-rack/ready"


def nodes(home: Path, made: Cluster, token: str = TOKEN) -> str:
    """What the program's own function ``nodes`` prints of a member."""
    (home / "ca.crt").write_bytes(made.authority.ca.read_bytes())
    (home / "k3s-token").write_text(token)
    (function,) = re.findall(r"(?ms)^nodes\(\) \{.*?^\}", READY.read_text("utf-8"))
    script = f"here={home}\n{function.replace(':6443', f':{made.port}')}\nnodes $1\n"
    done = subprocess.run(
        ["bash", "-c", script, "ready", made.members["k3s1"]],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert token not in done.stderr
    return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "hypervisor"
    path.mkdir()
    return path


def test_a_cluster_is_ready_with_its_token_its_quorum_and_its_nodes(
    home: Path, tmp_path: Path
) -> None:
    with cluster(tmp_path) as made:
        told = nodes(home, made)
        assert "NodeList" in told
        assert "NodeStatusUnknown" not in told
        assert nodes(home, made, "wrong") == ""
        made.stop("k3s3")
        made.settles("k3s1", k3s3=False)
        assert "NodeStatusUnknown" in nodes(home, made)
        made.stop("k3s2")
        await_that(lambda: nodes(home, made) == "")
