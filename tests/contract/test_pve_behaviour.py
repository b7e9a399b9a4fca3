"""Behaviour recorded in ``more-behaviour.txt``: locks, agent, digests, shutdowns, privileges.

Each text is looked for in the recording as well, so that neither side can
drift: not the stand-in, and not this test.
"""

from __future__ import annotations

import threading

import pytest

from blackstart.rack.standins.pve.accounts import hashed_token
from tests.contract.pve_client import Api
from tests.contract.pve_schema import ABSENT, CAPTURES
from tests.contract.pve_site import SiteNode

VM = "agent: 1\nmemory: 256\nname: vm100\nscsi0: local:100/disk.raw,size=1G\n"
GUEST = "/nodes/pve1/qemu/100"


@pytest.fixture
def guest(site: SiteNode) -> SiteNode:
    """A stopped guest whose disk is there."""
    site.guest(100, VM)
    site.disk("100/disk.raw")
    return site


@pytest.fixture(scope="module")
def recording() -> str:
    """What was recorded."""
    path = CAPTURES / "more-behaviour.txt"
    if not path.exists():
        pytest.skip(ABSENT)
    return path.read_text()


def test_a_locked_guest_is_left_alone(guest: SiteNode, api: Api, recording: str) -> None:
    guest.guest(100, VM + "lock: backup\n")
    text = "VM is locked (backup)"
    assert text in recording

    assert api.task(f"{GUEST}/status/start") == text
    assert api.call("PUT", f"{GUEST}/config", description="x").reason == text
    current = api.data("GET", f"{GUEST}/status/current")
    assert (current["lock"], current["status"], current["qmpstatus"]) == (
        "backup",
        "stopped",
        "stopped",
    )
    assert api.task(f"{GUEST}/status/start", skiplock=1) == "OK"


def test_stop_and_shutdown_of_a_stopped_guest_succeed(guest: SiteNode, api: Api) -> None:
    assert api.task(f"{GUEST}/status/stop") == "OK"
    assert api.task(f"{GUEST}/status/shutdown") == "OK"
    assert guest.runtime.order == []


def test_a_shutdown_that_the_guest_ignores_fails(guest: SiteNode, api: Api) -> None:
    guest.guest(100, VM, running=True)
    guest.runtime.deaf.add(100)
    assert api.task(f"{GUEST}/status/shutdown", timeout=1) == (
        "VM quit/powerdown failed - got timeout"
    )
    assert api.task(f"{GUEST}/status/shutdown", timeout=1, forceStop=1) == "OK"
    assert guest.runtime.order == ["stop 100"]


def test_agent_texts(guest: SiteNode, api: Api, recording: str) -> None:
    stopped, silent = "VM 100 is not running", "QEMU guest agent is not running"
    assert f"500 Internal Server Error: {stopped}'" in recording
    assert f"500 Internal Server Error: {silent}'" in recording

    assert api.call("POST", f"{GUEST}/agent/ping").reason == stopped
    guest.guest(100, VM, running=True)
    guest.runtime.silent.add(100)
    assert api.call("POST", f"{GUEST}/agent/ping").reason == silent
    guest.runtime.silent.clear()
    assert api.data("POST", f"{GUEST}/agent/ping") == {"result": {}}


def test_interfaces_as_agent_and_container_give_them(site: SiteNode, api: Api) -> None:
    site.guest(100, VM, running=True)
    site.guest(103, "hostname: ct\n", "lxc", running=True)
    eth0 = api.data("GET", f"{GUEST}/agent/network-get-interfaces")["result"][1]
    assert eth0["name"] == "eth0"
    assert eth0["hardware-address"] == "bc:24:11:75:39:4c"
    assert eth0["ip-addresses"] == [
        {"ip-address": "10.98.0.50", "ip-address-type": "ipv4", "prefix": 24}
    ]
    assert eth0["statistics"]["tx-bytes"] == 656
    inside = api.data("GET", "/nodes/pve1/lxc/103/interfaces")[1]
    assert (inside["inet"], inside["hwaddr"]) == ("10.98.0.50/24", "bc:24:11:75:39:4c")


def test_a_stale_digest_is_refused(guest: SiteNode, api: Api, recording: str) -> None:
    text = "checksum mismatch (file change by other user?)"
    assert text in recording
    digest = api.data("GET", f"{GUEST}/config")["digest"]
    api.data("PUT", f"{GUEST}/config", description="one", digest=digest)
    assert api.call("PUT", f"{GUEST}/config", description="two", digest=digest).reason == text
    assert api.data("GET", f"{GUEST}/config")["description"] == "one"


def test_a_bridge_that_is_not_there(guest: SiteNode, api: Api, recording: str) -> None:
    assert "bridge 'vmbr77' does not exist" in recording
    guest.guest(100, VM + "net0: virtio=BC:24:11:00:00:01,bridge=vmbr77\n")
    assert api.task(f"{GUEST}/status/start") == "bridge 'vmbr77' does not exist"


