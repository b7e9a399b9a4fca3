"""Where a rack keeps its files: the cache, the home of one rack, its run-time record."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RUNTIME = Path("/run/blackstart-rack")
CONTROLLER_SOCKET = RUNTIME / "controller.sock"
CLONE = Path(__file__).resolve().parents[2]


def cache() -> Path:
    """The rack's part of the XDG cache of the person who runs it."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "blackstart" / "rack"


@dataclass(frozen=True, slots=True)
class MachineFiles:
    """The files of one machine below a rack's home."""

    directory: Path

    @property
    def root_disk(self) -> Path:
        """Overlay on the image; holds the machine's own root file system."""
        return self.directory / "root.qcow2"

    @property
    def data_image(self) -> Path:
        """What the data disk starts with (raw ext4, never written)."""
        return self.directory / "data.raw"

    @property
    def data_disk(self) -> Path:
        """Overlay on `data_image`."""
        return self.directory / "data.qcow2"

    @property
    def seed(self) -> Path:
        """Tar of the files that make the machine itself."""
        return self.directory / "seed.tar"

    @property
    def serial_log(self) -> Path:
        """What the machine says on its serial console."""
        return self.directory / "serial.log"


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of one rack: its secrets, disks and saved state."""

    directory: Path

    @property
    def secrets(self) -> Path:
        """Keys and certificates, made by `blackstart.rack.pki`."""
        return self.directory / "secrets"

    @property
    def saved(self) -> Path:
        """Exists when every machine's disks hold the pristine state."""
        return self.directory / "saved.json"

    @property
    def controller_log(self) -> Path:
        """What the controller process wrote."""
        return self.directory / "controller.log"

    def machine(self, name: str) -> MachineFiles:
        """The files of the machine of that name."""
        return MachineFiles(self.directory / name)
