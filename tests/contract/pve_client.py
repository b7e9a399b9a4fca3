"""Asking an API, on loopback or on the rack, and waiting for its tasks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests

ANSWER_TIMEOUT_S = 60
TASK_TIMEOUT_S = 120
TASK_POLL_S = 0.1


@dataclass(frozen=True)
class Api:
    """A site's API and how to prove who asks; the CA is always verified."""

    base_url: str
    authority: Path
    session: requests.Session
    headers: dict[str, str]

    def call(self, method: str, path: str, **parameters: Any) -> requests.Response:
        """One call; parameters go into the query or the body as the verb has it."""
        reads = method == "GET"
        return self.session.request(
            method,
            f"{self.base_url}/api2/json{path}",
            params=parameters if reads else None,
            data=None if reads else parameters,
            headers=self.headers,
            verify=str(self.authority),
            timeout=ANSWER_TIMEOUT_S,
        )

    def data(self, method: str, path: str, **parameters: Any) -> Any:
        """The ``data`` of a call that must succeed."""
        answer = self.call(method, path, **parameters)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.reason}"
        return answer.json()["data"]

    def exit_status(self, upid: str) -> str:
        """Wait for a task; its exit status."""
        node = upid.split(":")[1]
        deadline = time.monotonic() + TASK_TIMEOUT_S
        while True:
            status = self.data("GET", f"/nodes/{node}/tasks/{upid}/status")
            if status["status"] == "stopped":
                return str(status["exitstatus"])
            assert time.monotonic() < deadline, f"{upid} does not end"
            time.sleep(TASK_POLL_S)

    def task(self, path: str, **parameters: Any) -> str:
        """Ask for something that becomes a task; its exit status."""
        return self.exit_status(self.data("POST", path, **parameters))

    def with_token(self, token: str) -> Api:
        """The same site, asked with an API token (``USER@REALM!ID=UUID``)."""
        return replace(self, headers={"Authorization": f"PVEAPIToken={token}"})

    def anonymous(self) -> Api:
        """The same site, asked by nobody."""
        return replace(self, headers={})


@contextmanager
def login(base_url: str, secrets: Path) -> Iterator[Api]:
    """The API of a site as root@pam, by ticket."""
    with requests.Session() as session:
        nobody = Api(base_url, secrets / "ca.crt", session, {})
        password = (secrets / "pve-root-password").read_text()
        granted = nobody.data("POST", "/access/ticket", username="root@pam", password=password)
        yield replace(
            nobody,
            headers={
                "Cookie": f"PVEAuthCookie={granted['ticket']}",
                "CSRFPreventionToken": granted["CSRFPreventionToken"],
            },
        )
