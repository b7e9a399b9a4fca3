"""What the stand-in tells of its node: certificates, units, clock, votes, who may see what."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from blackstart.rack.standins.pve.accounts import hashed_token
from blackstart.rack.standins.pve.quorumviews import options, quorum_device
from tests.contract.pve_client import Api
from tests.contract.pve_site import SiteNode

REPORT = """\
OK
Qdevice information
-------------------
Model:                  Net
Node ID:                1
    Configured node list:
    0   Node ID = 1
Qdevice-net information
----------------------
Cluster name:           rack
QNetd host:             10.77.0.20:5403
Algorithm:              Fifty-Fifty split
Tie-breaker:            Node with lowest node ID
State:                  Connected
"""
COROSYNC = """\
nodelist {
  node {
    name: pve1
    nodeid: 1
    quorum_votes: 2
    ring0_addr: 127.0.0.1
  }
  node {
    name: pve2
    nodeid: 2
    ring0_addr: 127.0.0.2
  }
}
totem {
  cluster_name: lab
}
"""
AUDITOR = "look@pve!audit"
AUDITOR_SECRET = "5e3a9f10-0000-4000-8000-7c0ffee00002"


def auditor(site: SiteNode, api: Api, *rules: str) -> Api:
    """The API with a token that is an auditor, and what ``rules`` (PATH:ROLE) add."""
    lines = ["user:look@pve:1:0::::::", f"token:{AUDITOR}:0:0::", "acl:1:/:look@pve:PVEAuditor:"]
    lines += [
        f"acl:1:{path}:look@pve:{role}:" for path, _, role in (r.partition(":") for r in rules)
    ]
    lines.append("role:Look:Datastore.Audit,VM.Audit,VM.Config.Disk,VM.Backup:")
    users = site.etc_pve / "user.cfg"
    users.write_text(users.read_text() + "\n".join(lines) + "\n")
    tokens = site.etc_pve / "priv/token.cfg"
    tokens.write_text(f"{tokens.read_text()}{AUDITOR} {hashed_token(AUDITOR_SECRET)}\n")
    return api.with_token(f"{AUDITOR}={AUDITOR_SECRET}")


def test_certificates_tell_their_end_and_their_names(site: SiteNode, api: Api) -> None:
    found = {it["filename"]: it for it in api.data("GET", "/nodes/pve1/certificates/info")}
    assert set(found) == {"pve-root-ca.pem", "pve-ssl.pem"}
    own = found["pve-ssl.pem"]
    assert own["notafter"] > time.time() + 86400
    assert "127.0.0.1" in own["san"]
    assert own["fingerprint"] == api.data("GET", "/nodes")[0]["ssl_fingerprint"]


def test_units_tell_the_next_boot_and_now(site: SiteNode, api: Api) -> None:
    found = {it["name"]: it for it in api.data("GET", "/nodes/pve1/services")}
    assert found["pveproxy"]["unit-state"] == "enabled"
    assert (found["cron"]["unit-state"], found["cron"]["active-state"]) == ("not-found", "inactive")


def test_units_that_cannot_be_asked_are_an_error(site: SiteNode, api: Api) -> None:
    site.node.layout.systemctl.write_text("#!/bin/sh\nexit 1\n")
    answer = api.call("GET", "/nodes/pve1/services")
    assert answer.status_code == 500
    assert "unable to get the state of services" in answer.reason


def test_the_clock_is_this_machines(api: Api) -> None:
    assert abs(api.data("GET", "/nodes/pve1/time")["time"] - time.time()) < 30


def test_votes_are_those_of_corosync(site: SiteNode, api: Api) -> None:
    assert api.data("GET", "/cluster/config/nodes") == []
    site.put("corosync.conf", COROSYNC)
    votes = {it["name"]: it["quorum_votes"] for it in api.data("GET", "/cluster/config/nodes")}
    assert votes == {"pve1": "2", "pve2": "1"}


def test_the_quorum_device_says_what_the_vendor_shows(tmp_path: Path) -> None:
    path = tmp_path / "qdevice.sock"
    assert quorum_device(path) == {}
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(path))
        daemon.listen(1)
        daemon.settimeout(10)

        def serve() -> None:
            asked, _ = daemon.accept()
            with asked:
                assert asked.recv(100) == b"status verbose\n"
                asked.sendall(REPORT.encode())

        thread = threading.Thread(target=serve)
        thread.start()
        found = quorum_device(path)
        thread.join(10)
    assert (found["State"], found["Algorithm"]) == ("Connected", "Fifty-Fifty split")
    assert "Node ID" not in found


def test_options_are_taken_apart_as_the_vendors_are(tmp_path: Path) -> None:
    assert options(tmp_path) == {}
    text = "# x: y\nkeyboard: en-us\nha: shutdown_policy=migrate\n"
    (tmp_path / "datacenter.cfg").write_text(text)
    assert options(tmp_path) == {"keyboard": "en-us", "ha": {"shutdown_policy": "migrate"}}


def test_definitions_of_stores_have_switches_as_numbers(site: SiteNode, api: Api) -> None:
    site.put("storage.cfg", "dir: far\n\tpath /far\n\tcontent iso\n\tnodes pve2\n\tdisable\n")
    assert api.data("GET", "/storage") == [
        *[
            {"storage": "far", "type": "dir", "path": "/far", "content": "iso", "nodes": "pve2"}
            | {"disable": 1}
        ]
    ]
    assert api.data("GET", "/storage", type="nfs") == []


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ((), set()),
        (("/vms/100:Look",), {"images"}),
        (("/storage:Look", "/vms/100:Look"), {"images"}),
        (("/:Administrator",), {"images", "backup", "snippets", "iso"}),
    ],
    ids=["auditor", "disk", "both", "administrator"],
)
def test_what_lies_in_a_store_is_shown_by_the_vendors_rule(
    site: SiteNode, api: Api, rules: tuple[str, ...], shown: set[str]
) -> None:
    site.disk("100/vm-100-disk-0.raw")
    for name in ("snippets/hook.sh", "template/iso/x.iso", "dump/vzdump-qemu-100-a.vma.zst"):
        path = site.store / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    seen = auditor(site, api, *rules).data("GET", "/nodes/pve1/storage/local/content")
    assert {volume["content"] for volume in seen} == shown | {"iso"}
