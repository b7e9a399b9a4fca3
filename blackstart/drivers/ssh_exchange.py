"""One command on one channel: input, output and exit status, read together and bounded."""

from __future__ import annotations

import time

from paramiko import Channel

from blackstart.drivers.base import CommandResult
from blackstart.errors import DriverError, TimedOut, Unreachable

MAX_OUTPUT_BYTES = 8 * 1024 * 1024
POLL_S = 0.1
GRACE_S = 1.0
# A daemon that the command left behind keeps the output open after the command has ended.
LINGER_S = 1.0
_CHUNK = 65536


class _Output:
    """What has been printed so far, on both streams."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.open = True

    def pump(self) -> None:
        """Take what is there, waiting at most ``POLL_S`` seconds for more."""
        try:
            data = self._channel.recv(_CHUNK)
            self.open = bool(data)
            self.stdout += data
        except TimeoutError:
            pass  # nothing on stdout now; stderr may have something
        while self._channel.recv_stderr_ready():
            self.stderr += self._channel.recv_stderr(_CHUNK)
            self._check_size()
        self._check_size()

    def _check_size(self) -> None:
        if len(self.stdout) + len(self.stderr) > MAX_OUTPUT_BYTES:
            raise DriverError(
                f"the command prints more than {MAX_OUTPUT_BYTES // 1024 // 1024} MiB; "
                "bound it, as with tail or head"
            )


class _Input:
    """What is still to be sent, then the end of input."""

    def __init__(self, channel: Channel, text: str | None) -> None:
        self._channel = channel
        self._pending = (text or "").encode()
        self._ended = False

    def pump(self) -> None:
        """Send as much as goes without waiting."""
        try:
            if self._pending and self._channel.send_ready():
                self._pending = self._pending[self._channel.send(self._pending[:_CHUNK]) :]
        except OSError:
            # The command ended without reading all of it, which is its own affair.
            self._pending = b""
        if not self._pending and not self._ended:
            self._channel.shutdown_write()
            self._ended = True


def exchange(channel: Channel, command: str, stdin: str | None, deadline: float) -> CommandResult:
    """Run ``command``; ``deadline`` on ``time.monotonic``, with one second of grace.

    Input and output take turns, so that a command which prints before it has read all
    its input cannot deadlock with us. Raises ``TimedOut``, ``Unreachable`` when the
    connection broke under it, ``DriverError`` when it prints too much.
    """
    channel.exec_command(command)
    channel.settimeout(POLL_S)
    output = _Output(channel)
    feed = _Input(channel, stdin)
    ended_at: float | None = None
    while True:
        feed.pump()
        if not output.open:
            channel.status_event.wait(POLL_S)
        output.pump()
        now = time.monotonic()
        if channel.exit_status_ready():
            ended_at = ended_at or now
            if not output.open or now - ended_at > LINGER_S:
                break
        if now > deadline + GRACE_S:
            raise TimedOut(
                "the command had not ended within the bound",
                stdout=_text(output.stdout),
                stderr=_text(output.stderr),
            )
    if channel.exit_status < 0:
        raise Unreachable("the connection broke while the command ran")
    return CommandResult(
        exit_code=channel.exit_status,
        stdout=_text(output.stdout),
        stderr=_text(output.stderr),
    )


def _text(data: bytearray) -> str:
    return data.decode(errors="replace")
