"""A real sshd on loopback, with keys of its own, that a test starts and ends by process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from blackstart.drivers.ssh_connection import SshTarget

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def make_key(path: Path) -> str:
    """An ed25519 key pair; the public key as ``type base64``."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=20
    )
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@dataclass
class Sshd:
    """A running server. ``log`` is what it said so far."""

    directory: Path
    port: int
    host_key: str
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def key(self) -> Path:
        """A private key that may log in."""
        return self.directory / "id"

    @property
    def known_hosts(self) -> Path:
        """The file that holds this server's key."""
        return self.directory / "known_hosts"

    def write_known_hosts(self, *lines: str) -> Path:
        """Put other lines in place of the right one."""
        self.known_hosts.write_text("".join(f"{line}\n" for line in lines))
        return self.known_hosts

    def target(self, **changes: object) -> SshTarget:
        """How to reach it, with parts changed by a test."""
        parts: dict[str, object] = {
            "address": "127.0.0.1",
            "port": self.port,
            "user": pwd.getpwuid(os.getuid()).pw_name,
            "key": self.key,
            "known_hosts": self.known_hosts,
        }
        return SshTarget(**(parts | changes))  # type: ignore[arg-type]

    @property
    def log(self) -> str:
        """Everything sshd logged."""
        return (self.directory / "log").read_text()

    def logins(self) -> int:
        """How many logins it has accepted."""
        return self.log.count("Accepted publickey")

    def dialled(self) -> int:
        """How many connections were made to it, logged in or not."""
        return self.log.count("Connection from 127.0.0.1")

    def sessions(self) -> list[int]:
        """Process ids of its connections."""
        pid = self.process.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def kill_sessions(self) -> None:
        """End every connection the hard way, as a power cut would."""
        for pid in self.sessions():
            os.kill(pid, signal.SIGKILL)


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(directory: Path, *options: str) -> Iterator[Sshd]:
    """An sshd that listens; its connections and itself are gone afterwards."""
    assert SSHD is not None
    host_key = make_key(directory / "host_key")
    allowed = make_key(directory / "id")
    (directory / "authorized_keys").write_text(f"{allowed}\n")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd refuses to start without it
    port = free_port()
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    config = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {directory}/host_key",
        f"AuthorizedKeysFile {directory}/authorized_keys",
        f"PidFile {directory}/pid",
        "StrictModes no",
        "UsePAM no",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "MaxStartups 100",
        "LogLevel VERBOSE",
        *options,
    ]
    (directory / "sshd_config").write_text("\n".join(config) + "\n")
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(directory / "sshd_config")], stderr=log, text=True
        )
    server = Sshd(directory, port, host_key, process)
    try:
        _wait_until_listening(server)
        yield server
    finally:
        server.kill_sessions()
        process.terminate()
        process.wait(timeout=10)


def _wait_until_listening(server: Sshd) -> None:
    """Watch its log: a bare connection would be exactly what sshd penalises."""
    with (server.directory / "log").open() as log:
        for _ in range(500):
            if "Server listening" in log.read():
                return
            if server.process.poll() is not None:
                break
            select_pause()
    raise AssertionError(f"sshd did not start: {server.log}")


def select_pause() -> None:
    """10 ms between two looks at a log file, which offers nothing to wait on."""
    signal.sigtimedwait([], 0.01)
