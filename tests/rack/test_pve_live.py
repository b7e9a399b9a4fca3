"""The Proxmox stand-in on the rack: the contracts of ``tests/contract``, live, and what
needs two real machines: replication, lost quorum, a dead node, a boot that hangs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from proxmoxer import ProxmoxAPI
from proxmoxer.tools import Tasks

from blackstart.rack.standins.pve.shipping import BLIND_TOKEN, FULL_TOKEN, blind_token_value
from blackstart.rack.topology import PVE
from tests.contract.conftest import vendor
from tests.contract.pve_client import Api
from tests.contract.pve_contract import (
    AuthenticationContract,
    RefusalContract,
    SchemaContract,
    Subject,
)
from tests.rack.command import eventually, on, rack

__all__ = ["vendor"]
NODE = PVE.machine("pve1")
OTHER = PVE.machine("pve2")
GUEST = "/usr/lib/blackstart-rack/guest"
READY = "/usr/lib/blackstart-rack/ready"
ARRIVES_S = 2.0
QUORUM_S = 60.0
RECOVERS_S = 300.0
CUT = (
    "nft add table inet cut; "
    "nft 'add chain inet cut in { type filter hook input priority 0; }'; "
    "nft 'add chain inet cut out { type filter hook output priority 0; }'; "
    "for way in in out; do "
    "nft add rule inet cut $way udp dport 5405 drop; "
    "nft add rule inet cut $way tcp dport { 5403, 8016 } drop; "
    "nft add rule inet cut $way tcp sport { 5403, 8016 } drop; done"
)
"""Cuts corosync, its witness and the cluster file system off; ssh and the API stay."""
HEAL = "nft delete table inet cut"

pytestmark = pytest.mark.usefixtures("pristine_again", "inside")


@pytest.fixture(scope="module")
def api(secrets: Path) -> Iterator[Api]:
    """The first hypervisor's API with the token that may do everything."""
    with requests.Session() as session:
        api = Api(f"https://{NODE.address}:8006", secrets / "ca.crt", session, {})
        yield api.with_token(f"{FULL_TOKEN}={(secrets / 'pve-token').read_text().strip()}")


@pytest.fixture(scope="module")
def subject(api: Api, secrets: Path) -> Subject:
    """The rack's second hypervisor, asked through the first: it has guests of both kinds."""
    by_kind = {g.kind: g.vmid for g in reversed(PVE.guests_of(OTHER.name))}
    blind = api.with_token(f"{BLIND_TOKEN}={blind_token_value(secrets)}")
    upid = api.data("POST", f"/nodes/{OTHER.name}/qemu/{by_kind['qemu']}/status/start")
    api.exit_status(upid)
    return Subject(api, blind, OTHER.name, by_kind["qemu"], by_kind["lxc"], "local", upid)


@pytest.fixture
def proxmox(secrets: Path) -> ProxmoxAPI:
    """The first hypervisor through proxmoxer, as root@pam by ticket."""
    return ProxmoxAPI(
        str(NODE.address),
        user="root@pam",
        password=(secrets / "pve-root-password").read_text().strip(),
        verify_ssl=str(secrets / "ca.crt"),
        timeout=60,
    )


class TestSchema(SchemaContract):
    pass


class TestAuthentication(AuthenticationContract):
    pass


class TestRefusals(RefusalContract):
    pass


def guests(api: Api) -> dict[int, str]:
    """What the cluster's resources say of each guest."""
    entries: list[dict[str, Any]] = api.data("GET", "/cluster/resources", type="vm")
    return {entry["vmid"]: entry["status"] for entry in entries}


def test_every_guest_of_the_topology_is_there_and_runs(api: Api) -> None:
    eventually(lambda: guests(api) == {g.vmid: "running" for g in PVE.guests}, 30)


def test_a_guest_is_stopped_and_started_through_the_other_node(proxmox: ProxmoxAPI) -> None:
    app1 = next(guest for guest in PVE.guests if guest.name == "app1")
    container = proxmox.nodes(app1.node).lxc(app1.vmid)
    began = time.monotonic()
    for verb, wanted in (("shutdown", "stopped"), ("start", "running")):
        upid = container.status(verb).post()
        assert Tasks.blocking_status(proxmox, upid, timeout=120)["exitstatus"] == "OK"
        assert container.status.current.get()["status"] == wanted
    print(f"app1 shut down and started again in {time.monotonic() - began:.0f} s")
    eventually(
        lambda: (
            str(app1.address)
            in {i.get("inet", "/").split("/")[0] for i in container.interfaces.get()}
        ),
        120,
    )


def test_a_write_arrives_on_the_other_node_and_so_does_a_deletion() -> None:
    """There and back again, on one machine's clock: each way has half of it."""
    answer = (
        f"{_until('-e /etc/pve/ping')}; touch /etc/pve/pong; "
        f"{_until('! -e /etc/pve/ping')}; rm /etc/pve/pong"
    )
    with ThreadPoolExecutor(1) as other:
        answering = other.submit(on, OTHER.name, answer)
        print_time = "read now _ </proc/uptime; echo $now"
        times = on(
            NODE.name,
            f"sleep 3; {print_time}; touch /etc/pve/ping; {_until('-e /etc/pve/pong')}; "
            f"{print_time}; rm /etc/pve/ping; {_until('! -e /etc/pve/pong')}; {print_time}",
        )
        answering.result()
    begin, written, deleted = map(float, times.split())
    print(f"written there and back {written - begin:.2f} s, deleted {deleted - written:.2f} s")
    assert written - begin < 2 * ARRIVES_S
    assert deleted - written < 2 * ARRIVES_S


