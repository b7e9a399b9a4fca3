"""Start of all guests at boot and their shutdown, as recorded of the genuine ``startall``."""

from __future__ import annotations

import threading
import time

import pytest

from blackstart.rack.standins.pve import allguests
from blackstart.rack.standins.pve.allguests import start_all, stop_all
from blackstart.rack.standins.pve.tasks import Finished
from tests.contract.pve_schema import ABSENT, CAPTURES
from tests.contract.pve_site import SiteNode, members_file

VM = "memory: 128\nonboot: {onboot}\nscsi0: {store}:{vmid}/disk.raw,size=1G\n{startup}"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits that were asked for, in seconds; none is kept."""
    asked: list[float] = []
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


def _guest(
    site: SiteNode, vmid: int, startup: str = "", *, onboot: int = 1, store: str = "local"
) -> None:
    line = f"startup: {startup}\n" if startup else ""
    site.guest(vmid, VM.format(onboot=onboot, store=store, vmid=vmid, startup=line))
    site.disk(f"{vmid}/disk.raw")


def _run(site: SiteNode, verb: str, said: list[str] | None = None) -> tuple[str, list[str]]:
    said = [] if said is None else said
    work = start_all(site.node) if verb == "start" else stop_all(site.node)
    status = site.node.tasks.run(f"{verb}all", "", "root@pam", work, said.append)
    return status, said


def _tasks(site: SiteNode) -> dict[str, Finished]:
    return {f"{t.upid.kind}:{t.upid.subject}": t for t in site.node.tasks.finished()}


def test_order_delays_and_a_failure_in_the_midst(site: SiteNode, waits: list[float]) -> None:
    """The very configuration of the recording, and the very log."""
    path = CAPTURES / "outage-configurations.txt"
    if not path.exists():
        pytest.skip(ABSENT)
    _guest(site, 119, "order=1,up=5")
    _guest(site, 117, "order=2,up=3")
    _guest(site, 116, "order=3", store="local-lvm")
    _guest(site, 118, onboot=0)

    status, said = _run(site, "start")

    recorded = path.read_text().partition("## start all at boot\n")[2].partition("\nUPID:")[0]
    assert said == recorded.splitlines()
    assert status == "OK"  # although a guest failed
    assert site.runtime.order == ["start 119", "start 117"]
    assert waits == [5, 3]
    tasks = _tasks(site)
    assert tasks["qmstart:116"].status == "storage 'local-lvm' does not exist"
    assert tasks["qmstart:119"].status == "OK"
    assert tasks["startall:"].status == "OK"
    assert "qmstart:118" not in tasks


def test_guests_without_an_order_come_last_by_number(site: SiteNode, waits: list[float]) -> None:
    _guest(site, 110)
    _guest(site, 105, "order=7")
    _guest(site, 101)
    site.guest(103, "onboot: 1\nhostname: ct\n", "lxc")
    assert _run(site, "start")[0] == "OK"
    assert site.runtime.order == ["start 105", "start 101", "start 103", "start 110"]
    assert waits == [3, 3, 0, 3]  # silent default: three seconds after a VM


def test_a_running_guest_is_left_alone(site: SiteNode, waits: list[float]) -> None:
    _guest(site, 101)
    site.runtime.start(101)
    assert _run(site, "start") == ("OK", [])
    assert "qmstart:101" not in _tasks(site)


def test_it_waits_for_quorum(site: SiteNode, monkeypatch: pytest.MonkeyPatch) -> None:
    _guest(site, 101)
    site.put(".members", members_file({"pve1": True, "pve2": False}, "pve1", quorate=False))
    monkeypatch.setattr(allguests, "QUORUM_POLL_S", 0.01)
    monkeypatch.setitem(allguests.DEFAULT_UP_S, "qemu", 0)
    said: list[str] = []
    result: list[tuple[str, list[str]]] = []
    boot = threading.Thread(target=lambda: result.append(_run(site, "start", said)))
    boot.start()
    deadline = time.monotonic() + 10
    while not said and time.monotonic() < deadline:
        time.sleep(0.01)
    assert said == ["waiting for quorum ..."]
    assert site.runtime.order == []
    site.put(".members", members_file({"pve1": True, "pve2": True}, "pve1"))
    boot.join(10)
    assert result[0][0] == "OK"
    assert said == ["waiting for quorum ...", "got quorum", "Starting VM 101"]


def test_a_leftover_backup_lock_does_not_keep_a_guest_down(
    site: SiteNode, waits: list[float]
) -> None:
    _guest(site, 101)
    _guest(site, 102)
    for vmid, lock in ((101, "backup"), (102, "migrate")):
        config = site.etc_pve / f"nodes/pve1/qemu-server/{vmid}.conf"
        config.write_text(f"{config.read_text()}lock: {lock}\n")
    _, said = _run(site, "start")
    assert said[0] == "removed left over backup lock from '101'!"
    assert said[-1] == "Starting VM 102 failed: VM is locked (migrate)"
    assert site.runtime.order == ["start 101"]


def test_shutdown_in_reverse_order_by_force_if_need_be(site: SiteNode) -> None:
    for vmid, startup in ((101, "order=1,down=20"), (102, "order=2"), (103, "")):
        _guest(site, vmid, startup)
        site.runtime.start(vmid)
    _guest(site, 104)
    site.runtime.deaf.add(102)
    site.runtime.order.clear()

    status, said = _run(site, "stop")

    assert status == "OK"
    assert site.runtime.order == ["shutdown 103 180", "stop 102", "shutdown 101 20"]
    assert said == [
        "Stopping VM 103 (timeout = 180 seconds)",
        "Stopping VM 102 (timeout = 180 seconds)",
        "Stopping VM 101 (timeout = 20 seconds)",
    ]
    assert site.runtime.started_at == {}
    assert {t.status for t in site.node.tasks.finished()} == {"OK"}
