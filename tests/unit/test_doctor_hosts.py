"""What the doctor says of hosts: reached by one login, wrong with what mends it, or away."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackstart.doctor import hosts
from blackstart.drivers.ssh import SshRunner
from blackstart.model.reach import Reach, State
from tests.unit.collect.local import LocalRunner, tool
from tests.unit.drivers import sshd as server
from tests.unit.drivers.sshd import free_port

from .doctoring import MAC, contacts, declared, only

ME = pwd.getpwuid(os.getuid()).pw_name


class TestHosts:
    """By ssh, at a real sshd."""

    @pytest.fixture
    def sshd(self, tmp_path: Path) -> Iterator[server.Sshd]:
        if server.SSHD is None:
            pytest.skip("no sshd on this machine: install openssh-server")
        with server.running(tmp_path) as running:
            yield running

    def look(self, sshd: server.Sshd, **changes: Any) -> Reach:
        target = sshd.target(**changes)
        access = {"user": target.user, "port": target.port, "key": f"file:{target.key}"}
        runner = SshRunner({"pve1": target})
        found = only(hosts.look(contacts(declared(ssh=access), runner), "pve1"))
        runner.close()
        return found

    def test_reached_by_one_login(self, sshd: server.Sshd) -> None:
        found = self.look(sshd)
        if os.getuid() == 0:
            assert (found.state, found.said) == (State.REACHED, "as root")
        assert sshd.dialled() == 1

    def test_an_unknown_host_key_is_never_accepted(self, sshd: server.Sshd) -> None:
        sshd.write_known_hosts()
        for _ in range(2):
            found = self.look(sshd)
            assert found.state is State.WRONG
            assert f"`ssh-keyscan -p {sshd.port} 127.0.0.1` prints what answers now" in found.said
            assert "compare before adding" in found.said
        assert sshd.known_hosts.read_text() == ""
        assert sshd.logins() == 0

    def test_another_host_key(self, sshd: server.Sshd, tmp_path: Path) -> None:
        other = server.make_key(tmp_path / "other")
        sshd.write_known_hosts(f"[127.0.0.1]:{sshd.port} {other}")
        found = self.look(sshd)
        assert (found.state, found.fix) == (State.WRONG, "")
        assert "shows another host key" in found.said

    def test_a_key_that_is_refused(self, sshd: server.Sshd, tmp_path: Path) -> None:
        server.make_key(tmp_path / "stranger")
        found = self.look(sshd, key=tmp_path / "stranger")
        assert found.state is State.WRONG
        copy = f"ssh-copy-id -i {tmp_path}/stranger -p {sshd.port} {ME}@127.0.0.1"
        assert found.fix == copy
        assert sshd.dialled() == 1

    def test_nobody_listens(self, sshd: server.Sshd) -> None:
        found = self.look(sshd, port=free_port())
        assert (found.state, "Connection refused" in found.said) == (State.AWAY, True)


@pytest.mark.parametrize(
    ("uid", "journal", "state", "said"),
    [
        (0, "", State.REACHED, "as root"),
        (1000, "Linux version 6.12", State.REACHED, "as drill, who is not root: drills and some"),
        (1000, "", State.WRONG, "drill may not read the kernel's journal"),
    ],
)
def test_as_whom_a_host_lets_us_in(
    uid: int, journal: str, state: State, said: str, tmp_path: Path
) -> None:
    tool(tmp_path, "id", f"echo {uid}")
    tool(tmp_path, "journalctl", f"echo '{journal}' | grep . || true")
    known = contacts(declared(ssh={"user": "drill"}), LocalRunner(tmp_path))
    found = only(hosts.look(known, "pve1"))
    assert (found.state, found.said.startswith(said)) == (state, True)
    fix = "usermod -aG systemd-journal drill  # on pve1" if state is State.WRONG else ""
    assert found.fix == fix


def test_a_guest_in_a_container_has_no_kernels_journal(tmp_path: Path) -> None:
    tool(tmp_path, "id", "echo 1000")
    tool(tmp_path, "journalctl", "exit 1")
    guest = {**MAC, "address": "127.0.0.2", "ssh": True}
    known = contacts(declared(guests={"web": guest}), LocalRunner(tmp_path))
    assert only(hosts.look(known, "web")).state is State.REACHED


def test_a_closed_host_is_no_fault_and_says_what_would_open_it() -> None:
    found = only(hosts.look(contacts(declared(ssh="none")), "pve1"))
    assert (found.state, found.fix) == (State.CLOSED, "")
    assert "`ssh:` with a user and a key" in found.said