def _until(condition: str) -> str:
    """A loop of the shell that ends after 20 s at the latest."""
    return f"n=0; until [ {condition} ]; do n=$((n+1)); [ $n -lt 200 ] || exit 1; sleep 0.1; done"


def test_without_quorum_the_configuration_is_closed(api: Api) -> None:
    guest = PVE.guests_of(NODE.name)[0]
    path = f"/nodes/{NODE.name}/qemu/{guest.vmid}"
    on(NODE.name, CUT)
    try:
        eventually(lambda: "ro" in _mount_options(NODE.name), QUORUM_S)
        members = json.loads(on(NODE.name, "cat /etc/pve/.members"))
        assert members["cluster"]["quorate"] == 0
        refused = rack("ssh", NODE.name, "--", "touch /etc/pve/lost", check=False)
        assert "Read-only file system" in refused.stderr
        assert api.call("POST", f"{path}/status/start").reason == "cluster not ready - no quorum?"
        put = api.call("PUT", f"{path}/config", description="lost")
        assert (put.status_code, put.reason[-21:]) == (500, "' - Permission denied")
        assert api.data("GET", "/cluster/status")[0]["quorate"] == 0
        assert api.data("GET", f"{path}/config")["name"] == guest.name
        # The other side has the witness's vote, and goes on.
        on(OTHER.name, "echo quorate >/etc/pve/drill.cfg")
    finally:
        on(NODE.name, HEAL)
    eventually(lambda: "rw" in _mount_options(NODE.name), QUORUM_S)
    assert on(NODE.name, "cat /etc/pve/drill.cfg") == "quorate"
    on(NODE.name, "rm /etc/pve/drill.cfg")


def _mount_options(machine: str) -> list[str]:
    return on(machine, "findmnt -no OPTIONS /etc/pve").split(",")


def test_boot_of_the_cluster_file_system_hangs_on_a_loopback_name() -> None:
    begin = f"sed -i.kept 's/^.*[[:space:]]{OTHER.name}\\b.*$/127.0.1.1 {OTHER.name}/' /etc/hosts"
    on(OTHER.name, f"{begin}; systemctl restart --no-block pve-cluster")
    try:
        eventually(lambda: _unit_state("pve-cluster") == "activating", 30)
        eventually(
            lambda: (
                "Unable to resolve node name"
                in on(OTHER.name, "journalctl -u pve-cluster -b --no-pager -n 5 -o cat")
            ),
            60,
        )
        assert _unit_state("pve-cluster") == "activating"
    finally:
        on(OTHER.name, "mv /etc/hosts.kept /etc/hosts")
    eventually(lambda: _unit_state("pve-cluster") == "active", 60)
    eventually(lambda: "rw" in _mount_options(OTHER.name), QUORUM_S)


def _unit_state(unit: str) -> str:
    return rack("ssh", OTHER.name, "--", f"systemctl is-active {unit}", check=False).stdout.strip()


@pytest.mark.timeout(900)
def test_a_dead_node_is_told_and_comes_back_with_its_guests(api: Api) -> None:
    eventually(lambda: set(guests(api).values()) == {"running"}, 60)
    cut_at = time.time()
    rack("power", OTHER.name, "off")
    eventually(lambda: _online(api) == {NODE.name: "online", OTHER.name: "offline"}, QUORUM_S)
    assert api.data("GET", "/cluster/status")[0]["quorate"] == 1  # the witness's vote
    began = time.monotonic()
    answer = api.call("GET", f"/nodes/{OTHER.name}/status")
    print(f"{answer.status_code} {answer.reason} after {time.monotonic() - began:.1f} s")
    assert (answer.status_code, answer.content) == (595, b"")
    assert answer.reason in ("No route to host", "Connection timed out")
    assert {guests(api)[g.vmid] for g in PVE.guests_of(OTHER.name)} == {"running"}  # stale

    rack("power", OTHER.name, "on")
    eventually(lambda: _started_all(api, cut_at), RECOVERS_S)
    tasks = api.data("GET", f"/nodes/{OTHER.name}/tasks", since=int(cut_at), limit=0)
    ended = {task["id"]: task["status"] for task in tasks if task["type"].endswith("start")}
    assert ended == {str(g.vmid): "OK" for g in PVE.guests_of(OTHER.name)}
    starts = sorted((t for t in tasks if t["type"].endswith("start")), key=lambda t: t["starttime"])
    assert [int(t["id"]) for t in starts] == [g.vmid for g in PVE.guests_of(OTHER.name)]
    eventually(
        lambda: rack("ssh", OTHER.name, "--", READY, check=False).returncode == 0, RECOVERS_S
    )


def _online(api: Api) -> dict[str, str]:
    return {node["node"]: node["status"] for node in api.data("GET", "/nodes")}


def _started_all(api: Api, since: float) -> bool:
    answer = api.call(
        "GET", f"/nodes/{OTHER.name}/tasks", since=int(since), typefilter="startall", limit=1
    )
    return answer.status_code == 200 and bool(answer.json()["data"])
