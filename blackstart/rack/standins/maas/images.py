"""Boot images: their sets, and the import that replaces them.

``complete`` of a file is what the importing process said of it *and* what is on disk. The state has
one writer: the process reports to a thread of the daemon, and dies with it. A set whose process
was stopped or killed stays incomplete until the next import replaces it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from .events import record_event
from .imagesync import MIB, Job, parameters
from .layout import Layout
from .store import Record, State, Store

STOP_LIMIT_S = 10.0
SOURCE = "http://images.maas.io/ephemeral-v3/stable/"
FILETYPES = ("boot-kernel", "boot-initrd", "squashfs")
LABEL = "stable"
IMPORTER = (sys.executable, "-m", "standins.maas", "import")


class ImageSync:
    """At most one import at a time. Thread-safe.

    ``importer`` is the command of the importing process.
    """

    def __init__(self, store: Store, layout: Layout, importer: Sequence[str] = IMPORTER) -> None:
        self._store = store
        self._layout = layout
        self._importer = tuple(importer)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether an import is at work, or what became of it is not in the state yet."""
        return self._reader is not None and self._reader.is_alive()

    def start(self) -> None:
        """Begin an import; nothing happens while one runs. What goes wrong is an event."""
        with self._lock:
            if self.running:
                return
            _log("maas.import-images", f"Downloading image descriptions from {SOURCE}")
            self._tell("DEBUG", "Started importing of boot images from 1 source(s).")
            try:
                job, version = self._prepare()
                self._spawn(job, version)
            except (OSError, ValueError, TypeError) as error:
                self._failed(str(error))

    def stop(self) -> None:
        """End a running import, within 10 s."""
        with self._lock:
            process, reader = self._process, self._reader
            if process is not None and process.poll() is None:
                process.terminate()
            if reader is not None:
                reader.join(STOP_LIMIT_S)

    def close(self) -> None:
        """End with the daemon."""
        self.stop()

    def complete(self, resource: Record, version: str) -> bool:
        """Whether a set is whole."""
        files = resource["sets"][version]["files"].values()
        return bool(files) and all(self.has(file) for file in files)

    def has(self, file: Record) -> bool:
        """Whether a file of a set is here as it should be."""
        path = self._layout.images / file["on_disk"]
        return bool(file["complete"]) and path.is_file() and path.stat().st_size == file["size"]

    def _prepare(self) -> tuple[Job, str]:
        """New sets in the state, all incomplete; files of older incomplete ones are removed."""
        wanted = parameters(self._layout.image_sync)
        version = time.strftime("%Y%m%d.%H%M%S", time.gmtime())
        size = wanted.mib_each * MIB
        names: list[str] = []
        with self._store.changing() as state:
            for resource in state["boot_resources"]:
                for old in [name for name in resource["sets"] if not self.complete(resource, name)]:
                    del resource["sets"][old]
                filetypes = FILETYPES[: max(0, wanted.resources - len(names))]
                if filetypes:
                    files = {kind: _file(resource, version, kind, size) for kind in filetypes}
                    resource["sets"][version] = {"label": LABEL, "files": files}
                    names += [file["on_disk"] for file in files.values()]
        self._sweep()
        return Job(str(self._layout.images), tuple(names), size, wanted), version

    def _spawn(self, job: Job, version: str) -> None:
        process = subprocess.Popen(
            self._importer, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        _log("temporalio.workflow", f"Syncing {len(job.files)} resources from upstream")
        reader = threading.Thread(target=self._follow, args=(process, version), daemon=True)
        self._process, self._reader = process, reader
        reader.start()
        # A process that has ended already is told by the reader.
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(job.text())

    def _follow(self, process: subprocess.Popen[str], version: str) -> None:
        """What the process reports, until it ends; it bounds itself."""
        done = self._listen(process.stdout, version) if process.stdout is not None else False
        code = process.wait()
        if done and code == 0:
            self._replace(version)
            self._tell("DEBUG", "Finished importing of boot images from 1 source(s).")
            _log("maas.import-images", "Finished importing boot images")
        else:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            self._failed(f"the importing process ended by {how}")

    def _listen(self, reports: IO[str], version: str) -> bool:
        """Whether it said that all is done."""
        done = False
        with reports:
            for line in reports:
                said = json.loads(line)
                done = done or bool(said.get("done"))
                if "file" in said:
                    with self._store.changing() as state:
                        _mark(state, version, said["file"], said["sha256"])
        return done

    def _replace(self, version: str) -> None:
        """Older sets give way to the new ones that are whole."""
        with self._store.changing() as state:
            for resource in state["boot_resources"]:
                if version in resource["sets"] and self.complete(resource, version):
                    resource["sets"] = {version: resource["sets"][version]}
        self._sweep()

    def _sweep(self) -> None:
        """Remove every file that no set has."""
        used = {
            file["on_disk"]
            for resource in self._store.snapshot()["boot_resources"]
            for held in resource["sets"].values()
            for file in held["files"].values()
        }
        self._layout.images.mkdir(exist_ok=True)
        for path in self._layout.images.iterdir():
            if path.name not in used:
                path.unlink()

    def _failed(self, why: str) -> None:
        self._tell("ERROR", f"Failed to import images: {why}")
        _log("maas.import-images", f"Failed to import images: {why}")

    def _tell(self, level: str, description: str) -> None:
        kind = "Region import error" if level == "ERROR" else "Region import info"
        with self._store.changing() as state:
            record_event(state, level, kind, description)


def _file(resource: Record, version: str, filetype: str, size: int) -> Record:
    name = f"{resource['id']}-{version}-{filetype}"
    return {"on_disk": name, "filetype": filetype, "sha256": "", "size": size, "complete": False}


def _mark(state: State, version: str, name: str, sha256: str) -> None:
    for resource in state["boot_resources"]:
        for file in resource["sets"].get(version, {"files": {}})["files"].values():
            if file["on_disk"] == name:
                file.update(sha256=sha256, complete=True)


def _log(program: str, text: str) -> None:
    print(f"{program}: [info] {text}", flush=True)
