"""What goes onto a machine works there: under its own name, on the standard library."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from blackstart.rack.standins.pve.accounts import AccountFiles
from blackstart.rack.standins.pve.shipping import (
    BLIND_TOKEN,
    FULL_TOKEN,
    aliases,
    blind_token_value,
    cluster_files,
    enabled_units,
    programs,
)
from tests.contract.pve_site import TOPOLOGY
from tests.contract.shipped_files import laid_out, python

COMMANDS = ("qm", "pct", "pvesm", "pvecm", "pveversion")
HEAVY = ("aiohttp", "asyncio", "ssl", "blackstart")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as they lie on a machine."""
    return laid_out(tmp_path_factory.mktemp("machine"), programs())


@pytest.mark.parametrize("program", [f"commands.{name}" for name in COMMANDS] + ["allguests"])
def test_commands_import_nothing_heavy(machine: Path, program: str) -> None:
    """Under emulation an import costs: asyncio alone half a second."""
    code = f"import sys, pve.{program}; print(*sys.modules)"
    assert not set(HEAVY) & set(python(machine, code).split())


def test_first_stage_of_the_cluster_file_system_imports_nothing_heavy(machine: Path) -> None:
    code = "import sys, pve.replication.daemon; print(*sys.modules)"
    assert not set(HEAVY) & set(python(machine, code).split())


def test_services_import_under_their_own_name(machine: Path) -> None:
    code = "import sys, pve.daemon, pve.replication.service; print(*sys.modules)"
    assert "blackstart" not in python(machine, code).split()


@pytest.mark.parametrize("program", COMMANDS)
def test_command_runs_the_package(machine: Path, program: str) -> None:
    script = next((machine / "usr").glob(f"*bin/{program}"))
    assert script.stat().st_mode & 0o777 == 0o755
    assert f"python3 -m pve {program} " in script.read_text()


def test_every_unit_starts_a_program_that_there_is(machine: Path) -> None:
    units = sorted((machine / "usr/lib/systemd/system").glob("*.service"))
    assert tuple(unit.name for unit in units) == enabled_units()
    programs_there = python(machine, "from pve.__main__ import PROGRAMS; print(*PROGRAMS)")
    for unit in units:
        settings = configparser.ConfigParser(strict=False, interpolation=None)
        settings.read_string(unit.read_text())
        command = settings["Service"]["ExecStart"].lstrip("-").split()
        assert command[:3] == ["/usr/bin/python3", "-m", "pve"]
        assert command[3] in programs_there.split()
    for _link, target in aliases():
        assert (machine / target.lstrip("/")).exists()


def test_first_accounts_open_the_right_doors(tmp_path: Path, pve_secrets: Path) -> None:
    first = cluster_files(pve_secrets, TOPOLOGY)
    assert first == cluster_files(pve_secrets, TOPOLOGY)  # the same on every hypervisor
    for shipped in first:
        path = tmp_path / shipped.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shipped.content)
    files = AccountFiles(tmp_path)
    password = (pve_secrets / "pve-root-password").read_text()
    full = (pve_secrets / "pve-token").read_text()
    blind = blind_token_value(pve_secrets)

    assert files.password_matches("root@pam", password)
    assert not files.password_matches("root@pam", password + "x")
    assert not files.password_matches("blackstart@pve", password)
    assert files.token_matches(FULL_TOKEN, full)
    assert files.token_matches(BLIND_TOKEN, blind)
    assert not files.token_matches(FULL_TOKEN, blind)
    accounts = files.accounts()
    assert "VM.PowerMgmt" in accounts.privileges(FULL_TOKEN, "/vms/100")
    assert accounts.privileges(BLIND_TOKEN, "/vms/100") == frozenset()


def test_secrets_are_kept_as_hashes_and_closed(pve_secrets: Path) -> None:
    secrets = [
        (pve_secrets / name).read_bytes().strip() for name in ("pve-token", "pve-root-password")
    ]
    for shipped in (*cluster_files(pve_secrets, TOPOLOGY), *programs()):
        assert not any(secret in shipped.content for secret in secrets), shipped.path
        if shipped.path.parts[0] == "priv":
            assert shipped.mode == 0o600
