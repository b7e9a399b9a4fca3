"""The DHCP server's files, really read by the script: which, whole, and without their keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.collect import dhcp as module
from blackstart.collect.dhcp import look_at_dhcp
from blackstart.drivers.base import CommandResult
from blackstart.errors import Unreachable
from blackstart.model.dhcp_facts import DhcpFacts
from tests.unit.drivers.dhcpd_files import CONFIGURATION, LEASES

from .local import LocalRunner, ScriptedRunner


class Heard(LocalRunner):
    """Keeps what came over the connection."""

    heard = ""

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        result = super().run(host, command, timeout_s=timeout_s, stdin=stdin)
        self.heard += result.stdout + result.stderr
        return result


@pytest.fixture
def places(tmp_path: Path) -> tuple[tuple[str, str], ...]:
    """A MAAS that is not there and a Debian server that is; one name has a space."""
    there = (tmp_path / "etc dhcp.conf", tmp_path / "dhcpd.leases")
    there[0].write_text(CONFIGURATION)
    there[1].write_text(LEASES)
    return (("/nowhere/dhcpd.conf", "/nowhere/dhcpd.leases"), (str(there[0]), str(there[1])))


def look(places: tuple[tuple[str, str], ...], runner: LocalRunner | None = None) -> DhcpFacts:
    return look_at_dhcp(runner or LocalRunner(), "maas", timeout_s=30, places=places)


def test_the_first_server_that_is_there(places: tuple[tuple[str, str], ...]) -> None:
    facts = look(places)
    assert facts.declared.source == f"ssh maas: {places[1][0]}"
    assert facts.leases.source == f"ssh maas: {places[1][1]}"
    assert [host.name for host in facts.declared.value or ()] == ["bc-24-11-00-00-01", "printer"]
    assert len(facts.recorded.value or ()) == 3
    assert len(facts.leases.value or ()) == 2
    assert len(facts.ranges.value or ()) == 2
    assert facts.partners.value == ()
    assert facts.lease_s.value == 600


def test_a_server_that_states_no_lease_time_has_none(places: tuple[tuple[str, str], ...]) -> None:
    conf = Path(places[1][0])
    lines = conf.read_text().splitlines(keepends=True)
    conf.write_text("".join(line for line in lines if "default-lease-time" not in line))
    facts = look(places)
    assert (facts.lease_s.value, facts.lease_s.error) == (None, "it states no default-lease-time")
    assert facts.declared.known


def test_keys_stay_on_the_server_and_lines_keep_their_numbers(
    places: tuple[tuple[str, str], ...],
) -> None:
    runner = Heard()
    damaged = CONFIGURATION.replace("omapi-key omapi_key;", "omapi-kex omapi_key;")
    Path(places[1][0]).write_text(damaged + "key b { algorithm hmac-md5; secret Zm9vYmFy; }\n")
    facts = look(places, runner)
    line = damaged.splitlines().index("omapi-kex omapi_key;") + 1
    assert facts.declared.error == f"line {line}: no statement that dhcpd knows"
    assert "algorithm" in runner.heard
    assert "c2VjcmV0" not in runner.heard
    assert "Zm9vYmFy" not in runner.heard


def test_a_damaged_lease_file_hides_no_configuration(places: tuple[tuple[str, str], ...]) -> None:
    Path(places[1][1]).write_text(LEASES[:-3])
    facts = look(places)
    assert facts.declared.known
    assert not facts.recorded.known
    assert "the file ends within the block" in str(facts.leases.error)


def test_a_file_that_is_too_large_is_not_read_in_part(
    places: tuple[tuple[str, str], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    size = len(LEASES.encode())
    assert str(look(places).leases.error) == f"exit 1: {places[1][1]} has {size} bytes"


def test_a_server_without_its_lease_file_is_unknown(places: tuple[tuple[str, str], ...]) -> None:
    Path(places[1][1]).unlink()
    facts = look(places)
    assert facts.declared.known
    assert "exit" in str(facts.leases.error)


def test_no_server_at_all_is_unknown_and_not_empty(places: tuple[tuple[str, str], ...]) -> None:
    facts = look(places[:1])
    for name in type(facts).model_fields:
        assert "no dhcpd.conf of MAAS" in str(getattr(facts, name).error)


def test_a_guest_that_is_away() -> None:
    def away(_: str) -> CommandResult:
        raise Unreachable("No route to host")

    facts = look_at_dhcp(ScriptedRunner({"maas": away}), "maas", timeout_s=1)
    assert facts.recorded.error == "No route to host"
