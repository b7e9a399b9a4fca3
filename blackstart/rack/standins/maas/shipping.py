"""What the stand-in puts into the guest of MAAS, for whoever composes its disk.

Runs on the host only; it reads this very package, so what is tested is shipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..pve.shipping import (
    INSTALL_ROOT,
    Shipped,
    shipped_commands,
    shipped_units,
    wanted_units,
)
from .dhcpd import ROOT_ONLY, configuration
from .first_state import image_content
from .imagesync import Parameters
from .layout import Layout
from .store import PRIVATE, State

PACKAGE = Path(__file__).parent
STANDINS = PACKAGE.parent
COMMANDS = {"maas": "/usr/bin/maas", "reservation": "/usr/sbin/maas-reservation"}
SHARED = (
    "__init__.py",
    "pve/__init__.py",
    "pve/errors.py",
    "pve/files.py",
    "pve/notify.py",
    "pve/programs.py",
)
"""Of the other stand-ins: how files survive a power cut, how systemd hears of readiness."""
_HOST_ONLY = {"shipping.py", "first_state.py"}


def programs() -> tuple[Shipped, ...]:
    """Package, units and commands, with absolute paths."""
    return (
        *_package(),
        *shipped_units(PACKAGE),
        *shipped_commands("standins.maas", COMMANDS),
    )


def enabled_units() -> tuple[str, ...]:
    """Units that ``multi-user.target`` wants."""
    return wanted_units(PACKAGE)


def first_files(state: State, secrets: Path, server: str) -> tuple[Shipped, ...]:
    """First content of the snap's common directory; ``server`` is the guest's name.

    dhcpd's configuration is that which the stand-in itself would write from the state.
    """
    layout = Layout()
    texts = {
        layout.state: (json.dumps(state, indent=1), PRIVATE),
        layout.dhcpd_conf: (configuration(state), ROOT_ONLY),
        layout.image_sync: (Parameters().text(), 0o644),
        layout.certificate: ((secrets / f"{server}.crt").read_text(), 0o644),
        layout.key: ((secrets / f"{server}.key").read_text(), PRIVATE),
        layout.authority: ((secrets / "ca.crt").read_text(), 0o644),
    }
    found = [
        Shipped(PurePosixPath(path), text.encode(), mode) for path, (text, mode) in texts.items()
    ]
    for resource in state["boot_resources"]:
        for held in resource["sets"].values():
            for file in held["files"].values():
                path = PurePosixPath(layout.images / file["on_disk"])
                found.append(Shipped(path, image_content(file["on_disk"]), 0o644))
    return tuple(found)


def _package() -> Iterator[Shipped]:
    sources = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name not in _HOST_ONLY]
    for source in [*(STANDINS / name for name in SHARED), *sources]:
        path = INSTALL_ROOT / "standins" / source.relative_to(STANDINS).as_posix()
        yield Shipped(path, source.read_bytes(), 0o644)
