"""Tasks: accepted is not done, and how it ended is in the task's own log.

Layout as the vendor's: ``index`` has a line per finished task, newest last;
``X/UPID`` is the log of one, X the last digit of its start time. ``active``
holds an empty file per task that has begun. A task runs as long as somebody
holds the lock on its log, so one whose process was killed is found out.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .errors import BadParameters, Died
from .upid import Upid, parse_upid

OK = "OK"
LOST = "unexpected status"
NO_SUCH_LOG = "unable to open file - No such file or directory"
_END_OK, _END_ERROR, _END_WARNINGS = "TASK OK", "TASK ERROR: ", "TASK WARNINGS: "


@dataclass(frozen=True, slots=True)
class Finished:
    """A line of the index; ``ended`` in seconds since 1970."""

    upid: Upid
    ended: int
    status: str


class Task:
    """A task under way: its log, and the warnings counted so far."""

    def __init__(self, upid: Upid, stream: IO[str], echo: Callable[[str], None] | None) -> None:
        self.upid = upid
        self._stream = stream
        self._echo = echo
        self._warnings = 0

    def say(self, line: str) -> None:
        """Write a line to the log, and to the terminal when a person runs the command."""
        print(line, file=self._stream, flush=True)
        if self._echo:
            self._echo(line)

    def warn(self, text: str) -> None:
        """Write a warning; a task with warnings ends in ``WARNINGS: N``, which is a success."""
        self._warnings += 1
        self.say(f"WARN: {text}")

    def run(self, work: Callable[[Task], None]) -> str:
        """Do the work, close the log and return the exit status."""
        try:
            work(self)
            status = f"WARNINGS: {self._warnings}" if self._warnings else OK
        except Died as error:
            status = error.text
        except OSError as error:
            status = str(error)
        print(_last_line(status), file=self._stream, flush=True)
        os.fsync(self._stream.fileno())
        return status

    def close(self) -> None:
        """Give up the lock by which others see that the task runs."""
        self._stream.close()


class Tasks:
    """All tasks of one node. ``announce`` is called after each change of the lists."""

    def __init__(self, directory: Path, node: str, announce: Callable[[Tasks], None]) -> None:
        self._directory = directory
        self._node = node
        self._announce = announce
        (directory / "active").mkdir(parents=True, exist_ok=True)

    def spawn(self, kind: str, subject: str, user: str, work: Callable[[Task], None]) -> str:
        """Run ``work`` in a thread of its own; returns the UPID at once."""
        task = self._begin(kind, subject, user, None)
        thread = threading.Thread(target=self._finish, args=(task, work), daemon=True)
        thread.start()
        return str(task.upid)

    def run(
        self,
        kind: str,
        subject: str,
        user: str,
        work: Callable[[Task], None],
        echo: Callable[[str], None] | None = None,
    ) -> str:
        """Run ``work`` here and now; returns the exit status."""
        return self._finish(self._begin(kind, subject, user, echo), work)

    def running(self, upid: Upid) -> bool:
        """Whether somebody still holds the lock on the task's log."""
        try:
            with self._log_path(upid).open() as stream:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def status(self, text: str) -> dict[str, str | int]:
        """Running, or stopped with an exit status; raises ``BadParameters`` for an unknown task."""
        upid = parse_upid(text)
        if not self._log_path(upid).exists():
            raise BadParameters({"upid": "no such task"})
        fields = upid.fields() | {"pid": upid.pid, "pstart": upid.pstart}
        if self.running(upid):
            return fields | {"status": "running"}
        return fields | {"status": "stopped", "exitstatus": self._exit_status(upid)}

    def log(self, text: str) -> list[str]:
        """The log's lines; an unknown task has one line that says so."""
        try:
            return self._log_path(parse_upid(text)).read_text().splitlines()
        except FileNotFoundError:
            return [NO_SUCH_LOG]

    def finished(self) -> list[Finished]:
        """The index, newest first."""
        try:
            lines = (self._directory / "index").read_text().splitlines()
        except FileNotFoundError:
            return []
        entries = []
        for line in reversed(lines):
            upid, ended, status = line.split(" ", 2)
            entries.append(Finished(parse_upid(upid), int(ended, 16), status))
        return entries

    def active(self) -> list[Upid]:
        """Tasks under way, newest first."""
        return sorted(self._active(), key=lambda upid: upid.starttime, reverse=True)

    def settle(self) -> None:
        """Enter tasks whose process is gone into the index, as lost."""
        for entry in (self._directory / "active").iterdir():
            upid = parse_upid(entry.name)
            if not self.running(upid):
                self._enter(upid, self._exit_status(upid))

    def _active(self) -> Iterator[Upid]:
        for entry in (self._directory / "active").iterdir():
            upid = parse_upid(entry.name)
            if self.running(upid):
                yield upid

    def _begin(
        self, kind: str, subject: str, user: str, echo: Callable[[str], None] | None
    ) -> Task:
        while True:
            pstart = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 10_000_000
            now = int(time.time())
            upid = Upid(self._node, os.getpid(), pstart, now, kind, subject, user)
            path = self._log_path(upid)
            path.parent.mkdir(exist_ok=True)
            try:
                stream = path.open("x")
            except FileExistsError:
                time.sleep(0.01)  # the same task within the same hundredth of a second
                continue
            fcntl.flock(stream, fcntl.LOCK_EX)
            (self._directory / "active" / str(upid)).touch()
            self._announce(self)
            return Task(upid, stream, echo)

    def _finish(self, task: Task, work: Callable[[Task], None]) -> str:
        status = LOST  # what stays when the work dies of something nobody foresaw
        try:
            status = task.run(work)
        finally:
            self._enter(task.upid, status)
            task.close()
            self._announce(self)
        return status

    def _enter(self, upid: Upid, status: str) -> None:
        with (self._directory / "index").open("a") as index:
            fcntl.flock(index, fcntl.LOCK_EX)
            one_line = " ".join(status.split())
            print(f"{upid} {int(time.time()):08X} {one_line}", file=index, flush=True)
        (self._directory / "active" / str(upid)).unlink(missing_ok=True)

    def _exit_status(self, upid: Upid) -> str:
        lines = self._log_path(upid).read_text().splitlines()
        last = lines[-1] if lines else ""
        if last == _END_OK:
            return OK
        if last.startswith(_END_WARNINGS):
            return last.removeprefix("TASK ")
        return last.removeprefix(_END_ERROR) if last.startswith(_END_ERROR) else LOST

    def _log_path(self, upid: Upid) -> Path:
        return self._directory / f"{upid.starttime:08X}"[-1] / str(upid)


def _last_line(status: str) -> str:
    if status == OK:
        return _END_OK
    if status.startswith("WARNINGS: "):
        return f"TASK {status}"
    return f"{_END_ERROR}{status}"
