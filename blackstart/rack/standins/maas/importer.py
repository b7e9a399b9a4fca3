"""The importing process: "downloads" files at once, hashes and writes them, and holds memory.

Reads its job from standard input and reports on standard output, one JSON object a line: each
file that is on disk as ``{"file": …, "sha256": …}``, at the end ``{"done": true}``. Nothing
leaves the guest: the bytes are random. It ends by itself in any case (alarm(2)).
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .ballast import Ballast, GuestMemory
from .imagesync import Job

CHUNK = 64 * 1024
TICK_S = 0.25
PEAK_AT = 0.75
"""Of the files, when all memory is held: they are whole only after the guest has been biggest."""
OVERTIME_S = 240
"""Beyond what the job takes: an emulated processor may be busy with something else."""


class Progress:
    """Bytes that are written, of all. Thread-safe."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._written = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """So many more."""
        with self._lock:
            self._written += count

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self._written / self._total


def main(_arguments: list[str]) -> int:
    """Do one job; 1 when a file could not be written."""
    job = Job.parse(sys.stdin.readline())
    signal.alarm(int(job.parameters.sync_s + job.parameters.hold_s) + OVERTIME_S)
    run(job, GuestMemory(), Ballast())
    return 0


def run(job: Job, memory: GuestMemory, ballast: Ballast) -> None:
    """Do the job. Raises ``OSError`` when a file cannot be written."""
    progress = Progress(len(job.files) * job.size)
    base = memory.held()
    room = max(0, int(job.parameters.memory_share * memory.limit()) - base)
    with ThreadPoolExecutor(job.parameters.concurrency) as pool:
        downloads = [pool.submit(_download, job, name, progress) for name in job.files]
        while not all(download.done() for download in downloads):
            _hold(ballast, memory, base, int(room * min(1.0, progress.share / PEAK_AT)))
            time.sleep(TICK_S)
    for download in downloads:
        download.result()
    _hold(ballast, memory, base, room)
    time.sleep(job.parameters.hold_s)
    _report({"done": True})


def _hold(ballast: Ballast, memory: GuestMemory, base: int, wanted: int) -> None:
    """Grow until the guest holds ``wanted`` bytes more than at the beginning.

    What the downloads themselves take counts too, so that the guest stays within its share.
    """
    ballast.grow(wanted - max(ballast.size, memory.held() - base))


def _download(job: Job, name: str, progress: Progress) -> None:
    """One file, spread over its part of the sync's time."""
    rounds = -(-len(job.files) // job.parameters.concurrency)
    lasts_s = job.parameters.sync_s / rounds
    begun, digest, written = time.monotonic(), hashlib.sha256(), 0
    path = Path(job.directory) / name
    with path.open("wb") as file:
        while written < job.size:
            chunk = os.urandom(min(CHUNK, job.size - written))
            digest.update(chunk)
            file.write(chunk)
            written += len(chunk)
            progress.add(len(chunk))
            early = begun + lasts_s * written / job.size - time.monotonic()
            time.sleep(max(0.0, early))
        file.flush()
        os.fsync(file.fileno())
    _report({"file": name, "sha256": digest.hexdigest()})


def _report(line: dict[str, object]) -> None:
    # One call: the files' threads write at once.
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
