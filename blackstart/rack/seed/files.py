"""The static file trees of the rack's roles, and how they are laid into a root."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from blackstart.rack.standins.pve.shipping import Shipped

TREES = Path(__file__).resolve().parents[1] / "files"


def lay(tree: str, root: Path) -> None:
    """Copy the static tree of that name over ``root``.

    Programs (files that begin with ``#!``) become executable, whatever a package
    manager did to their mode. Raises ``FileNotFoundError`` for an unknown tree.
    """
    source = TREES / tree
    if not source.is_dir():
        raise FileNotFoundError(source)
    for path in sorted(source.rglob("*")):
        target = root / path.relative_to(source)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            copy(path, target)


def copy(source: Path, target: Path) -> None:
    """Copy one file, its directories included; a program becomes executable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    with target.open("rb") as content:
        target.chmod(0o755 if content.read(2) == b"#!" else 0o644)


def place(shipped: Shipped, root: Path) -> None:
    """Write a file that a stand-in ships below ``root``, its directories included."""
    target = root / str(shipped.path).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(shipped.content)
    target.chmod(shipped.mode)


def mask(root: Path, units: Iterable[str], where: str = "etc/systemd/system") -> None:
    """Keep systemd units (or generators, by their own ``where``) from ever being started."""
    directory = root / where
    directory.mkdir(parents=True, exist_ok=True)
    for unit in units:
        (directory / unit).symlink_to("/dev/null")


def replace_directory(root: Path, path: str) -> None:
    """Make an overlay's directory hide the one below it, not merge with it.

    Needs a file system that stores ``trusted.*`` attributes, and root.
    """
    directory = root / path
    directory.mkdir(parents=True, exist_ok=True)
    os.setxattr(directory, "trusted.overlay.opaque", b"y")
