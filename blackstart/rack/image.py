"""The one image of all machines and guests: Debian 13, built once, cached by content.

mmdebstrap(1) makes the root directory from Debian packages, mke2fs(8) ``-d``
turns it into an ext4 file system without mounting anything. The build happens
in a directory of its own that is renamed when complete, so that an interrupted
build never leaves a half image.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blackstart.rack.command import run, stream
from blackstart.rack.errors import RackError
from blackstart.rack.phases import Say

SUITE = "trixie"
ARCHIVE = "http://deb.debian.org/debian"
SIZE_GIB = 4
BUILD_TIMEOUT_S = 900
EPOCH = "1735689600"  # 2025-01-01: file times and the file system's own are clamped to it
HERE = Path(__file__).parent
RECIPE = HERE / "recipe"
NOT_NEEDED = ("doc", "man", "locale", "info", "lintian", "bug")


@dataclass(frozen=True, slots=True)
class Image:
    """A complete image: the raw ext4 file system, and its kernel and initramfs."""

    directory: Path

    @property
    def disk(self) -> Path:
        """Raw ext4 file system, sparse."""
        return self.directory / "base.raw"

    @property
    def kernel(self) -> Path:
        """Linux kernel for QEMU's direct boot."""
        return self.directory / "vmlinuz"

    @property
    def initramfs(self) -> Path:
        """Initramfs that lays the seed."""
        return self.directory / "initrd"

    @property
    def build(self) -> str:
        """Names this very build: disks that lie over another one would be damaged."""
        return (self.directory / "build").read_text("utf-8")


def packages(listing: Path = HERE / "packages.txt") -> list[str]:
    """The Debian packages of the image, sorted; ``#`` starts a comment."""
    lines = (line.split("#")[0].strip() for line in listing.read_text("utf-8").splitlines())
    return sorted({line for line in lines if line})


def content_hash() -> str:
    """Hash of all that makes the image what it is: packages, recipe, this module."""
    digest = hashlib.sha256("\n".join([SUITE, *packages()]).encode())
    for path in [Path(__file__), *sorted(p for p in RECIPE.rglob("*") if p.is_file())]:
        digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def mirror() -> str:
    """The Debian mirror that the host's own apt uses, else the public one."""
    if shutil.which("apt-get") is None:
        return ARCHIVE
    listing = run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(ORIGIN)|$(LABEL)|$(REPO_URI)",
            "Created-By: Packages",
        ],
        timeout=30,
    )
    for line in listing.splitlines():
        origin, label, uri = [*line.split("|", 2), "", ""][:3]
        if origin == label == "Debian" and uri.startswith("http"):
            return uri.rstrip("/")
    return ARCHIVE


@contextmanager
def _exclusive(images: Path) -> Iterator[None]:
    """One build at a time; also tells leftovers of a killed build from a running one."""
    images.mkdir(parents=True, exist_ok=True)
    with (images / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RackError(
                "another process is building the image", "wait for it, then run this again"
            ) from error
        yield


def ensure(cache: Path, say: Say) -> Image:
    """The image for today's recipe, built when the cache does not have it.

    Raises `RackError` when the build fails; the log's path is in the message.
    """
    images = cache / "images"
    image = Image(images / content_hash())
    if image.directory.exists():
        return image
    with _exclusive(images):
        for leftover in images.glob("*.partial"):
            _discard(leftover)
        if not image.directory.exists():
            partial = images / f"{image.directory.name}.partial"
            partial.mkdir()
            _build(Image(partial), images / "build.log", say)
            partial.rename(image.directory)
    return image


def _discard(partial: Path) -> None:
    """Remove an interrupted build; never through something mounted inside it."""
    mounts = Path("/proc/self/mountinfo").read_text("utf-8")
    if f" {partial}/" in mounts:
        raise RackError(
            f"an interrupted build left mounts below {partial}",
            f"findmnt | grep {partial}, umount what it shows, then run this again",
        )
    shutil.rmtree(partial)


def _build(image: Image, log: Path, say: Say) -> None:
    root = image.directory / "root"
    environment = {"INITRD": "No", "SOURCE_DATE_EPOCH": EPOCH, "E2FSPROGS_FAKE_TIME": EPOCH}

    def progress(line: str) -> None:
        if line.startswith("I: "):
            say(line[3:].rstrip("."))

    stream(_mmdebstrap(root), timeout=BUILD_TIMEOUT_S, log=log, line=progress, env=environment)
    say("making the file system")
    shutil.copyfile(next((root / "boot").glob("vmlinuz-*")), image.kernel)
    shutil.copyfile(next((root / "boot").glob("initrd.img-*")), image.initramfs)
    shutil.rmtree(root / "boot")
    (root / "boot").mkdir()
    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{image.directory.name}.blackstart"))
    run(
        [
            "mkfs.ext4",
            "-q",
            "-F",
            "-L",
            "blackstart",
            "-U",
            identity,
            "-m",
            "0",
            "-J",
            "size=32",
            "-E",
            f"lazy_itable_init=0,lazy_journal_init=0,hash_seed={identity}",
            "-d",
            root,
            image.disk,
            f"{SIZE_GIB}G",
        ],
        timeout=300,
        env=environment,
    )
    shutil.rmtree(root)
    (image.directory / "build").write_text(str(uuid.uuid4()), "utf-8")


def _mmdebstrap(root: Path) -> list[str | Path]:
    excludes = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in NOT_NEEDED]
    return [
        "mmdebstrap",
        "--mode=root",
        "--format=directory",
        "--variant=apt",
        f"--include={','.join(packages())}",
        '--aptopt=Apt::Install-Recommends "false"',
        '--aptopt=Acquire::Retries "3"',
        *excludes,
        f'--customize-hook={RECIPE / "customize.sh"} "$1"',
        SUITE,
        root,
        mirror(),
    ]
