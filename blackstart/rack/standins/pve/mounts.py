"""What is mounted where, and bounded questions to file systems that may hang."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import Died

REACH_TIMEOUT_S = 2
"""The vendor gives a directory this long to answer before it calls the store inactive."""
LISTING_TIMEOUT_S = 10
_NETWORKED = ("nfs", "cifs", "fuse", "9p")


@dataclass(frozen=True, slots=True)
class Space:
    """Size of a file system, in bytes."""

    total: int
    used: int
    available: int


def mount_points(mountinfo: Path) -> dict[str, str]:
    """Mount point -> file system type; the last mount on a point counts (proc(5))."""
    points: dict[str, str] = {}
    for line in mountinfo.read_text().splitlines():
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode().decode("unicode_escape")
        points[point] = after.split(" ")[0]
    return points


def is_networked(path: Path, points: dict[str, str]) -> bool:
    """Whether the path lies on a file system whose server may be gone."""
    for candidate in (path, *path.parents):
        if str(candidate) in points:
            return points[str(candidate)].startswith(_NETWORKED)
    return False


def is_reachable(path: Path, networked: bool) -> bool:
    """Whether the directory is there and answers, in at most ``REACH_TIMEOUT_S``."""
    if not networked:
        return path.is_dir()
    try:
        return _ask(["test", "-d", str(path)], REACH_TIMEOUT_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def space(path: Path, networked: bool) -> Space | None:
    """Size of the path's file system, or None when it is not there or not in time."""
    if not networked:
        if not path.is_dir():
            return None
        stat = os.statvfs(path)
        block, total, free, available = stat.f_frsize, stat.f_blocks, stat.f_bfree, stat.f_bavail
    else:
        try:
            answer = _ask(["stat", "-f", "-c", "%S %b %f %a", str(path)], REACH_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return None
        if answer.returncode != 0:
            return None
        block, total, free, available = map(int, answer.stdout.split())
    return Space(block * total, block * (total - free), block * available)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file below a store: path relative to it, sizes in bytes, change time in seconds."""

    path: str
    size: int
    used: int
    ctime: int


def list_files(directory: Path) -> list[FoundFile]:
    """Regular files at most two levels down; raises ``Died`` when it takes too long."""
    if not directory.is_dir():
        return []
    command = ["find", str(directory), "-maxdepth", "2", "-type", "f"]
    try:
        answer = _ask([*command, "-printf", r"%s %b %C@ %P\0"], LISTING_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise Died(f"unable to read '{directory}' - got timeout") from error
    found = []
    for record in filter(None, answer.stdout.split("\0")):
        size, blocks, changed, path = record.split(" ", 3)
        found.append(FoundFile(path, int(size), int(blocks) * 512, int(float(changed))))
    return found


def _ask(command: list[str], timeout_s: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
