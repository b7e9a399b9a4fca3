"""What a stand-in ships, laid out as on its machine, and Python run there as the machine's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from blackstart.rack.standins.pve.shipping import INSTALL_ROOT, Shipped


def laid_out(root: Path, files: Iterable[Shipped]) -> Path:
    """The files below ``root``, which is given back."""
    for shipped in files:
        path = root / str(shipped.path).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shipped.content)
        path.chmod(shipped.mode)
    return root


def python(root: Path, code: str) -> str:
    """What a piece of code prints that sees the shipped packages and nothing of ours."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(root / str(INSTALL_ROOT).lstrip("/"))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
