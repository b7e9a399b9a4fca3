"""Commands over ssh: one persistent connection a host, and nothing that waits without a bound.

A command runs as ``timeout -k 2 N sh -c ...`` on the host, so that it ends there even when
the connection is gone; what cannot be killed (a process in an uninterruptible read of a
dead NFS server) is left behind, because the wait on this side is bounded as well.
"""

from __future__ import annotations

import math
import shlex
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager

from fabric import Connection
from paramiko import Channel, ChannelException
from paramiko.ssh_exception import SSHException

from blackstart.drivers.base import CommandResult
from blackstart.drivers.bounded import Abandoned, within
from blackstart.drivers.ssh_connection import LoginRefused, SshTarget, dial, explain
from blackstart.drivers.ssh_exchange import exchange
from blackstart.drivers.triage import Triage
from blackstart.errors import DriverError, TimedOut, Unreachable
from blackstart.model.closed import WITHOUT_SSH

KILL_AFTER_S = 2
LOCAL_GRACE_S = 1.0
SESSIONS_PER_HOST = 8  # sshd's MaxSessions is 10 unless somebody lowered it
# On a connection that was good before. A new one may take its whole bound: while a machine
# boots, pam_systemd holds the first session back until logind answers (seen: more than 5 s).
OPEN_CHANNEL_S = 5.0
# sshd since 9.8 adds 5 s of penalty for a failed login and refuses the address at 15 s
# (sshd_config(5), PerSourcePenalties): one failure every 6 s never gets there.
REFUSED_PAUSE_S = 6.0
# timeout(1): 124 when TERM was enough, 137 when it took KILL.
TIMEOUT_EXITS = (124, 137)


class _Link:
    """The connection to one host, shared by all threads that run something there."""

    def __init__(self, host: str, target: SshTarget) -> None:
        self.host = host
        self.target = target
        self._lock = threading.Lock()
        self._sessions = threading.BoundedSemaphore(SESSIONS_PER_HOST)
        self._connection: Connection | None = None
        self._refused: LoginRefused | None = None
        self._refused_until = 0.0

    @contextmanager
    def channel(self, deadline: float) -> Iterator[Channel]:
        """A channel on the connection that is there, or on a new one.

        A connection that turns out to be dead is replaced once: nothing has been sent yet.
        """
        if not self._sessions.acquire(timeout=self.left(deadline)):
            raise TimedOut(f"{self.host}: {SESSIONS_PER_HOST} commands are running there already")
        try:
            connection, fresh = self._connected(deadline)
            left = self.left(deadline)
            try:
                channel = self._open(connection, left if fresh else min(left, OPEN_CHANNEL_S))
            except (Unreachable, TimedOut):
                self.drop(connection)
                if fresh:
                    raise
                channel = self._open(self._connected(deadline)[0], self.left(deadline))
            with closing(channel):
                yield channel
        finally:
            self._sessions.release()

    def _open(self, connection: Connection, timeout_s: float) -> Channel:
        try:
            channel: Channel = connection.transport.open_session(timeout=timeout_s)
        except ChannelException as error:
            raise DriverError(
                f"{self.host}: sshd refuses another session on the connection ({error.text}); "
                "see MaxSessions in its sshd_config"
            ) from error
        except (SSHException, EOFError, OSError) as error:
            if "Timeout opening channel" in str(error):
                raise TimedOut(f"{self.host}: logged in, but no session in time") from error
            raise Unreachable(f"{self.host}: the connection is dead: {error}") from error
        return channel

    def _connected(self, deadline: float) -> tuple[Connection, bool]:
        if not self._lock.acquire(timeout=self.left(deadline)):
            raise TimedOut(f"{self.host}: still connecting for another command")
        try:
            if self._connection is not None and self._connection.is_connected:
                return self._connection, False
            if self._refused is not None and time.monotonic() < self._refused_until:
                raise self._refused
            try:
                self._connection = dial(self.host, self.target, timeout_s=self.left(deadline))
            except LoginRefused as error:
                self._refused, self._refused_until = error, time.monotonic() + REFUSED_PAUSE_S
                raise
            self._refused = None
            return self._connection, True
        finally:
            self._lock.release()

    def left(self, deadline: float) -> float:
        """Seconds until the deadline, or ``TimedOut``."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"{self.host}: no answer within the bound")
        return left

    def drop(self, connection: Connection | None = None) -> None:
        """Close the connection, unless it is no longer ``connection``; never waits for it."""
        current = self._connection
        if current is None or (connection is not None and connection is not current):
            return
        self._connection = None
        # Closing joins paramiko's thread, which may itself be stuck in a dead socket.
        threading.Thread(target=current.client.close, daemon=True).start()


class SshRunner:
    """``CommandRunner`` over ssh, for the hosts in ``targets``. Thread-safe."""

    def __init__(
        self,
        targets: Mapping[str, SshTarget],
        closed: Collection[str] = frozenset(),
        triage: Triage | None = None,
    ) -> None:
        """``closed`` names hosts of which the owner says that nobody logs in there.

        Who is away by ``triage``, under the host's name, is not tried.
        """
        self._links = {host: _Link(host, target) for host, target in targets.items()}
        self._closed = frozenset(closed)
        self._triage = triage or Triage()

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        """Run ``command`` with a POSIX shell, at most ``timeout_s`` seconds, connecting included.

        Raises ``Unreachable`` when there is no connection (its subclass ``LoginRefused``
        when host key or login are refused) and ``TimedOut``; ``DriverError`` when the
        command prints more than 8 MiB. A non-zero exit is no error.
        """
        link = self._links.get(host)
        if host in self._closed:
            raise Unreachable(f"{host}: {WITHOUT_SSH}")
        if link is None:
            raise Unreachable(f"{host}: the inventory declares no ssh access to it")
        self._triage.refuse(host)
        deadline = time.monotonic() + timeout_s
        try:
            return within(
                lambda: self._converse(link, command, stdin, deadline),
                timeout_s=timeout_s + 2 * LOCAL_GRACE_S,
                what=f"ssh {host}",
            )
        except Abandoned:
            link.drop()
            raise

    def _converse(
        self, link: _Link, command: str, stdin: str | None, deadline: float
    ) -> CommandResult:
        with link.channel(deadline) as channel:
            bound_s = math.ceil(max(link.left(deadline), 1))
            began = time.monotonic()
            try:
                result = exchange(channel, bounded(command, bound_s), stdin, deadline)
            except DriverError as error:
                error.args = (f"{link.host}: {error}",)
                raise
            except (SSHException, EOFError, OSError) as error:
                raise explain(link.host, link.target, error) from error
            if result.exit_code in TIMEOUT_EXITS and time.monotonic() - began >= bound_s - 0.1:
                raise TimedOut(
                    f"{link.host}: the command had not ended after {bound_s} s",
                    stdout=result.stdout,
                    stderr=result.stderr,
                )
            return result

    def forget(self, host: str) -> None:
        """Drop the connection to a host; commands still running on it end as ``Unreachable``."""
        if host in self._links:
            self._links[host].drop()

    def close(self) -> None:
        """Drop all connections."""
        for link in self._links.values():
            link.drop()


def bounded(command: str, bound_s: int) -> str:
    """``command`` so that it ends on the host itself after ``bound_s`` seconds.

    ``exit $?`` turns a death by signal into an exit status (128 + n): sshd would report
    such a death as ``exit-signal``, which paramiko does not pass on.
    """
    return f"timeout -k {KILL_AFTER_S} {bound_s} sh -c {shlex.quote(command)}; exit $?"
