"""What a connection refuses: keys that are unknown, changed, revoked, and logins without a key."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from paramiko import SSHException, Transport

from blackstart.drivers import ssh, ssh_connection
from blackstart.drivers.ssh import SshRunner
from blackstart.drivers.ssh_connection import LoginRefused, SshTarget, explain
from blackstart.errors import DriverError, TimedOut, Unreachable

from .sshd import Sshd, free_port, make_key


def refusal(target: SshTarget, *, timeout_s: float = 10) -> DriverError:
    """What a runner says of a host; it must say no."""
    runner = SshRunner({"box": target})
    try:
        with pytest.raises(DriverError) as caught:
            runner.run("box", "true", timeout_s=timeout_s)
    finally:
        runner.close()
    return caught.value


def test_an_unknown_host_key_is_refused_with_the_file_and_a_caution(sshd: Sshd) -> None:
    sshd.write_known_hosts()
    error = refusal(sshd.target())
    assert isinstance(error, LoginRefused)
    assert str(sshd.known_hosts) in str(error)
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1" in str(error)
    assert "compare before adding" in str(error)
    assert sshd.known_hosts.read_text() == ""
    assert sshd.logins() == 0


def test_a_changed_host_key_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    sshd.write_known_hosts(f"[127.0.0.1]:{sshd.port} {other}")
    error = refusal(sshd.target())
    assert isinstance(error, LoginRefused)
    assert "shows another host key" in str(error)
    assert sshd.logins() == 0


def test_a_revoked_host_key_is_refused_although_it_is_also_listed(sshd: Sshd) -> None:
    sshd.write_known_hosts(
        f"[127.0.0.1]:{sshd.port} {sshd.host_key}", f"@revoked * {sshd.host_key}"
    )
    assert "@revoked" in str(refusal(sshd.target()))


def test_lines_that_only_openssh_understands_do_not_spoil_the_file(sshd: Sshd) -> None:
    sshd.write_known_hosts(
        "# a comment",
        f"@cert-authority *.example.net {sshd.host_key}",
        "damaged line",
        "host ssh-ed25519 not-base64",
        f"[127.0.0.1]:{sshd.port} {sshd.host_key} and a comment",
    )
    runner = SshRunner({"box": sshd.target()})
    assert runner.run("box", "true", timeout_s=10).ok
    runner.close()


def test_a_hashed_host_name_is_found(sshd: Sshd) -> None:
    command = ["ssh-keygen", "-q", "-H", "-f", str(sshd.known_hosts)]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    assert sshd.known_hosts.read_text().startswith("|1|")
    runner = SshRunner({"box": sshd.target()})
    assert runner.run("box", "true", timeout_s=10).ok
    runner.close()


def test_a_known_hosts_file_that_is_not_there_is_named(sshd: Sshd, tmp_path: Path) -> None:
    error = refusal(sshd.target(known_hosts=tmp_path / "none"))
    assert str(tmp_path / "none") in str(error)
    assert "No such file" in str(error)


def test_a_key_that_may_not_log_in_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    error = refusal(sshd.target(key=tmp_path / "stranger"))
    assert isinstance(error, LoginRefused)
    assert "refuses" in str(error)
    assert str(tmp_path / "stranger") in str(error)


def test_a_declared_key_is_the_only_one_tried(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    (home / "id_ed25519").write_bytes(sshd.key.read_bytes())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    make_key(tmp_path / "stranger")
    assert "refuses" in str(refusal(sshd.target(key=tmp_path / "stranger")))
    runner = SshRunner({"box": sshd.target(key=None)})
    assert runner.run("box", "true", timeout_s=10).ok
    runner.close()


def test_a_key_file_that_is_not_there_is_named(sshd: Sshd, tmp_path: Path) -> None:
    assert f"key {tmp_path}/none" in str(refusal(sshd.target(key=tmp_path / "none")))


def test_the_owners_own_ssh_configuration_has_no_say(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    (home / "config").write_text("Host *\n  Port 1\n  User nobody\n  ConnectTimeout 1\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    runner = SshRunner({"box": sshd.target()})
    assert runner.run("box", "true", timeout_s=10).ok
    runner.close()


def test_a_refused_login_is_not_tried_again_at_once(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_key(tmp_path / "stranger")
    runner = SshRunner({"box": sshd.target(key=tmp_path / "stranger")})
    for _ in range(5):
        with pytest.raises(LoginRefused):
            runner.run("box", "true", timeout_s=10)
        runner.forget("box")
    assert sshd.dialled() == 1
    monkeypatch.setattr(ssh, "REFUSED_PAUSE_S", 0.0)
    runner = SshRunner({"box": sshd.target(key=tmp_path / "stranger")})
    for _ in range(2):
        with pytest.raises(LoginRefused):
            runner.run("box", "true", timeout_s=10)
    assert sshd.dialled() == 3


def test_a_closed_port_is_unreachable(sshd: Sshd) -> None:
    error = refusal(sshd.target(port=free_port()))
    assert isinstance(error, Unreachable)
    assert "Connection refused" in str(error)


@contextmanager
def silent_listener() -> Iterator[int]:
    """A port that accepts and never says a word, as a host that hangs does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_host_that_accepts_and_stays_silent_is_bounded(sshd: Sshd) -> None:
    with silent_listener() as port:
        began = time.monotonic()
        error = refusal(sshd.target(port=port), timeout_s=2)
        assert time.monotonic() - began < 5
    assert isinstance(error, TimedOut)
    assert "no ssh handshake within the bound" in str(error)


