"""``blackstart addresses`` as a person types it: table, findings, JSON, exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from blackstart.cli import blackstart
from blackstart.model.facts import SiteFacts

from .guest_addresses import BOX, BOX_AT, LOG, MAAS, agreeing, dhcp, entry, maas, with_guest
from .invariants.site import document, lost, seen

MOVES = agreeing(
    dhcp={"far": dhcp(declared=seen(()), recorded=seen((entry(dynamic=True),), LOG))},
    maas=maas(reservations=seen(())),
)


def typed(
    here: Path, monkeypatch: pytest.MonkeyPatch, facts: SiteFacts, *words: str, **changes: Any
) -> tuple[int, str]:
    """Run it on a site that shows these facts."""
    declared = document(**{"maas": MAAS, "mounts": {}, "compose": {}, **changes})
    (here / "lab.yaml").write_text(json.dumps(declared))
    monkeypatch.chdir(here)

    class Connected:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

        def facts(self) -> SiteFacts:
            return facts

    monkeypatch.setattr("blackstart.cli_addresses.connect", lambda *_, **__: Connected())
    result = CliRunner().invoke(blackstart, ["addresses", "--inventory", "lab.yaml", *words])
    return result.exit_code, result.output


def line(output: str, begins: str) -> str:
    (found,) = (item for item in output.splitlines() if item.startswith(begins))
    return found


def test_all_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = typed(tmp_path, monkeypatch, agreeing())
    assert code == 0
    assert line(output, "PASS").endswith("addresses of home: 0 wrong, 0 not known")
    assert line(output, "box").split() == [
        *("box", BOX_AT, "dhcp", "same", "(reservedip)", "same", "(dhcpd.conf)"),
        *("-", "same", "same", "same", "same"),
    ]


def test_what_the_owner_accepts_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave = {"check": "dhcp_has_a_second_server", "target": "home", "until": "1970-01-01"}
    accept = [{**leave, "reason": "the second arrives in spring"}]
    alone = agreeing(dhcp={"far": dhcp(partners=seen(()))})
    code, output = typed(tmp_path, monkeypatch, alone, "--json", "book.json", accept=accept)
    assert code == 0
    assert line(output, "PASS").endswith("0 wrong, 0 not known, 1 accepted")
    assert "far alone" in line(output, "accepted (one server): ")
    (told,) = json.loads((tmp_path / "book.json").read_text())["accepted"]
    assert (told["until"], told["reason"]) == ("1970-01-01", "the second arrives in spring")


def test_a_guest_that_would_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = typed(tmp_path, monkeypatch, MOVES)
    assert code == 1
    assert line(output, "FAIL").endswith("1 wrong, 0 not known")
    assert "same (dynamic)" in line(output, "box")
    assert line(output, "moves: box will move at the next dhcpd start")
    assert line(output, "    fix: ").endswith("make it static in the guest")


def test_another_address_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = with_guest("box", interfaces=seen({BOX: ("192.0.2.7",)}))
    code, output = typed(tmp_path, monkeypatch, facts)
    assert code == 1
    assert "! 192.0.2.7" in line(output, "box")


def test_what_is_not_known_is_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = typed(tmp_path, monkeypatch, with_guest("box", interfaces=lost()))
    assert code == 3
    assert "?" in line(output, "box")
    assert line(output, "not known (disagrees): box: seen not known: no answer")


def test_json_has_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _ = typed(tmp_path, monkeypatch, MOVES, "--json", "out.json")
    assert code == 1
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["site"], found["verdict"], found["taken_at"]) == ("home", "fail", 0.0)
    assert [item["kind"] for item in found["findings"]] == ["moves"]
    (box,) = (row for row in found["rows"] if row["guest"] == "box")
    (cell,) = (cell for cell in box["cells"] if cell["column"] == "host entry")
    assert (cell["says"], cell["note"], cell["source"]) == ([BOX_AT], "dynamic", f"{LOG} line 7")


def test_colour_in_a_pipe_folds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, output = typed(tmp_path, monkeypatch, agreeing())
    header = next(line for line in output.splitlines() if "guest" in line)
    assert "certificate" in header


def test_a_wrong_inventory_is_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.yaml").write_text("site: [")
    result = CliRunner().invoke(blackstart, ["addresses", "--inventory", "lab.yaml"])
    assert result.exception is not None
    assert getattr(result.exception, "exit_code", None) == 2