def test_accepted_is_not_done(guest: SiteNode, api: Api) -> None:
    guest.runtime.slow = threading.Event()
    upid = api.data("POST", f"{GUEST}/status/start")
    status = api.data("GET", f"/nodes/pve1/tasks/{upid}/status")
    assert status["status"] == "running"
    assert "exitstatus" not in status
    running = api.data("GET", "/nodes/pve1/tasks", source="active")
    assert [task["upid"] for task in running] == [upid]
    assert api.data("GET", "/nodes/pve1/tasks") == []
    guest.runtime.slow.set()
    assert api.exit_status(upid) == "OK"
    assert api.data("GET", "/nodes/pve1/tasks")[0]["status"] == "OK"


def test_a_task_whose_process_is_gone_is_lost_and_not_running(site: SiteNode, api: Api) -> None:
    upid = "UPID:pve1:0000008D:0005624F:6B005732:qmstart:100:root@pam:"
    log = site.node.layout.task_logs / "2" / upid
    log.parent.mkdir()
    log.write_text("half a line")
    (site.node.layout.task_logs / "active" / upid).touch()

    assert api.data("GET", f"/nodes/pve1/tasks/{upid}/status")["exitstatus"] == "unexpected status"
    site.node.tasks.settle()
    assert api.data("GET", "/nodes/pve1/tasks")[0]["status"] == "unexpected status"


def test_changes_to_a_running_guest_wait_for_its_next_start(guest: SiteNode, api: Api) -> None:
    guest.guest(100, VM, running=True)
    api.data("PUT", f"{GUEST}/config", memory="512", onboot=1, delete="agent")
    rows = {row["key"]: row for row in api.data("GET", f"{GUEST}/pending")}
    assert rows["memory"] == {"key": "memory", "value": "256", "pending": "512"}
    assert rows["agent"]["delete"] == 1
    assert rows["onboot"] == {"key": "onboot", "value": 1}
    assert api.data("GET", f"{GUEST}/config", current=1)["memory"] == "256"
    assert api.data("GET", f"{GUEST}/config")["memory"] == "512"

    api.data("PUT", f"{GUEST}/config", revert="agent")
    assert api.task(f"{GUEST}/status/stop") == "OK"
    assert api.task(f"{GUEST}/status/start") == "OK"
    config = api.data("GET", f"{GUEST}/config", current=1)
    assert (config["memory"], config["agent"]) == ("512", "1")


def test_a_detached_disk_is_kept_as_unused(guest: SiteNode, api: Api) -> None:
    api.data("PUT", f"{GUEST}/config", delete="scsi0")
    config = api.data("GET", f"{GUEST}/config")
    assert "scsi0" not in config
    assert config["unused0"] == "local:100/disk.raw"
    assert (guest.store / "images/100/disk.raw").exists()


def test_resources_lag_behind(guest: SiteNode, api: Api) -> None:
    guest.measure()
    assert api.task(f"{GUEST}/status/start") == "OK"
    assert _resource(api)["status"] == "stopped"
    assert api.data("GET", f"{GUEST}/status/current")["status"] == "running"
    guest.measure()
    assert _resource(api)["status"] == "running"


def test_before_the_first_figures_everything_is_unknown(guest: SiteNode, api: Api) -> None:
    assert _resource(api)["status"] == "unknown"
    assert "name" not in _resource(api)
    assert api.data("GET", "/nodes")[0]["status"] == "unknown"


def _resource(api: Api) -> dict[str, object]:
    entries = api.data("GET", "/cluster/resources", type="vm")
    assert len(entries) == 1
    return dict(entries[0])


def test_a_users_role_on_one_guest(site: SiteNode, api: Api, recording: str) -> None:
    site.guest(100, VM, running=True)
    site.guest(101, VM)
    accounts = site.etc_pve / "user.cfg"
    accounts.write_text(f"{accounts.read_text()}acl:1:/vms/100:blackstart@pve!blind:PVEVMUser:\n")
    token = _blind(site)
    limited = api.with_token(token)

    assert [vm["vmid"] for vm in limited.data("GET", "/nodes/pve1/qemu")] == [100]
    refused = limited.call("PUT", f"{GUEST}/config", cores=4)
    text = "Permission check failed (/vms/100, VM.Config.CPU)"
    assert f"403 Forbidden: {text}" in recording
    # CD-ROM and cloud-init may be changed by a PVEVMUser, so the call as such is open.
    assert (refused.status_code, refused.reason) == (403, text)
    granted = limited.data("GET", "/access/permissions")["/vms/100"]
    line = next(line for line in recording.splitlines() if line.startswith("## t perms"))
    assert all(f'"{privilege}": 1' in line for privilege in granted)


def _blind(site: SiteNode) -> str:
    tokens = site.etc_pve / "priv/token.cfg"
    value = "11111111-2222-4333-8444-555555555555"
    lines = [line for line in tokens.read_text().splitlines() if "!blind" not in line]
    lines.append(f"blackstart@pve!blind {hashed_token(value)}")
    tokens.write_text("\n".join(lines) + "\n")
    return f"blackstart@pve!blind={value}"
