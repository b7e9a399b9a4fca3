"""Every recorded answer of the genuine 9.1.7, asked again of the stand-in.

The request is taken from the recording itself. An error must come back with the
same status line and the same body, a success with everything that the recorded
one has, in the same types.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
import requests

from blackstart.rack.standins.pve import members
from blackstart.rack.standins.pve.accounts import hashed_token
from tests.contract.pve_captures import Capture, differences, read_capture
from tests.contract.pve_client import Api
from tests.contract.pve_contract import objections
from tests.contract.pve_schema import ABSENT, CAPTURES, Schema
from tests.contract.pve_site import SiteNode

GIB = 2**30
STOPPED = ("200-qemu-list.txt", "200-after.txt", "200-start.txt")
OTHER_NODE = {
    "595-refused.txt": "test_pve_cluster: nothing listens on the other node",
    "595-noroute.txt": "test_pve_cluster: the operating system's own refusal, passed on",
    "596-tls.txt": "test_pve_cluster: a certificate of another CA",
}
MANY_FACTS = {
    "cluster-node-down.txt": "test_pve_cluster: a node dead, quorum lost",
    "more-behaviour.txt": "test_pve_behaviour: locks, agent, digests, bridges",
    "outage-configurations.txt": "test_pve_outages: commands and tasks of past outages",
    "cert.txt": "test_pve_cluster: the names in a node's certificate",
}
OF_NO_CONCERN = {
    "200-token-create.txt": "tokens are made by the seed; no drill makes one",
    "400-missing-param.txt": "guests are never created; same text held on other calls",
    "400-nextid-taken.txt": "guests are never created, so nobody asks for a number",
    "403-rootonly.txt": "running commands through the API is refused wholesale (501)",
    "500-delete-running.txt": "guests are never destroyed through the stand-in",
    "500-dup-vmid.txt": "guests are never created",
    "595-pvedaemon-down.txt": "one process is both pveproxy and pvedaemon",
}
HELD_ON_ANOTHER_CALL = {
    "400-bad-param.txt": "asked of PUT config: the stand-in creates no guests",
}
VM100 = """\
#hello
agent: 1
args: -kernel /usr/share/pve-guest/vmlinuz -append "console=ttyS0 quiet"
boot: order=scsi0
cores: 2
kvm: 0
memory: 256
meta: creation-qemu=7.2.22,ctime=1795184330
name: vm100
net0: virtio=BC:24:11:75:39:4C,bridge=vmbr0
ostype: l26
scsi0: local:100/vm-100-disk-0.qcow2,size=1G
scsihw: virtio-scsi-pci
serial0: socket
smbios1: uuid=996a1a9c-ee14-4e69-8dc3-5c07654d8036
tags: a;b
vmgenid: cf061d20-1fde-4fa0-b0f0-2892f8608fbe
"""
TOKEN = "5e3a9f10-0000-4000-8000-7c0ffee00001"
DONE = "UPID:pve1:0000008D:0005624F:6B005732:qmstart:100:root@pam:"
FAILED = "UPID:pve1:000000B3:000563ED:6B005736:qmstart:100:root@pam:"


def _replayed() -> list[str]:
    if not CAPTURES.exists():
        return []
    elsewhere = {*OTHER_NODE, *MANY_FACTS, *OF_NO_CONCERN, *HELD_ON_ANOTHER_CALL}
    return sorted(path.name for path in CAPTURES.glob("*.txt") if path.name not in elsewhere)


@pytest.fixture
def recorded(
    site: SiteNode, api: Api, old_tasks: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Capture], requests.Response]:
    """The node as it was when the answers were recorded; asks a recorded question."""
    if not CAPTURES.exists():
        pytest.skip(ABSENT)
    monkeypatch.setattr(members, "non_loopback_addresses", _resolve)
    site.guest(100, VM100, running=True)
    disk = site.disk("100/vm-100-disk-0.qcow2")
    disk.write_bytes(struct.pack(">4sIQIIQ", b"QFI\xfb", 3, 0, 0, 16, GIB))
    accounts = site.etc_pve / "user.cfg"
    accounts.write_text(f"{accounts.read_text()}user:bob@pve:1:0::::::\ntoken:bob@pve!t1:0:1::\n")
    tokens = site.etc_pve / "priv/token.cfg"
    tokens.write_text(f"{tokens.read_text()}bob@pve!t1 {hashed_token(TOKEN)}\n")
    site.measure()

    def ask(capture: Capture) -> requests.Response:
        headers = _headers(capture, api)
        return requests.request(
            capture.method,
            f"{site.base_url}/api2/json{capture.bare_path}",
            params=capture.query,
            data=capture.data,
            headers=headers,
            verify=str(api.authority),
            timeout=30,
        )

    return ask


@pytest.fixture
def old_tasks(site: SiteNode) -> None:
    """The recorded tasks: one that ended well, one that failed; either may still run."""
    logs = site.node.layout.task_logs
    endings = {DONE: ("OK", "TASK OK"), FAILED: ("VM 100 already running", "TASK ERROR: ")}
    for upid, (status, last) in endings.items():
        path = logs / upid.split(":")[4][-1] / upid
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{last if status == 'OK' else last + status}\n")
        with (logs / "index").open("a") as index:
            index.write(f"{upid} 6B005736 {status}\n")


def _resolve(name: str) -> list[str]:
    if name == "nope":
        raise socket.gaierror(-2, "Name or service not known")
    return [] if name == "pve5" else ["192.0.2.2"]


def _headers(capture: Capture, api: Api) -> dict[str, str]:
    if capture.token:
        return {"Authorization": capture.token}
    if capture.cookie is None:
        return {}
    headers = dict(api.headers)
    if capture.cookie != "<TICKET>":
        headers["Cookie"] = f"PVEAuthCookie={capture.cookie}"
    if not capture.csrf:
        del headers["CSRFPreventionToken"]
    return headers


@pytest.mark.parametrize("name", _replayed())
def test_answer_is_as_recorded(
    name: str,
    site: SiteNode,
    recorded: Callable[[Capture], requests.Response],
) -> None:
    capture = read_capture(name)
    if name in STOPPED:
        site.runtime.started_at.clear()
    if name == "200-task-status-running.txt":
        answer = _while_running(site, lambda: recorded(capture))
    else:
        answer = recorded(capture)

    assert (answer.status_code, answer.reason) == (capture.status, capture.reason)
    if capture.body is None:
        assert answer.content == b""
        return
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Server"] == "pve-api-daemon/3.0"
    if capture.status == 200:
        assert list(differences(_comparable_part(capture), answer.json())) == []
    else:
        assert answer.json() == capture.body


def _while_running(site: SiteNode, ask: Callable[[], requests.Response]) -> requests.Response:
    path = site.node.layout.task_logs / DONE.split(":")[4][-1] / DONE
    path.write_text("")
    with path.open() as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        return ask()


def _comparable_part(capture: Capture) -> Any:
    data = capture.body["data"]
    if capture.name == "200-resources.txt":  # no pools here
        data = [{k: v for k, v in e.items() if k != "pool"} for e in data if e["type"] != "pool"]
    elif capture.name == "200-cluster-tasks.txt":
        data = [task for task in data if task["upid"] in (DONE, FAILED)]
    return {**capture.body, "data": data}


def test_bad_parameters_have_the_recorded_texts(
    recorded: Callable[[Capture], requests.Response], api: Api
) -> None:
    capture = read_capture("400-bad-param.txt")
    wrong = {key: value for key, value in capture.data.items() if key != "vmid"}

    answer = api.call("PUT", "/nodes/pve1/qemu/100/config", **wrong)

    assert (answer.status_code, answer.reason) == (capture.status, capture.reason)
    assert answer.json() == capture.body


def test_the_vendors_own_answers_are_of_its_schema(
    vendor: dict[tuple[str, str], Schema],
) -> None:
    """Otherwise the validator, not the stand-in, would be what is wrong."""
    held = 0
    for path in sorted(CAPTURES.glob("200-*.txt")):
        capture = read_capture(path.name)
        method = _method_of(capture, vendor)
        schema = vendor[method]["returns"]
        assert objections(method[1], schema, capture.body["data"]) == [], capture.name
        held += 1
    assert held == len(list(CAPTURES.glob("200-*.txt")))


def _method_of(capture: Capture, vendor: dict[tuple[str, str], Schema]) -> tuple[str, str]:
    asked = capture.bare_path.split("/")
    for verb, path in vendor:
        parts = path.split("/")
        if verb == capture.method and len(parts) == len(asked):
            pairs = zip(parts, asked, strict=True)
            if all(part == word or part.startswith("{") for part, word in pairs):
                return verb, path
    raise AssertionError(f"{capture.name}: no method for {capture.method} {capture.path}")


def test_a_difference_is_found() -> None:
    """The comparison itself, shown red."""
    theirs = {"data": [{"vmid": 100, "status": "stopped", "mem": 0}]}
    assert list(differences(theirs, json.loads(json.dumps(theirs)))) == []
    assert list(differences(theirs, {"data": [{"vmid": 100, "status": "stopped"}]})) == [
        "body.data[100].mem: is missing"
    ]
    assert list(differences(theirs, {"data": [{"vmid": 100, "status": 1, "mem": 0}]})) == [
        "body.data[100].status: 1 is not of the type of 'stopped'"
    ]
    assert list(differences(theirs, {"data": []}))


def test_every_recording_is_accounted_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A new recording must be held or be given a reason; the figures are printed."""
    if not CAPTURES.exists():
        pytest.skip(ABSENT)
    there = {path.name for path in CAPTURES.glob("*")}
    replayed = set(_replayed())
    known = replayed | {*OTHER_NODE, *MANY_FACTS, *OF_NO_CONCERN, *HELD_ON_ANOTHER_CALL}

    with capsys.disabled():
        held = len(there) - len(OF_NO_CONCERN)
        print(f"\nrecorded answers of Proxmox VE 9.1.7: {len(there)}, held: {held} ", end="")
        print(f"({len(replayed)} asked again as recorded)")
        for name, reason in OF_NO_CONCERN.items():
            print(f"  not held: {name}: {reason}")

    assert there == known
    assert len(replayed) >= 50
