"""The declared known_hosts file, read as sshd(8) describes it.

paramiko's own reader ends with an exception at the first ``@revoked`` or
``@cert-authority`` line, so that a file OpenSSH is happy with could not be used at all,
and takes no notice of a revocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from paramiko import HostKeys, SSHException
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """Keys by host, and the keys (base64) that must never be accepted."""

    entries: tuple[HostKeyEntry, ...]
    revoked: frozenset[str]

    def add_to(self, keys: HostKeys) -> None:
        """Put the entries into a client's table."""
        for entry in self.entries:
            for hostname in entry.hostnames or ():
                keys.add(hostname, entry.key.get_name(), entry.key)


def read(path: Path) -> KnownHosts:
    """Read a file. Raises ``OSError``; a line that is no key line is skipped, as OpenSSH does."""
    entries: list[HostKeyEntry] = []
    revoked: set[str] = set()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        if fields[0] == "@revoked":
            revoked.update(fields[3:4])
        elif not fields[0].startswith("@"):
            entry = _entry(" ".join(fields))
            if entry is not None:
                entries.append(entry)
    return KnownHosts(tuple(entries), frozenset(revoked))


def _entry(line: str) -> HostKeyEntry | None:
    try:
        return HostKeyEntry.from_line(line)
    except (InvalidHostKey, SSHException):
        return None
