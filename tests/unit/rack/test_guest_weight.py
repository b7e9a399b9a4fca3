"""To the OOM killer a guest weighs what its memory is, also when it is promised too much."""

from __future__ import annotations

import subprocess

import pytest

from blackstart.rack.seed.files import TREES

PROGRAM = TREES / "hypervisor/usr/lib/blackstart-rack/guest"
HOST_KB = 2_150_000


def weight(memory_mib: int) -> int:
    """As the program's own lines reckon it, on a hypervisor of the rack's size."""
    lines = [line for line in PROGRAM.read_text().splitlines() if "weight" in line]
    assert "--oom-score-adjust=" in lines[-1]
    script = "\n".join([f"memory={memory_mib} total={HOST_KB}", *lines[:-1], 'echo "$weight"'])
    done = subprocess.run(["sh", "-euc", script], capture_output=True, check=True, timeout=10)
    return int(done.stdout)


@pytest.mark.parametrize(
    ("memory_mib", "thousandths"), [(192, 91), (384, 182), (2048, 975), (2304, 1000), (8192, 1000)]
)
def test_weight_is_the_share_of_the_hosts_memory_up_to_all_of_it(
    memory_mib: int, thousandths: int
) -> None:
    """More than 1000 is refused (proc(5), oom_score_adj), and the guest would not start."""
    assert weight(memory_mib) == thousandths
