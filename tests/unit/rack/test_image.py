"""The image's cache: by content, all or nothing. mmdebstrap and mke2fs are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.rack import image
from blackstart.rack.errors import RackError
from tests.unit.rack.programs import program

# The last argument but one is the root directory.
BUILDS = """
for word; do before=$root; root=$last; last=$word; done
mkdir -p "$root/boot"
echo kernel >"$root/boot/vmlinuz-6"
echo initramfs >"$root/boot/initrd.img-6"
echo "I: done..."
"""
FAILS = """
for word; do before=$root; root=$last; last=$word; done
mkdir -p "$root/half"; echo "E: no network"; exit 1
"""


@pytest.fixture
def tools(programs: Path) -> Path:
    program(programs, "mkfs.ext4", 'while [ $# -gt 2 ]; do shift; done; echo "$SOURCE" >"$1"')
    program(programs, "mmdebstrap", BUILDS)
    return programs


def test_the_image_is_built_once(tools: Path, tmp_path: Path) -> None:
    said: list[str] = []
    built = image.ensure(tmp_path / "cache", said.append)
    assert built.kernel.read_text() == "kernel\n"
    assert built.disk.exists()
    assert said == ["done", "making the file system"]
    program(tools, "mmdebstrap", FAILS)
    again = image.ensure(tmp_path / "cache", said.append)
    assert again.build == built.build


def test_a_build_that_fails_leaves_no_image_and_names_its_log(tools: Path, tmp_path: Path) -> None:
    program(tools, "mmdebstrap", FAILS)
    with pytest.raises(RackError) as failed:
        image.ensure(tmp_path / "cache", lambda _: None)
    log = tmp_path / "cache/images/build.log"
    assert str(log) in str(failed.value)
    assert "no network" in log.read_text()
    assert not (tmp_path / "cache/images" / image.content_hash()).exists()
    program(tools, "mmdebstrap", BUILDS)
    assert image.ensure(tmp_path / "cache", lambda _: None).disk.exists()
    assert not list((tmp_path / "cache/images").glob("*.partial"))


def test_two_builds_of_the_same_content_are_told_apart(tools: Path, tmp_path: Path) -> None:
    first = image.ensure(tmp_path / "one", lambda _: None)
    second = image.ensure(tmp_path / "two", lambda _: None)
    assert first.directory.name == second.directory.name
    assert first.build != second.build


def test_the_hash_follows_packages_and_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = image.content_hash()
    monkeypatch.setattr(image, "packages", lambda: ["another"])
    assert image.content_hash() != before
    monkeypatch.undo()
    assert image.content_hash() == before
    monkeypatch.setattr(image, "SUITE", "forky")
    assert image.content_hash() != before


def test_the_package_list_knows_comments(tmp_path: Path) -> None:
    listing = tmp_path / "packages.txt"
    listing.write_text("# first\nzstd\n\nbind9  # names\nzstd\n")
    assert image.packages(listing) == ["bind9", "zstd"]


@pytest.mark.parametrize(
    ("targets", "mirror"),
    [
        ("Debian|Debian|http://mirror.example/debian/", "http://mirror.example/debian"),
        ("Debian|Debian-Security|http://mirror.example/security/", image.ARCHIVE),
        ("Ubuntu|Ubuntu|http://archive.example/ubuntu/", image.ARCHIVE),
        ("", image.ARCHIVE),
    ],
)
def test_the_hosts_own_debian_mirror_is_used(programs: Path, targets: str, mirror: str) -> None:
    program(programs, "apt-get", f"echo '{targets}'")
    assert image.mirror() == mirror
