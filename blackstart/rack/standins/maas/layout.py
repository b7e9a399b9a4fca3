"""Where everything lies in the guest; tests lay it out in a directory of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

COMMON = Path("/var/snap/maas/common/maas")


@dataclass(frozen=True, slots=True)
class Layout:
    """Files below the snap's common directory."""

    common: Path = COMMON

    @property
    def state(self) -> Path:
        """All that MAAS' database would have; readable by root alone."""
        return self.common / "state.json"

    @property
    def image_sync(self) -> Path:
        """Parameters of the image sync (``imagesync.Parameters``)."""
        return self.common / "image-sync.json"

    @property
    def images(self) -> Path:
        """The files of boot images."""
        return self.common / "image-storage"

    @property
    def dhcpd_conf(self) -> Path:
        """What dhcpd is started with."""
        return self.common / "dhcpd.conf"

    @property
    def certificate(self) -> Path:
        """Of the API, for the guest's address."""
        return self.common / "http" / "maas.crt"

    @property
    def key(self) -> Path:
        """Private key of ``certificate``."""
        return self.common / "http" / "maas.key"

    @property
    def authority(self) -> Path:
        """The CA that signed ``certificate``."""
        return self.common / "http" / "ca.crt"
