"""What any Proxmox VE must answer, stand-in or not: run on loopback and on the rack.

A subclass brings the fixture ``subject``: an API with a QEMU guest and a
container on it that may be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from proxmoxer import ProxmoxAPI, ResourceException

from blackstart.rack.standins.pve.endpoints import make_router
from blackstart.rack.standins.pve.routing import Endpoint
from tests.contract.pve_client import Api
from tests.contract.pve_schema import Schema, violations

REAL_SAYS_OTHERWISE = {
    ("/nodes/{node}/qemu/{vmid}/pending", "value"): "numbers stay numbers, the schema says string",
    ("/nodes/{node}/lxc/{vmid}/pending", "value"): "numbers stay numbers, the schema says string",
    ("/nodes/{node}/storage/{storage}/content", "parent"): "null for a volume without a parent",
    ("/access/users/{userid}/token/{tokenid}", "privsep"): "given back as the text it came in",
}
"""Where the genuine system's recorded answers break its own schema."""
READINGS = tuple(e for e in make_router().endpoints if e.method == "GET")


@dataclass(frozen=True)
class Subject:
    """A site under contract: two identities, and what there is to look at."""

    api: Api
    blind: Api
    node: str
    vmid: int
    container: int
    storage: str
    upid: str

    def path(self, endpoint: Endpoint) -> str:
        """The endpoint's path with everything in it that it names."""
        vmid = self.container if "/lxc/" in endpoint.path else self.vmid
        return endpoint.path.format(node=self.node, vmid=vmid, storage=self.storage, upid=self.upid)


def objections(path: str, schema: Schema, value: Any) -> list[str]:
    """What the vendor's schema objects to, but for what its own answers do as well."""
    excused = tuple(name for (where, name) in REAL_SAYS_OTHERWISE if where == path)
    found = violations(schema, value)
    return [
        each for each in found if not each.split(":")[0].endswith(tuple(f".{n}" for n in excused))
    ]


class SchemaContract:
    """Every answer is of the vendor's schema."""

    @pytest.mark.parametrize("endpoint", READINGS, ids=lambda e: e.path)
    def test_answer_is_of_the_vendors_schema(
        self, subject: Subject, endpoint: Endpoint, vendor: dict[tuple[str, str], Schema]
    ) -> None:
        value = subject.api.data("GET", subject.path(endpoint))

        assert objections(endpoint.path, vendor["GET", endpoint.path]["returns"], value) == []

    def test_lists_have_something_to_be_held_against(self, subject: Subject) -> None:
        """An empty list satisfies any schema, so that none of these may be empty."""
        for path in ("/nodes", "/cluster/resources", "/cluster/tasks", "/cluster/status"):
            assert subject.api.data("GET", path), path
        for name in ("qemu", "lxc", "storage", "tasks", f"storage/{subject.storage}/content"):
            assert subject.api.data("GET", f"/nodes/{subject.node}/{name}"), name

    def test_agent_answers_are_of_the_vendors_schema(
        self, subject: Subject, vendor: dict[tuple[str, str], Schema]
    ) -> None:
        path = "/nodes/{node}/qemu/{vmid}/agent/ping"
        filled = path.format(node=subject.node, vmid=subject.vmid)
        value = subject.api.data("POST", filled)
        assert list(violations(vendor["POST", path]["returns"], value)) == []
        assert value == {"result": {}}


class AuthenticationContract:
    """Who is let in, and what somebody without privileges sees."""

    def test_no_privilege_filters_lists_instead_of_refusing(self, subject: Subject) -> None:
        answer = subject.blind.call("GET", f"/nodes/{subject.node}/qemu")
        assert (answer.status_code, answer.json()) == (200, {"data": []})
        entries = subject.blind.data("GET", "/cluster/resources")
        assert {entry["type"] for entry in entries} == {"node"}
        assert "cpu" not in entries[0]

    def test_no_privilege_is_refused_single_guests(self, subject: Subject) -> None:
        path = f"/nodes/{subject.node}/qemu/{subject.vmid}/config"
        answer = subject.blind.call("GET", path)
        text = f"Permission check failed (/vms/{subject.vmid}, VM.Audit)"
        assert (answer.status_code, answer.reason) == (403, text)
        assert answer.json() == {"data": None, "message": f"{text}\n"}

    def test_nobody_is_refused_with_an_empty_body(self, subject: Subject) -> None:
        answer = subject.api.anonymous().call("GET", "/version")
        assert (answer.status_code, answer.reason, answer.content) == (401, "No ticket", b"")

    def test_unknown_token_is_refused_with_an_empty_body(self, subject: Subject) -> None:
        stranger = subject.api.with_token("root@pam!nobody=00000000-0000-0000-0000-000000000000")
        answer = stranger.call("GET", "/version")
        assert (answer.status_code, answer.reason) == (401, "Authentication failed!")
        assert answer.content == b""


class RefusalContract:
    """What the genuine system refuses, with its texts."""

    def test_start_of_a_guest_that_is_not_there_is_accepted_and_fails(
        self, subject: Subject
    ) -> None:
        status = subject.api.task(f"/nodes/{subject.node}/qemu/99999/status/start")
        path = f"nodes/{subject.node}/qemu-server/99999.conf"
        assert status == f"Configuration file '{path}' does not exist"

    def test_start_of_a_running_guest_is_accepted_and_fails(self, subject: Subject) -> None:
        guest = f"/nodes/{subject.node}/qemu/{subject.vmid}"
        assert subject.api.data("GET", f"{guest}/status/current")["status"] == "running"
        status = subject.api.task(f"{guest}/status/start")
        assert status == f"VM {subject.vmid} already running"

    def test_unknown_task(self, subject: Subject) -> None:
        upid = f"UPID:{subject.node}:000001E0:000320F4:6B000000:qmstart:100:root@pam:"
        tasks = f"/nodes/{subject.node}/tasks/{upid}"
        answer = subject.api.call("GET", f"{tasks}/status")
        assert (answer.status_code, answer.json()["errors"]) == (400, {"upid": "no such task"})
        log = subject.api.data("GET", f"{tasks}/log")
        assert log == [{"n": 1, "t": "unable to open file - No such file or directory"}]

    def test_wrong_parameters_are_named(self, subject: Subject) -> None:
        answer = subject.api.call(
            "PUT",
            f"/nodes/{subject.node}/qemu/{subject.vmid}/config",
            memory="abc",
            bogus="1",
        )
        assert (answer.status_code, answer.reason) == (400, "Parameter verification failed.")
        assert set(answer.json()["errors"]) == {"memory", "bogus"}

    def test_change_with_a_stale_digest(self, subject: Subject) -> None:
        answer = subject.api.call(
            "PUT",
            f"/nodes/{subject.node}/qemu/{subject.vmid}/config",
            description="never written",
            digest="0" * 40,
        )
        assert answer.reason == "checksum mismatch (file change by other user?)"

    def test_refusals_reach_proxmoxer(self, subject: Subject, proxmox: ProxmoxAPI) -> None:
        with pytest.raises(ResourceException) as caught:
            proxmox.nodes(subject.node).qemu(99999).config.get()
        assert caught.value.status_code == 500
        assert "does not exist" in caught.value.content
        with pytest.raises(ResourceException) as caught:
            proxmox.nodes(subject.node).qemu("abc").config.get()
        assert caught.value.status_code == 400
        assert "vmid" in caught.value.errors
