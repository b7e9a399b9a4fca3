"""The disks of a rack's machines, made in its home from image and seed."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from blackstart.rack import image, pki, seed
from blackstart.rack.command import run
from blackstart.rack.home import Home
from blackstart.rack.image import Image
from blackstart.rack.phases import Say
from blackstart.rack.seed.base import data_uuid
from blackstart.rack.topology import Machine, Topology

HERE = Path(__file__).parent
DISK_TIMEOUT_S = 120.0
PLAIN_DIRECTORY = 0o755


def home_name(topology: Topology) -> str:
    """The name of the home of a topology: its name and the hash of all that makes it."""
    digest = hashlib.sha256(f"{image.content_hash()}{topology!r}".encode())
    sources = [HERE / name for name in ("pki.py", "disks.py", "qemu_command.py")]
    for part in ("seed", "files", "standins"):
        sources += [p for p in (HERE / part).rglob("*") if p.is_file() and p.suffix != ".pyc"]
    for path in sorted(sources):
        mode = stat.S_IMODE(path.stat().st_mode)
        digest.update(f"{path.relative_to(HERE)} {mode:o}".encode() + path.read_bytes())
    return f"{topology.name}-{digest.hexdigest()[:16]}"


def prepare(home: Home, topology: Topology, base: Image, say: Say) -> None:
    """Make secrets, seeds and disks; everything that was in the home before is lost.

    Raises `RackError` when a disk cannot be made. A home that was interrupted
    half-way has no saved state and is made anew.
    """
    if home.directory.exists():
        shutil.rmtree(home.directory)
    home.directory.mkdir(parents=True)
    say("keys and certificates")
    pki.fill(home.secrets, topology)
    say("seeds and disks")
    with ThreadPoolExecutor(max_workers=len(topology.machines)) as pool:
        done = [pool.submit(_machine, home, topology, m, base) for m in topology.machines]
        for future in done:
            future.result()


def _machine(home: Home, topology: Topology, machine: Machine, base: Image) -> None:
    files = home.machine(machine.name)
    files.directory.mkdir()
    with TemporaryDirectory(dir=files.directory, prefix="seed-") as temporary:
        tree = Path(temporary)
        seed.compose(topology, machine, home.secrets, tree)
        pack(tree / "root", files.seed)
        run(
            [
                "mkfs.ext4",
                "-q",
                "-F",
                "-L",
                "data",
                "-U",
                data_uuid(topology, machine),
                "-m",
                "0",
                "-E",
                "lazy_itable_init=0,lazy_journal_init=0",
                "-J",
                "size=16",
                "-d",
                tree / "data",
                files.data_image,
                f"{machine.data_disk_gib}G",
            ],
            timeout=DISK_TIMEOUT_S,
        )
    for disk, backing in ((files.root_disk, base.disk), (files.data_disk, files.data_image)):
        run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", backing, disk],
            timeout=DISK_TIMEOUT_S,
        )


def pack(tree: Path, archive: Path) -> None:
    """Write a tree as a tar that is laid over an existing root file system.

    Directories appear only when empty or with a mode of their own: an ordinary
    one must not change the mode that the image has for it.
    """
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for directory, names, files in os.walk(tree):
            names.sort()
            here = Path(directory)
            ordinary = stat.S_IMODE(here.stat().st_mode) == PLAIN_DIRECTORY
            if here != tree and (not ordinary or not (names or files)):
                tar.add(here, str(here.relative_to(tree)), recursive=False)
            links = [name for name in names if (here / name).is_symlink()]
            for name in sorted([*files, *links]):
                tar.add(here / name, str((here / name).relative_to(tree)), recursive=False)


def seed_hash(archive: Path) -> str:
    """What the initramfs compares with its marker: the tar's SHA-256."""
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
