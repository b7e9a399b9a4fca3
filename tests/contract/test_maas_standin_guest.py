"""What lies in the guest of MAAS works there: package, units, commands, the lease file's care."""

from __future__ import annotations

import configparser
import subprocess
import time
from pathlib import Path

import pytest

from blackstart.drivers.dhcpd_conf import read_configuration
from blackstart.drivers.dhcpd_leases import read_leases
from blackstart.faults.service import DHCP, DNS, MAAS
from blackstart.rack.seed.files import TREES
from blackstart.rack.standins.maas import omapi, units
from blackstart.rack.standins.maas.client import Refusal
from blackstart.rack.standins.maas.commands import maas as maas_command
from blackstart.rack.standins.maas.commands import reservation
from blackstart.rack.standins.maas.shipping import enabled_units, first_files, programs
from blackstart.rack.standins.maas.units import DHCPD, NAMED, PEBBLE, UnitState
from tests.contract.maas_rack import ADMINISTRATOR, ONLOOKER, SETTINGS, racks_state
from tests.contract.maas_recorded import CONTRACT
from tests.contract.maas_standin import STOPPED, FakeUnits, standing_in
from tests.contract.shipped_files import laid_out, python

TREE = TREES / "maas"
CLEAN = TREE / "usr/lib/blackstart-rack/forget-host-entries"
LOG = CONTRACT / "dhcpd.leases.real"
needs_leases = pytest.mark.skipif(not LOG.exists(), reason=f"no recorded lease file at {CONTRACT}")
HEAVY = ("aiohttp", "asyncio", "ssl", "http.server", "blackstart")
MAC, ADDRESS = "bc:24:11:77:00:48", "10.77.0.72"
# What omshell of isc-dhcp-server 4.4.3-P1 printed, as its last object.
ECHO = f'obj: host\nname = "{MAC.replace(":", "-")}"\nhardware-address = {MAC}\n'
MADE = f"> {ECHO}hardware-type = 00:00:00:01\nip-address = 0a:4d:00:48\n> "
EXISTS = (
    f"> can't open object: already exists\n{ECHO}hardware-type = 1\nip-address = 0a:4d:00:48\n> "
)
NOBODY = "> > > > dhcpctl_connect: no more\n> not connected.\n> no open object.\n"


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as they lie in the guest."""
    return laid_out(tmp_path_factory.mktemp("guest"), programs())


def settings(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_the_service_imports_under_its_own_name_and_from_the_standard_library(guest: Path) -> None:
    modules = python(guest, "import sys, standins.maas.daemon; print(*sys.modules)").split()
    assert not {"blackstart", "aiohttp", "cryptography", "requests"} & set(modules)


@pytest.mark.parametrize("program", ["commands.maas", "importer"])
def test_what_is_asked_often_imports_nothing_heavy(guest: Path, program: str) -> None:
    code = f"import sys, standins.maas.{program}; print(*sys.modules)"
    assert not set(HEAVY) & set(python(guest, code).split())


def test_commands_run_programs_that_there_are(guest: Path) -> None:
    known = python(guest, "from standins.maas.__main__ import PROGRAMS; print(*PROGRAMS)").split()
    for path in ("usr/bin/maas", "usr/sbin/maas-reservation"):
        assert (guest / path).stat().st_mode & 0o777 == 0o755
        assert (guest / path).read_text().split("standins.maas ")[1].split()[0] in known
    unit = settings((guest / "usr/lib/systemd/system" / PEBBLE).read_text())
    words = unit["Service"]["ExecStart"].split()
    assert words[:3] == ["/usr/bin/python3", "-m", "standins.maas"]
    assert words[3] in known


def test_dhcp_and_dns_are_part_of_maas_and_the_drills_know_their_names(guest: Path) -> None:
    assert enabled_units() == (PEBBLE,)
    pebble = settings((guest / "usr/lib/systemd/system" / PEBBLE).read_text())
    assert set(pebble["Unit"]["Wants"].split()) == {DHCPD, NAMED}
    for path in (f"etc/systemd/system/{DHCPD}", f"etc/systemd/system/{NAMED}.d/maas.conf"):
        assert settings((TREE / path).read_text())["Unit"]["PartOf"] == PEBBLE
    assert (MAAS[0], DHCP[0], DNS[0]) == (PEBBLE, DHCPD, NAMED)


def test_host_entries_are_forgotten_before_each_start_of_dhcpd() -> None:
    service = settings((TREE / "etc/systemd/system" / DHCPD).read_text())["Service"]
    program, leases = service["ExecStartPre"].split()
    assert program == f"/{CLEAN.relative_to(TREE)}"
    assert f"-lf {leases} " in service["ExecStart"]


def forget(text: str, directory: Path) -> str:
    """A lease file after the cleaning."""
    leases = directory / "dhcpd.leases"
    leases.write_text(text)
    subprocess.run(["sh", CLEAN, leases], check=True, timeout=20)
    return leases.read_text()


@needs_leases
def test_the_cleaned_lease_file_is_the_one_that_maas_left(tmp_path: Path) -> None:
    after = (CONTRACT / "dhcpd.leases.after-maas-clean").read_text()
    assert forget(LOG.read_text(), tmp_path) == after
    assert any(host.dynamic for host in read_leases(LOG.read_text()).hosts)
    assert read_leases(after).hosts == ()
    assert read_leases(after).leases == read_leases(LOG.read_text()).leases


def test_an_empty_lease_file_stays_empty_and_a_torn_entry_goes(tmp_path: Path) -> None:
    assert forget("", tmp_path) == ""
    whole = "lease 10.77.0.200 {\n  binding state free;\n}\n"
    assert forget(f"{whole}host x {{\n  dynamic;\n", tmp_path) == whole


def test_a_lease_file_that_is_not_there_stops_dhcpd(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", CLEAN, tmp_path / "none"], capture_output=True, check=False, timeout=20
    )
    assert done.returncode != 0


def test_dhcpds_first_configuration_is_what_the_stand_in_would_write(
    tmp_path: Path, pve_secrets: Path
) -> None:
    shipped = {each.path.name: each for each in first_files(racks_state(), pve_secrets, "pve1")}
    text = shipped["dhcpd.conf"].content.decode()
    with standing_in(tmp_path, racks_state()) as site:
        site.layout.dhcpd_conf.write_text(text)
        site.maas.dhcp.follow(site.maas.store)
        assert site.units.restarted == []
    assert f"default-lease-time {SETTINGS.lease_s};" in text
    assert SETTINGS.omapi_secret in text
    assert len(read_configuration(text).hosts) == 7


def test_secrets_are_in_files_of_root_alone(pve_secrets: Path) -> None:
    secrets = (ADMINISTRATOR.secret, ONLOOKER.secret, SETTINGS.omapi_secret, "PRIVATE KEY")
    for each in (*programs(), *first_files(racks_state(), pve_secrets, "pve1")):
        if any(secret.encode() in each.content for secret in secrets):
            assert not each.mode & 0o007, each.path


class TestStatus:
    """``maas status``."""

    NOW = time.mktime((2026, 11, 20, 15, 0, 0, 0, 0, -1))

    def lines(self, **states: UnitState) -> list[list[str]]:
        found = FakeUnits()
        names = {"pebble": PEBBLE, "dhcpd": DHCPD, "named": NAMED}
        found.states_of |= {names[key]: state for key, state in states.items()}
        return [line.split() for line in maas_command.table(found, self.NOW)]

    def test_a_healthy_one(self) -> None:
        head, *rows = self.lines()
        assert head == ["Service", "Startup", "Current", "Since"]
        shown = {row[0]: row[1:] for row in rows}
        assert shown["dhcpd"] == ["enabled", "active", "today", "at", "14:03", "UTC"]
        assert shown["dhcpd6"] == ["disabled", "inactive", "-"]
        assert list(shown) == sorted(shown)
        assert {"agent", "bind9", "dhcpd", "http", "rackd", "regiond"} <= shown.keys()

    @pytest.mark.parametrize(
        ("state", "current"),
        [
            (STOPPED, "inactive"),
            (UnitState("failed", "failed"), "error"),
            (UnitState("activating", "auto-restart"), "backoff"),
        ],
    )
    def test_an_ill_one(self, state: UnitState, current: str) -> None:
        (row,) = (row for row in self.lines(dhcpd=state) if row[0] == "dhcpd")
        assert row == ["dhcpd", "enabled", current, "-"]

    @pytest.mark.parametrize(
        ("since", "said"),
        [
            ("Thu 2026-11-19 09:01:00 UTC", "yesterday at 09:01 UTC"),
            ("Mon 2026-11-02 09:01:00 UTC", "2026-11-02"),
            ("", "-"),
        ],
    )
    def test_since(self, since: str, said: str) -> None:
        row = next(
            row
            for row in self.lines(named=UnitState("active", "running", since))
            if row[0] == "bind9"
        )
        assert " ".join(row[3:]) == said

    def test_columns_stand_below_their_heads(self) -> None:
        lines = list(maas_command.table(FakeUnits(), self.NOW))
        begin = lines[0].index("Current")
        assert {line[begin - 2 : begin] for line in lines} == {"  "}

    def test_other_words_are_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert maas_command.main(["admin", "machines", "read"]) == 2
        assert "usage: maas status" in capsys.readouterr().err


SYSTEMCTL = """\
#!/bin/sh
[ "$1" = show ] || { echo "Job for $2 failed." >&2; exit 1; }
printf 'Id=%s\\nActiveState=active\\nSubState=running\\nStateChangeTimestamp=\\n' "$3"
"""


def test_units_are_asked_in_one_call_and_a_refused_restart_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    real = subprocess.run

    def run(words: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        assert words[0] == "/usr/bin/systemctl"
        return real([str(program), *words[1:]], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(units.subprocess, "run", run)
    assert units.Systemd().states(DHCPD) == {DHCPD: UnitState("active", "running", "")}
    assert units.Systemd().restart(DHCPD) == f"Job for {DHCPD} failed."
    program.unlink()
    assert units.Systemd().states(DHCPD) == {}
    assert "No such file" in units.Systemd().restart(DHCPD)


def omshell(directory: Path, said: str) -> tuple[str, ...]:
    """A program that says what omshell said, and keeps what it was given."""
    (directory / "said").write_text(said)
    return ("sh", "-c", f"cat >{directory}/given; cat {directory}/said")


def test_a_host_entry_is_made_when_dhcpd_itself_shows_it(tmp_path: Path) -> None:
    shell = omshell(tmp_path, MADE)
    omapi.add_host(MAC, ADDRESS, port=7911, secret="c2VjcmV0", omshell=shell)
    given = (tmp_path / "given").read_text().splitlines()
    assert given[:4] == ["server 127.0.0.1", "port 7911", "key omapi_key c2VjcmV0", "connect"]
    assert f"set ip-address = {ADDRESS}" in given
    assert given[-1] == "create"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (EXISTS, "can't open object: already exists"),
        (NOBODY, "dhcpctl_connect: no more"),
        ("", "omshell said nothing of it"),
    ],
)
def test_one_that_was_not_made_is_told(
    said: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(omapi, "LISTENING_LIMIT_S", 0.6)
    shell = omshell(tmp_path, said)
    with pytest.raises(Refusal) as caught:
        omapi.add_host(MAC, ADDRESS, port=7911, secret="c2VjcmV0", omshell=shell)
    assert str(caught.value) == f"dhcpd made no host entry: {why}"


def test_a_reservation_becomes_dynamic_and_is_reserved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[tuple[str, str]] = []
    with standing_in(tmp_path, racks_state()) as site:
        monkeypatch.setattr(reservation, "Layout", lambda: site.layout)
        monkeypatch.setattr(
            reservation.Client, "of_administrator", lambda _layout, _state: site.client()
        )
        monkeypatch.setattr(omapi, "add_host", lambda mac, at, **_: made.append((mac, at)))
        assert reservation.main(["dynamic", MAC.upper()]) == 0
        assert made == [(MAC, ADDRESS)]
        assert MAC not in site.layout.dhcpd_conf.read_text()
        assert site.units.restarted == [DHCPD]
        assert reservation.main(["dynamic", MAC]) == 1
        assert reservation.main(["reserved", MAC, ADDRESS]) == 0
        assert MAC in site.layout.dhcpd_conf.read_text()
        assert reservation.main(["reserved", MAC, ADDRESS]) == 1
        assert reservation.main(["perhaps"]) == 2
    said = capsys.readouterr()
    assert f"{MAC} has {ADDRESS} by a dynamic host entry" in said.out
    assert f"{MAC} has no reserved IP" in said.err
    assert "already exists" in said.err


def test_the_image_has_the_programs_that_are_needed() -> None:
    listed = (TREES.parent / "packages.txt").read_text().split()
    assert {"isc-dhcp-server", "python3", "systemd", "bind9"} <= set(listed)
