"""From nothing to a decision on the stand-in: discover, doctor, verify; GET alone, and only what
the vendor's schema has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from blackstart.inventory_file import load
from tests.contract.first_contact import (
    ROOT,
    Asked,
    Request,
    blackstart,
    blind_token,
    full_token,
    recorded,
)
from tests.contract.pve_schema import Schema
from tests.contract.pve_site import SiteNode, members_file
from tests.unit.first_contact import typed

NODE_REBOOT = "test_node_reboot.py"
Vendor = dict[tuple[str, str], Schema]
VM = """\
agent: 1
memory: 256
name: {name}
net0: virtio=BC:24:11:75:39:{last},bridge=vmbr0
onboot: {onboot}
"""
CT = "hostname: dns2\nonboot: 1\nnet0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:75:39:50,ip={ip}/24\n"


@pytest.fixture
def node(site: SiteNode) -> SiteNode:
    """A cluster of one: a guest of each kind, one that nobody knows the address of, a template."""
    site.guest(100, VM.format(name="web", last="4C", onboot=0), running=True)
    site.guest(103, CT.format(ip="10.98.0.54"), "lxc", running=True)
    site.guest(104, VM.format(name="dark", last="4E", onboot=1))
    site.guest(105, VM.format(name="gold", last="4F", onboot=0) + "template: 1\n")
    site.put(".members", members_file({"pve1": True}, "pve1"))
    site.measure()
    return site


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder."""
    directory = tmp_path / "home"
    directory.mkdir()
    return directory


@pytest.fixture
def asked(node: SiteNode, home: Path, pve_secrets: Path) -> Iterator[Asked]:
    """The node is served, and ``home.yaml`` is what was discovered of it."""
    with recorded(node) as (_, asked):
        words = discovering(node, pve_secrets, home / "home.yaml")
        done = typed(*words, token=full_token(pve_secrets))
        assert done.code == 0, done.stderr
        yield asked


def discovering(node: SiteNode, secrets: Path, file: Path) -> tuple[str, ...]:
    """What is typed to write an inventory of a node."""
    reached = ("--proxmox", node.base_url, "--token", "env:PVE_TOKEN")
    return ("discover", *reached, "--ca", str(secrets / "ca.crt"), "-o", str(file))


def strangers(requests: Iterable[Request], vendor: Vendor) -> list[str]:
    """Requests that change something, or that the vendor's API does not have."""
    return [
        f"{method} {path} {sorted(names)}"
        for method, path, names in requests
        if method != "GET" or not names <= _parameters(path, vendor)
    ]


def _parameters(path: str, vendor: Vendor) -> set[str]:
    """Names of the parameters of a GET; not even the empty set's when there is no such path."""
    for (verb, template), method in vendor.items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if verb == "GET" and re.fullmatch(pattern, path):
            return set(method["parameters"].get("properties", {}))
    raise AssertionError(f"the vendor's API has no GET {path}")


def test_from_an_empty_folder_to_a_decision(
    asked: Asked, home: Path, pve_secrets: Path, vendor: Vendor
) -> None:
    token = full_token(pve_secrets)
    file = home / "home.yaml"
    checked = typed("inventory", "check", str(file))
    assert checked.code == 0, checked.stderr
    assert "nothing may be broken" in checked.stdout
    assert token.partition("=")[2] not in file.read_text()
    assert list(load(file).guests) == ["web", "dns2"]

    seen = typed("doctor", "--inventory", str(file), token=token)
    assert seen.code == 0, seen.stdout + seen.stderr
    assert seen.stdout.startswith("PASS      lab: 1 closed by the inventory, 2 reached")

    words = ("verify", "--inventory", "home.yaml", "--json", "out.json", "--all")
    done = blackstart(home, *words, token=token)
    document = json.loads((home / "out.json").read_text())
    found = {(item["check"], item["target"]): item for item in document["findings"]}
    red = found["guest_starts_with_its_node", "web"]
    assert (red["verdict"], red["fix"]) == ("fail", "qm set 100 --onboot 1"), done.stdout
    assert found["guest_starts_with_its_node", "dns2"]["verdict"] == "pass"
    unseen = found["machine_shows_itself", "pve1"]
    assert unseen["verdict"] == "unproven"
    assert "`ssh: none` in the inventory" in unseen["problem"]
    assert "declare `ssh:` with a user and a key" in unseen["problem"]
    assert (done.returncode, document["decision"]) == (1, "no-go")

    assert {path for _, path, _ in asked.requests} >= {"/version", "/access/permissions"}
    assert strangers(asked.requests, vendor) == []


def test_no_drill_finds_anything_that_it_may_break(
    asked: Asked, home: Path, pve_secrets: Path
) -> None:
    before = len(asked.requests)
    scenarios = home / "scenarios"
    scenarios.mkdir()
    (scenarios / NODE_REBOOT).symlink_to(ROOT / "scenarios" / NODE_REBOOT)
    done = blackstart(home, "drill", "--inventory", "home.yaml", token=full_token(pve_secrets))
    assert done.returncode == 3, done.stdout
    assert "opted in" in done.stdout
    assert {method for method, _, _ in asked.requests[before:]} <= {"GET"}


def test_a_token_that_sees_nothing_is_no_empty_cluster(
    asked: Asked, home: Path, pve_secrets: Path, node: SiteNode
) -> None:
    token = blind_token(pve_secrets)
    other = home / "other.yaml"
    done = typed(*discovering(node, pve_secrets, other), token=token)
    assert (done.code, other.exists()) == (1, False)
    assert "pveum acl modify / --users blackstart@pve" in done.stderr
    seen = typed("doctor", "--inventory", str(home / "home.yaml"), token=token)
    assert seen.code == 1
    assert "wrong     token blackstart@pve!blind: it lacks Sys.Audit on /" in seen.stdout


@pytest.mark.parametrize(
    "request_",
    [
        ("POST", "/nodes/pve1/qemu/100/status/start", frozenset[str]()),
        ("GET", "/version", frozenset({"verbose"})),
    ],
)
def test_a_request_that_changes_or_is_not_the_vendors_is_seen(
    request_: Request, vendor: Vendor
) -> None:
    assert len(strangers([request_], vendor)) == 1


def test_a_path_that_the_vendor_does_not_have_is_seen(vendor: Vendor) -> None:
    with pytest.raises(AssertionError, match="no GET /nodes/pve1/everything"):
        strangers([("GET", "/nodes/pve1/everything", frozenset[str]())], vendor)
