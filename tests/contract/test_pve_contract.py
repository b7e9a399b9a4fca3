"""The stand-in on loopback, held to the vendor's schema and to its manners."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from proxmoxer import ProxmoxAPI

from blackstart.rack.standins.pve.endpoints import make_router
from blackstart.rack.standins.pve.parameters import Parameter
from blackstart.rack.standins.pve.routing import Endpoint
from blackstart.rack.standins.pve.shipping import BLIND_TOKEN, FULL_TOKEN, blind_token_value
from tests.contract.pve_client import Api
from tests.contract.pve_contract import (
    AuthenticationContract,
    RefusalContract,
    SchemaContract,
    Subject,
    objections,
)
from tests.contract.pve_schema import Schema
from tests.contract.pve_site import SiteNode, members_file

VM = """\
agent: 1
bios: ovmf
boot: order=scsi0
cores: 2
efidisk0: local:100/vm-100-disk-0.raw,efitype=4m,size=528K
ide2: local:100/vm-100-cloudinit.qcow2,media=cdrom
memory: 256
name: vm100
net0: virtio=BC:24:11:75:39:4C,bridge=vmbr0
onboot: 1
scsi0: local:100/vm-100-disk-1.raw,size=1G
serial0: socket
startup: order=1,up=5
tags: a;b
"""
CT = """\
arch: amd64
hostname: ct103
memory: 192
net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:77:00:36,ip=dhcp
onboot: 1
rootfs: local:103/vm-103-disk-0.raw,size=2G
swap: 0
unprivileged: 1
"""
JOBS = """\
vzdump: backup-1
\tschedule 02:30
\tenabled 1
\tstorage local
\tmode snapshot
\tvmid 100
\tprune-backups keep-last=3
"""


@pytest.fixture
def subject(site: SiteNode, api: Api, pve_secrets: Path) -> Subject:
    """A node of a cluster with a running guest of each kind."""
    site.guest(100, VM, running=True)
    site.guest(103, CT, "lxc", running=True)
    site.guest(104, "hostname: spare\nrootfs: local:104/vm-104-disk-0.raw,size=1G\n", "lxc")
    for name in ("100/vm-100-disk-0.raw", "100/vm-100-disk-1.raw", "103/vm-103-disk-0.raw"):
        site.disk(name)
    backup = site.store / "dump" / "vzdump-qemu-100-2026_11_20-02_30_00.vma.zst"
    backup.parent.mkdir()
    backup.write_bytes(b"archive")
    site.put("jobs.cfg", JOBS)
    site.put(".members", members_file({"pve1": True, "pve2": True}, "pve1"))
    upid = api.data("POST", "/nodes/pve1/qemu/100/status/start")
    api.exit_status(upid)
    site.measure()
    blind = api.with_token(f"{BLIND_TOKEN}={blind_token_value(pve_secrets)}")
    return Subject(api, blind, "pve1", 100, 103, "local", upid)


@pytest.fixture
def proxmox(site: SiteNode, subject: Subject, pve_secrets: Path) -> ProxmoxAPI:
    """The same node through proxmoxer, with the full token."""
    host, port = site.base_url.removeprefix("https://").split(":")
    user, name = FULL_TOKEN.split("!")
    return ProxmoxAPI(
        host,
        port=int(port),
        user=user,
        token_name=name,
        token_value=(pve_secrets / "pve-token").read_text(),
        verify_ssl=str(pve_secrets / "ca.crt"),
    )


class TestSchema(SchemaContract):
    pass


class TestAuthentication(AuthenticationContract):
    pass


class TestRefusals(RefusalContract):
    pass


BREAKAGES: list[tuple[str, Any]] = [
    ("a string where the vendor has an integer", ["maxmem", "268435456"]),
    ("a status that the vendor does not know", ["status", "paused"]),
    ("true instead of 1", ["template", True]),
    ("a number out of range", ["vmid", 7]),
    ("a required property that is gone", ["vmid", None]),
]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda b: b[0])
def test_a_broken_answer_is_red(
    subject: Subject, vendor: dict[tuple[str, str], Schema], breakage: tuple[str, Any]
) -> None:
    path = "/nodes/{node}/qemu"
    schema = vendor["GET", path]["returns"]
    answer = subject.api.data("GET", "/nodes/pve1/qemu")
    assert objections(path, schema, answer) == []
    broken = copy.deepcopy(answer)
    key, value = breakage[1]
    if value is None:
        del broken[0][key]
    else:
        broken[0][key] = value

    found = objections(path, schema, broken)

    print(f"{breakage[0]}: {found}")
    assert len(found) == 1
    assert f".{key}" in found[0]


ENDPOINTS = make_router().endpoints


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.method} {e.path}")
def test_parameters_are_the_vendors(
    endpoint: Endpoint, vendor: dict[tuple[str, str], Schema]
) -> None:
    theirs = vendor[endpoint.method, endpoint.path]["parameters"].get("properties", {})

    assert set(endpoint.parameters) == set(theirs)
    for name, parameter in endpoint.parameters.items():
        assert _comparable(parameter) == _expected(theirs[name]), name


def _comparable(parameter: Parameter) -> dict[str, Any]:
    return {
        "type": parameter.kind,
        "optional": parameter.optional,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "enum": parameter.choices,
        "requires": parameter.requires,
    }


def _expected(schema: Schema) -> dict[str, Any]:
    return {
        "type": schema.get("type"),
        "optional": bool(schema.get("optional")),
        "minimum": schema.get("minimum"),
        "maximum": schema.get("maximum"),
        "enum": tuple(schema.get("enum", ())),
        "requires": schema.get("requires"),
    }


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.method} {e.path}")
def test_permission_is_the_vendors(
    endpoint: Endpoint, vendor: dict[tuple[str, str], Schema]
) -> None:
    check = vendor[endpoint.method, endpoint.path].get("permissions", {}).get("check")

    if endpoint.permission is None:
        assert check is None
    else:
        assert check is not None
        assert (endpoint.permission.path, list(endpoint.permission.privileges)) == (
            check[1],
            check[2],
        )
