"""Hardware virtualisation is used once proven, on made-up hosts."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from blackstart.rack import kvm
from tests.unit.rack.programs import program


@pytest.fixture
def virtual(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host that has /dev/kvm; its QEMU is what a test writes to the directory."""
    monkeypatch.setattr(os, "access", lambda path, mode: path == "/dev/kvm")
    return programs


def proven(tmp_path: Path) -> bool:
    return kvm.works(tmp_path / "kernel", tmp_path / "initramfs", tmp_path / "cache")


def test_kvm_is_used_once_a_boot_reached_user_space(virtual: Path, tmp_path: Path) -> None:
    program(virtual, "qemu-system-x86_64", "echo '[ 0.5] Run /init as init process'; exec sleep 60")
    begun = time.monotonic()
    assert proven(tmp_path)
    assert time.monotonic() - begun < 5


def test_a_kvm_that_hangs_after_the_firmware_is_not_used(
    virtual: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kvm, "PROOF_LIMIT_S", 0.5)
    program(virtual, "qemu-system-x86_64", "echo SeaBIOS; exec sleep 60")
    assert not proven(tmp_path)


def test_the_proof_holds_for_this_boot_of_the_host_alone(virtual: Path, tmp_path: Path) -> None:
    program(virtual, "qemu-system-x86_64", "exit 1")
    assert not proven(tmp_path)
    program(virtual, "qemu-system-x86_64", "echo Run /init as init process")
    assert not proven(tmp_path), "the result of this boot is kept"
    kept = tmp_path / "cache/kvm.json"
    kept.write_text(json.dumps({"boot": "an earlier one", "works": False}))
    assert proven(tmp_path)


def test_without_the_device_nothing_is_tried(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not proven(tmp_path)
    assert not (tmp_path / "cache").exists()