def test_an_address_that_swallows_packets_is_known_sooner_than_the_commands_bound(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue drops SYNs, as a firewall or a dead machine does (listen(2))."""
    monkeypatch.setattr(ssh_connection, "CONNECT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        place = listener.getsockname()
        with socket.create_connection(place, 5):
            began = time.monotonic()
            error = refusal(sshd.target(port=place[1]), timeout_s=30)
            assert time.monotonic() - began < 15
    assert type(error) is Unreachable
    assert "nobody answers there" in str(error)


def late(listener: socket.socket, port: int, seconds: float) -> None:
    """Pass one connection on to a port, after a while: as a host that is busy answers."""
    ours, _ = listener.accept()
    time.sleep(seconds)
    with ours, socket.create_connection(("127.0.0.1", port), 10) as theirs:
        back = threading.Thread(target=pass_on, args=(theirs, ours), daemon=True)
        back.start()
        pass_on(ours, theirs)
        back.join(10)


def pass_on(one: socket.socket, other: socket.socket) -> None:
    """Until one of them ends."""
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


def test_a_key_exchange_may_take_longer_than_it_takes_to_reach_the_host(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on the rack: paramiko has one bound for both, and ten seconds are no key exchange."""
    monkeypatch.setattr(ssh_connection, "CONNECT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        passing = threading.Thread(target=late, args=(listener, sshd.port, 2.0), daemon=True)
        passing.start()
        sshd.write_known_hosts(f"[127.0.0.1]:{port} {sshd.host_key}")
        runner = SshRunner({"box": sshd.target(port=port)})
        try:
            assert runner.run("box", "echo there", timeout_s=20).stdout == "there\n"
        finally:
            runner.close()
        passing.join(10)


def hang_up(listener: socket.socket) -> None:
    """Close the first connection at once."""
    listener.accept()[0].close()


def test_paramiko_prints_no_tracebacks_of_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A person would read them as ours; pytest shows what loggers say beside a failed check."""
    known_hosts = tmp_path / "known_hosts"
    known_hosts.touch()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=hang_up, args=(listener,), daemon=True).start()
        refusal(SshTarget("127.0.0.1", port, "root", None, known_hosts), timeout_s=5)
    assert caplog.text == ""


def handshake_error(peer: socket.socket) -> SSHException:
    """What paramiko raises where its thread, not the caller's wait, notices first."""
    transport = Transport(peer)
    transport.banner_timeout = 0.2
    try:
        with pytest.raises(SSHException, match="Error reading SSH protocol banner") as caught:
            transport.start_client(timeout=10)
    finally:
        transport.close()
    return caught.value


@pytest.mark.parametrize(("silent", "kind"), [(True, TimedOut), (False, Unreachable)])
def test_a_silent_host_is_told_from_one_that_hangs_up(
    sshd: Sshd, silent: bool, kind: type[DriverError]
) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        if not silent:
            theirs.shutdown(socket.SHUT_WR)
        error = handshake_error(ours)
    assert type(explain("box", sshd.target(), error)) is kind
