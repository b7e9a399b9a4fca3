"""The copy of ``/etc/pve``: found, unpacked to its end, parsed; and what is no such copy."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from blackstart.collect.configuration_copy import below, look_at_copy
from blackstart.drivers.base import CommandResult
from blackstart.errors import Unreachable
from blackstart.model.inventory import Backup
from blackstart.model.observed import Observed
from blackstart.model.readiness import ConfigurationCopy

from .local import LocalRunner, ScriptedRunner

GUEST = "name: box ä\nmemory: 512\nscsi0: local:101/a.raw\n\n[before]\nmemory: 64\n"
STORES = "dir: local\n\tpath /var/lib/vz\n\nnfs: nas\n\tserver 192.0.2.20\n"
SECRET = "not-to-be-seen-anywhere"


def configuration(root: Path) -> Path:
    """A small ``/etc/pve``."""
    for name, text in (
        ("storage.cfg", STORES),
        ("user.cfg", "user:root@pam:1:0:::::::\n"),
        ("priv/storage/pbs.enc", SECRET),
        ("nodes/a1/qemu-server/101.conf", GUEST),
        ("nodes/a2/lxc/102.conf", "hostname: far\nrootfs: local:102/b.raw\n"),
    ):
        path = root / "etc/pve" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def archive(root: Path, file: Path, *words: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-C", root, *words, "-cf", file, "etc/pve"], check=True, timeout=20)


def look(directory: Path) -> Observed[ConfigurationCopy]:
    declared = Backup.model_validate({"host": "nas", "path": "/srv"})
    return look_at_copy(LocalRunner(), declared.model_copy(update={"path": str(directory)}))


@pytest.mark.parametrize("name", ["etc-pve.tar", "etc-pve.tar.gz", "etc-pve.tgz"])
def test_the_newest_archive_is_read_whole(tmp_path: Path, name: str) -> None:
    root = configuration(tmp_path / "root")
    archive(root, tmp_path / "copies/old.tar")
    old = time.time() - 9000
    os.utime(tmp_path / "copies/old.tar", (old, old))
    words = ("-z",) if name != "etc-pve.tar" else ()
    archive(root, tmp_path / "copies/a1/2027-01-15" / name, *words)
    (tmp_path / "copies/a1/2027-01-15/MANIFEST").write_text("newer, and no archive\n")
    seen = look(tmp_path / "copies")
    copy = seen.value
    assert copy is not None, seen.error
    assert copy.path == f"./a1/2027-01-15/{name}"
    assert copy.age_s == pytest.approx(0, abs=30)
    assert "priv/storage/pbs.enc" in copy.files
    assert copy.parsed == {
        "storage.cfg": ("local", "nas"),
        "nodes/a1/qemu-server/101.conf": ("name", "memory", "scsi0"),
        "nodes/a2/lxc/102.conf": ("hostname", "rootfs"),
    }
    assert SECRET not in seen.model_dump_json()


def test_an_archive_that_ends_in_the_middle_is_an_error(tmp_path: Path) -> None:
    root = configuration(tmp_path / "root")
    file = tmp_path / "copies/etc-pve.tar.gz"
    archive(root, file, "-z")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert "exit 1" in str(look(tmp_path / "copies").error)


def test_what_is_no_archive_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "copies/etc-pve.tar"
    file.parent.mkdir()
    file.write_text("nothing of the kind")
    assert "exit 1" in str(look(tmp_path / "copies").error)


def test_no_archive_at_all_is_an_answer_and_no_directory_is_none(tmp_path: Path) -> None:
    (tmp_path / "config.db").write_text("x")
    assert look(tmp_path).value == ConfigurationCopy.none()
    assert look(tmp_path / "missing").value is None


def test_a_file_that_is_empty_inside_is_told_as_such(tmp_path: Path) -> None:
    root = configuration(tmp_path / "root")
    (root / "etc/pve/storage.cfg").write_text("garbage without any section\n")
    archive(root, tmp_path / "copies/etc-pve.tar")
    copy = look(tmp_path / "copies").value
    assert copy is not None
    assert copy.parsed["storage.cfg"] == ()


def test_names_are_told_below_the_directory() -> None:
    names = ("etc/pve/a", "./etc/pve/a", "pve/a", "./a", "a", "/etc/pve/a")
    assert {below(name) for name in names} == {"a"}


def test_no_answer() -> None:
    def unreachable(_: str) -> CommandResult:
        raise Unreachable("no route to host")

    declared = Backup.model_validate({"host": "nas", "path": "/srv"})
    seen = look_at_copy(ScriptedRunner({"nas": unreachable}), declared)
    assert seen.error == "no route to host"


def test_an_answer_that_is_not_understood() -> None:
    declared = Backup.model_validate({"host": "nas", "path": "/srv"})

    def odd(script: str) -> CommandResult:
        mark = script.partition("mark=")[2].partition("\n")[0].strip("'")
        return CommandResult(0, f"{mark} begin copy\nwhat\n\n{mark} end copy 0\n", "")

    assert "not understood" in str(look_at_copy(ScriptedRunner({"nas": odd}), declared).error)
