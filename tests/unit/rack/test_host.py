"""What the host must have, asked of made-up hosts."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from blackstart.rack import command, host
from blackstart.rack.errors import HostError


def program(directory: Path, name: str, script: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host whose only programs are in the returned directory (besides the shell's)."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setattr(host, "SYSTEM_PATH", str(programs))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs


def test_where_there_is_no_apt_the_exact_list_is_the_answer(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(bare))
    with pytest.raises(HostError) as refused:
        host.ensure_packages(lambda _: None)
    assert refused.value.exit_code == 2
    assert "qemu-system-x86 qemu-utils mmdebstrap e2fsprogs" in str(refused.value)


def test_missing_packages_are_installed_without_questions(bare: Path, tmp_path: Path) -> None:
    log = tmp_path / "asked"
    program(bare, "apt-get", f'echo "$DEBIAN_FRONTEND $*" >>{log}')
    host.ensure_packages(lambda _: None)
    update, install = log.read_text().splitlines()
    assert update == "noninteractive update"
    assert install.startswith("noninteractive install -y --no-install-recommends qemu-system-x86 ")


def test_an_apt_that_fails_names_what_to_install(bare: Path) -> None:
    program(bare, "apt-get", "echo broken; exit 100")
    with pytest.raises(HostError, match="apt-get could not install: qemu-system-x86"):
        host.ensure_packages(lambda _: None)


def test_a_host_with_everything_is_left_alone(bare: Path) -> None:
    for proof in host.NEEDED.values():
        if "/" not in proof:
            program(bare, proof, "true")
    program(bare, "apt-get", "exit 1")
    assert host.missing() in ([], ["debian-archive-keyring"])


@pytest.fixture
def kvm(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host that has /dev/kvm; its QEMU is what a test writes to the directory."""
    monkeypatch.setattr(os, "access", lambda path, mode: path == "/dev/kvm")
    return bare


def proven(tmp_path: Path) -> bool:
    return host.kvm_works(tmp_path / "kernel", tmp_path / "initramfs", tmp_path / "cache")


def test_kvm_is_used_once_a_boot_reached_user_space(kvm: Path, tmp_path: Path) -> None:
    program(kvm, "qemu-system-x86_64", "echo '[ 0.5] Run /init as init process'; exec sleep 60")
    begun = time.monotonic()
    assert proven(tmp_path)
    assert time.monotonic() - begun < 5


def test_a_kvm_that_hangs_after_the_firmware_is_not_used(
    kvm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "KVM_PROOF_LIMIT_S", 0.5)
    program(kvm, "qemu-system-x86_64", "echo SeaBIOS; exec sleep 60")
    assert not proven(tmp_path)


def test_the_proof_holds_for_this_boot_of_the_host_alone(kvm: Path, tmp_path: Path) -> None:
    program(kvm, "qemu-system-x86_64", "exit 1")
    assert not proven(tmp_path)
    program(kvm, "qemu-system-x86_64", "echo Run /init as init process")
    assert not proven(tmp_path), "the result of this boot is kept"
    kept = tmp_path / "cache/kvm.json"
    kept.write_text(json.dumps({"boot": "an earlier one", "works": False}))
    assert proven(tmp_path)


def test_without_the_device_nothing_is_tried(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not proven(tmp_path)
    assert not (tmp_path / "cache").exists()


def test_a_callers_environment_is_taken_over_from_its_own_file_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "environment"
    kept.write_text(json.dumps({"COLOUR": "green"}))
    original = dict(os.environ)
    uid = kept.stat().st_uid
    try:
        os.environ.update(
            {
                host.ENVIRONMENT_FILE: str(kept),
                "SUDO_UID": str(uid + 1),
                "SUDO_GID": "0",
                "SUDO_USER": "x",
            }
        )
        with pytest.raises(HostError, match="does not belong"):
            host.adopt_caller_environment()
        os.environ.update({host.ENVIRONMENT_FILE: str(kept), "SUDO_UID": str(uid)})
        host.adopt_caller_environment()
        assert os.environ["COLOUR"] == "green"
        assert "COLOUR" in host.caller_environment()
        assert "SUDO_UID" not in host.caller_environment()
        assert not kept.exists()
    finally:
        os.environ.clear()
        os.environ.update(original)


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(command.RackError, match="did not end within"):
        command.run(["sleep", "60"], timeout=0.2)
    with pytest.raises(command.RackError, match="failed"):
        command.stream(["sleep", "60"], timeout=0.2, log=tmp_path / "log", line=lambda _: None)
