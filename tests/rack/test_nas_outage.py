"""The NAS drills on real machines: real clients really hang, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.inventory_file import load
from tests.rack.command import on, rack
from tests.rack.drills import BOUND_S, INVENTORY, DrillRoom

RESET_S = 120.0
FILE = "test_nas_outage.py"
MOUNTS = load(INVENTORY).mounts

pytestmark = pytest.mark.timeout(BOUND_S + 2 * RESET_S)


@pytest.fixture(scope="module", autouse=True)
def begins_pristine() -> None:
    """Whoever had the rack before left no drift in it."""
    rack("reset", timeout=RESET_S)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[DrillRoom]:
    """A place to drill; the rack is as new afterwards, whatever happened."""
    yield DrillRoom(tmp_path)
    rack("reset", timeout=RESET_S)


def exported() -> str:
    """What the NAS exports, and whatever a fault of ours could have left on it."""
    return on(
        "nas1",
        "exportfs -s; systemctl is-active nfs-server; nft list tables; "
        "ls -d /var/lib/blackstart /etc/systemd/system/blackstart-* 2>/dev/null; true",
    )


@pytest.mark.parametrize(
    ("scenario", "shown"),
    [
        ("test_nas_stops", "hangs: no answer within"),
        ("test_nas_is_cut_off", "hangs: no answer within"),
        ("test_nas_handles_go_stale", "is stale: Permission denied"),  # as NFS 4.2 says it
    ],
)
def test_clients_show_it_and_find_their_nas_again(
    room: DrillRoom, scenario: str, shown: str
) -> None:
    before = exported()
    told = room.run(scenario, "nas1", file=FILE)
    assert told.exit_code == 0
    assert told.summary["verdict"] == "pass"
    for host in {mount.host for mount in MOUNTS.values()}:
        assert f"on {host} {shown}" in told.summary["proof"]
    judged = {name for name, _ in told.in_summary("pass")}
    assert judged >= {"mounts-answer", "guests-boot", "services-answer", "nothing-else-changed"}
    assert exported() == before
    for host in {mount.host for mount in MOUNTS.values()}:
        # Questions to a dead server, of the probes, the facts and the fault: all have ended.
        assert on(host, "pgrep -x stat || echo none") == "none"


def test_an_export_that_the_restart_loses(room: DrillRoom) -> None:
    """Somebody changed the file and did not apply it: nobody notices until the server starts."""
    on("nas1", "sed -i 's|^\\(/export/backups\\) .*|\\1 192.0.2.0/24(rw,fsid=2)|' /etc/exports")
    lost = [name for name, mount in MOUNTS.items() if mount.export == "/export/backups"]
    soon = {f"mounts/{name}": "60s" for name in MOUNTS}
    told = room.run("test_nas_stops", "nas1", soon, file=FILE)
    assert told.exit_code == 1
    failed = told.in_summary("fail")
    for name in lost:
        assert "does not answer" in failed["mounts-answer", name]
        assert ("mounts-answer", name) in told.in_terminal("fail")
    kept = set(MOUNTS) - set(lost)
    assert {("mounts-answer", name) for name in kept} <= set(told.in_summary("pass"))
