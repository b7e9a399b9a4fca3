"""One verified ssh connection: opened within a bound, or refused with a reason and a remedy.

fabric carries it, but none of the files it would read by itself (``~/.ssh/config``,
``fabric.yaml``) has a say: what the inventory declares is all there is. fabric would
also accept and keep any unknown host key (``AutoAddPolicy``); here a key that is not in
the declared file is refused. sshd(8) describes that file.
"""

from __future__ import annotations

import logging
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from fabric import Config, Connection
from paramiko import RejectPolicy, SSHClient, SSHConfig
from paramiko.ssh_exception import (
    AuthenticationException,
    BadHostKeyException,
    PasswordRequiredException,
    SSHException,
)

from blackstart.drivers import known_hosts
from blackstart.drivers.known_hosts import KnownHosts
from blackstart.errors import DriverError, TimedOut, Unreachable

# SYNs are sent after 0, 1, 3 and 7 s (tcp(7)): whoever answers none of them is away, or a
# firewall swallows them; a whole bound of a minute would tell nothing more.
CONNECT_S = 10.0
KEEPALIVE_S = 5
PEER_SILENCE_S = 12
LOG = "blackstart.ssh"
# paramiko tries a key file as one kind of key after the other, and keeps the last one's complaint:
# of an RSA key that was refused there is no other trace.
_OTHER_KIND = re.compile(r"^encountered \w+ key, expected|^Invalid key")
# Python, and pytest for a drill that did not pass, would print paramiko's own tracebacks to the
# terminal; what a person needs of them is in our errors. Not to propagate is not enough:
# pytest 9 listens to such loggers, too.
logging.getLogger(LOG).disabled = True


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where and how one host is reached. ``key`` absent: the agent and default keys are tried."""

    address: str
    port: int
    user: str
    key: Path | None
    known_hosts: Path


class LoginRefused(Unreachable):
    """The host key or the login was refused: trying again soon only makes sshd penalise us."""


class KeyRefused(LoginRefused):
    """The host is the right one, and accepts none of our keys for that user."""


def dial(host: str, target: SshTarget, *, timeout_s: float) -> Connection:
    """An open, verified connection; each of its steps is bounded by ``timeout_s`` seconds.

    The first, a TCP connection, by 10 s at most: an address that swallows packets is known
    sooner than a host that is slow. Raises ``LoginRefused`` for an unknown or changed host key
    and for a refused login, ``TimedOut`` or ``Unreachable`` for all else.
    """
    connection = Connection(
        target.address,
        user=target.user,
        port=target.port,
        config=Config(lazy=True, ssh_config=SSHConfig()),
        connect_kwargs={
            # Not fabric's connect_timeout: it cuts to whole seconds, and 0.9 s to no bound at all.
            "timeout": timeout_s,
            "key_filename": [str(target.key)] if target.key else [],
            "allow_agent": target.key is None,
            "look_for_keys": target.key is None,
            "banner_timeout": timeout_s,
            "auth_timeout": timeout_s,
            "channel_timeout": timeout_s,
        },
    )
    known = _known_hosts(host, target)
    connection.client = _client(known)
    try:
        # Not by paramiko: its bound for this one is that of the whole key exchange as well, which
        # takes more than 10 s on a busy emulated processor.
        connection.connect_kwargs["sock"] = _reach(target, min(timeout_s, CONNECT_S))
        connection.open()
        if connection.transport.get_remote_server_key().get_base64() in known.revoked:
            raise LoginRefused(f"{host}: its host key is marked @revoked in {target.known_hosts}")
    except Exception as error:
        connection.client.close()
        raise explain(host, target, error) from error
    _notice_dead_peer(connection)
    return connection


def _reach(target: SshTarget, timeout_s: float) -> socket.socket:
    return socket.create_connection((target.address, target.port), timeout_s)


def _known_hosts(host: str, target: SshTarget) -> KnownHosts:
    try:
        return known_hosts.read(target.known_hosts)
    except OSError as error:
        raise LoginRefused(
            f"{host}: known_hosts file {target.known_hosts} cannot be read "
            f"({error.strerror}); {_how_to_know(target)}"
        ) from error


def _client(known: KnownHosts) -> SSHClient:
    client = SSHClient()
    client.set_missing_host_key_policy(RejectPolicy())
    client.set_log_channel(LOG)
    known.add_to(client.get_host_keys())
    return client


def _notice_dead_peer(connection: Connection) -> None:
    """Break the connection when the peer acknowledges nothing for ``PEER_SILENCE_S`` seconds.

    paramiko's keepalive only sends; it is tcp(7)'s TCP_USER_TIMEOUT that turns a keepalive
    nobody acknowledges into an error, where TCP alone would wait for a quarter of an hour.
    """
    connection.transport.set_keepalive(KEEPALIVE_S)
    raw = connection.transport.sock
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PEER_SILENCE_S * 1000)


def _how_to_know(target: SshTarget) -> str:
    port = f"-p {target.port} " if target.port != 22 else ""
    return (
        f"read its key on its own console, then add it to {target.known_hosts} "
        f"(`ssh-keyscan {port}{target.address}` prints what answers now, be it the host "
        "or an impostor: compare before adding)"
    )


def explain(host: str, target: SshTarget, error: Exception) -> DriverError:
    """What went wrong, in words for a person, with the remedy where there is one."""
    if isinstance(error, DriverError):
        return error
    kind: type[DriverError] = LoginRefused
    match error:
        case BadHostKeyException():
            words = (
                f"shows another host key than {target.known_hosts} has: reinstalled, or an "
                f"impostor; {_how_to_know(target)} and remove the old line"
            )
        case PasswordRequiredException():
            words = (
                f"the key {target.key} has a passphrase and nobody is asked for it; load it "
                "into ssh-agent and leave `key:` out of the inventory"
            )
        case AuthenticationException():
            kind = KeyRefused
            words = f"refuses {target.user} with {target.key or 'the keys of the agent'}: {error}"
        case SSHException() if _OTHER_KIND.search(str(error)):
            kind = KeyRefused
            words = f"refuses {target.user} with {target.key or 'the keys of the agent'}"
        case TimeoutError():
            kind, words = Unreachable, "nobody answers there, not even with a refusal"
        case OSError() if error.filename is not None:
            words = f"key {error.filename} cannot be read: {error.strerror}"
        case OSError():
            kind, words = Unreachable, error.strerror or str(error)
        case SSHException() if "not found in known_hosts" in str(error):
            words = f"its host key is not in {target.known_hosts}; {_how_to_know(target)}"
        case SSHException() if _handshake_timed_out(error):
            kind, words = TimedOut, "the port is open, but no ssh handshake within the bound"
        case _:
            kind, words = Unreachable, str(error) or type(error).__name__
    return kind(f"{host} ({target.address}:{target.port}): {words}")


def _handshake_timed_out(error: SSHException) -> bool:
    """Whether the bound ended the handshake: in paramiko's own thread, or in start_client's wait.

    Both run against the same bound and either may notice first. The thread reads the banner and
    raises the same words for a closed connection (EOFError), so its words alone say nothing.
    """
    return str(error) == "No existing session" or isinstance(error.__context__, TimeoutError)
