"""The machine that the harness itself runs on, from /proc: nothing is asked of the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from blackstart.model.circumstances import Here, LocalMount, Route
from blackstart.model.facts import Observed

SOURCE = "/proc/net, /proc/self/mounts, /etc/resolv.conf of this machine"
ROOT = Path("/")
_UP, _GATEWAY, _REJECT = 0x1, 0x2, 0x200  # route(8), linux/route.h
_LEAF = re.compile(r"^\s*\|-- (\S+)$")
_STUB = "127.0.0.53"
_ADDRESS = re.compile(r"(?:^|,)addr=([^,]+)")
_SERVER = re.compile(r"^(?://([^/]+)/|([^/:]+|\[[^]]+\]):/)")
_OCTAL = re.compile(r"\\([0-7]{3})")


def look_here(root: Path = ROOT) -> Observed[Here]:
    """This machine as the kernel shows it to this process (its own network namespace)."""
    try:
        return Observed(
            source=SOURCE,
            value=Here(
                boot_id=(root / "proc/sys/kernel/random/boot_id").read_text().strip(),
                addresses=tuple(_own(root / "proc/net/fib_trie")),
                routes=tuple(_routes(root / "proc/net/route")),
                resolvers=tuple(_resolvers(root)),
                mounts=tuple(_mounts(root / "proc/self/mounts")),
            ),
        )
    except (OSError, ValueError, IndexError) as error:
        return Observed(source=SOURCE, error=f"{type(error).__name__}: {error}")


def _own(path: Path) -> Iterator[IPv4Address]:
    """Addresses of this machine: leaves of the trie that are host routes to itself."""
    leaf = ""
    seen: set[str] = set()
    for line in path.read_text().splitlines():
        match = _LEAF.match(line)
        if match:
            leaf = match[1]
        elif "/32 host LOCAL" in line and leaf not in seen and not leaf.startswith("127."):
            seen.add(leaf)
            yield IPv4Address(leaf)


def _routes(path: Path) -> Iterator[Route]:
    """Fields are hexadecimal and in the machine's byte order: little-endian on all we run on."""
    for line in path.read_text().splitlines()[1:]:
        fields = line.split()
        flags = int(fields[3], 16)
        if not flags & _UP or flags & _REJECT:
            continue
        gateway = _address(fields[2]) if flags & _GATEWAY else None
        network = IPv4Network(f"{_address(fields[1])}/{_address(fields[7])}")
        yield Route(network=network, gateway=gateway, metric=int(fields[6]))


def _address(text: str) -> IPv4Address:
    return IPv4Address(bytes.fromhex(text)[::-1])


def _resolvers(root: Path) -> Iterator[str]:
    """Name servers; those behind systemd-resolved's stub when that is all there is."""
    servers = list(_nameservers(root / "etc/resolv.conf"))
    if servers == [_STUB]:
        servers = list(_nameservers(root / "run/systemd/resolve/resolv.conf"))
    yield from servers


def _nameservers(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines() if path.exists() else []:
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            yield words[1]


def _mounts(path: Path) -> Iterator[LocalMount]:
    """The server of a network file system is in ``addr=`` (nfs(5), mount.cifs(8)) or the source."""
    for line in path.read_text().splitlines():
        source, target, _, options = line.split(" ")[:4]
        address, named = _ADDRESS.search(options), _SERVER.match(source)
        server = address[1] if address else (named[1] or named[2]) if named else None
        plain = _OCTAL.sub(lambda match: chr(int(match[1], 8)), target)
        yield LocalMount(path=plain, server=server)
