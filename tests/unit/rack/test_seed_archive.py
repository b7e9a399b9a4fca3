"""The seed's tar, laid over a root file system as the initramfs does it."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from blackstart.rack import disks

# The very flags of recipe/init.
LAY = ["tar", "--extract", "--preserve-permissions", "--overwrite", "--keep-directory-symlink"]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A merged-usr root file system with modes of its own."""
    root = tmp_path / "target"
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc").mkdir()
    (root / "etc/motd").write_text("old")
    return root


def lay(tree: Path, target: Path) -> None:
    archive = tree.with_suffix(".tar")
    disks.pack(tree, archive)
    with archive.open("rb") as file:
        subprocess.run([*LAY, "--directory", target], stdin=file, check=True, timeout=20)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_ordinary_directory_keeps_the_mode_that_the_image_has(
    tmp_path: Path, target: Path
) -> None:
    tree = tmp_path / "seed"
    (tree / "tmp").mkdir(parents=True)
    (tree / "tmp").chmod(0o755)
    (tree / "tmp/file").write_text("x")
    lay(tree, target)
    assert mode(target / "tmp") == 0o1777
    assert (target / "tmp/file").read_text() == "x"


def test_a_directory_with_its_own_mode_brings_it(tmp_path: Path, target: Path) -> None:
    tree = tmp_path / "seed"
    (tree / "root/.ssh").mkdir(parents=True)
    (tree / "root/.ssh").chmod(0o700)
    (tree / "root/.ssh/authorized_keys").write_text("key")
    lay(tree, target)
    assert mode(target / "root/.ssh") == 0o700


def test_a_symlinked_directory_stays_a_link(tmp_path: Path, target: Path) -> None:
    tree = tmp_path / "seed"
    (tree / "lib/systemd").mkdir(parents=True)
    (tree / "lib/systemd/unit").write_text("x")
    lay(tree, target)
    assert (target / "lib").is_symlink()
    assert (target / "usr/lib/systemd/unit").exists()


def test_files_are_replaced_and_links_and_empty_directories_arrive(
    tmp_path: Path, target: Path
) -> None:
    tree = tmp_path / "seed"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/motd").write_text("new")
    (tree / "etc/motd").chmod(0o600)
    (tree / "etc/link").symlink_to("/dev/null")
    (tree / "srv").mkdir()
    (tree / "etc/directory-link").symlink_to("/srv")
    lay(tree, target)
    assert (target / "etc/motd").read_text() == "new"
    assert mode(target / "etc/motd") == 0o600
    assert (target / "etc/link").readlink() == Path("/dev/null")
    assert (target / "etc/directory-link").readlink() == Path("/srv")
    assert (target / "srv").is_dir()


def test_the_hash_names_the_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a.tar", tmp_path / "b.tar"
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    assert disks.seed_hash(first) != disks.seed_hash(second)
