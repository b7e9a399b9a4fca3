"""What the host must have, asked of made-up hosts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from blackstart.rack import command, host
from blackstart.rack.errors import HostError
from tests.unit.rack.programs import program


@pytest.fixture
def bare(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host whose only programs are in the returned directory (besides the shell's)."""
    monkeypatch.setattr(host, "SYSTEM_PATH", str(programs))
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


@pytest.mark.parametrize(("user", "asked"), [(1000, True), (0, False)])
def test_sudo_asks_before_anything_runs_in_the_background(
    programs: Path, monkeypatch: pytest.MonkeyPatch, user: int, asked: bool
) -> None:
    program(programs, "sudo", f'echo "$@" >{programs}/asked')
    monkeypatch.setattr("os.geteuid", lambda: user)
    host.ask_for_root()
    assert programs.joinpath("asked").exists() is asked


def test_sudo_is_kept_from_forgetting_and_never_asks(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "sudo", f'printf "%s " "$@" >{programs}/asked; exit 1')
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    host.stay_root()
    assert (programs / "asked").read_text() == "-n -- true "


def test_a_sudo_that_refuses_is_told(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "sudo", "exit 1")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(HostError, match="sudo refused"):
        host.ask_for_root()
