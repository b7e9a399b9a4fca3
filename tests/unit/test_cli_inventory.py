"""``blackstart inventory check``: one line and exit 0, or every problem and exit 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from blackstart.cli_inventory import inventory

RIGHT = Path(__file__).parent / "inventories" / "right.yaml"


def check(*arguments: str) -> Result:
    return CliRunner().invoke(inventory, ["check", *arguments])


def test_a_right_one_is_one_line() -> None:
    result = check(str(RIGHT))
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout == (
        f"{RIGHT}: site lab: 2 nodes, 2 guests, 1 name server, 1 name, 1 compose project, "
        "2 services, 1 certificate; may be broken: a1 (reboot until 2099-12-31)\n"
    )


def test_without_consent_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    text = RIGHT.read_text()
    begin, end = text.index("    may_break:"), text.index("  nas:")
    path.write_text(text[:begin] + text[end:])
    assert check(str(path)).stdout.endswith("; nothing may be broken\n")


def test_json_of_a_right_one() -> None:
    document = json.loads(check(str(RIGHT), "--json").stdout)
    assert document["ok"] is True
    assert document["site"] == "lab"
    assert document["counts"]["guests"] == 2
    willing = {name: given for name, given in document["may_break"].items() if given}
    assert willing == {"a1": {"reboot": "2099-12-31"}}


def test_a_consent_that_has_ended_is_shown_apart(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    ended = (
        "      reboot:\n        until: 2020-01-31\n      power-cut:\n        until: 2099-12-31\n"
    )
    path.write_text(RIGHT.read_text().replace("      reboot:\n        until: 2099-12-31\n", ended))
    said = "; may be broken: a1 (power-cut until 2099-12-31); expired: a1 (reboot on 2020-01-31)\n"
    assert check(str(path)).stdout.endswith(said)
    document = json.loads(check(str(path), "--json").stdout)
    assert document["may_break"]["a1"] == {"power-cut": "2099-12-31"}
    assert document["expired"] == {"a1": {"reboot": "2020-01-31"}, "nas": {}, "dns1": {}, "box": {}}


def test_where_every_consent_has_ended_nothing_may_be_broken(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    path.write_text(RIGHT.read_text().replace("until: 2099-12-31", "until: 2020-01-31"))
    said = "; nothing may be broken; expired: a1 (reboot on 2020-01-31)\n"
    assert check(str(path)).stdout.endswith(said)


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "home.yaml"
    text = RIGHT.read_text().replace("vmid: 102", "vmid: 101").replace("kind: lxc", "kind: lcx")
    path.write_text(text)
    return path


def test_a_wrong_one_says_everything_on_stderr(wrong: Path) -> None:
    result = check(str(wrong))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{wrong}:31: vmid 101 of box is that of dns1 too (line 23); give each its own",
        f"{wrong}:32: 'lcx' is none of qemu, lxc; did you mean 'lxc'?",
    ]


def test_json_of_a_wrong_one(wrong: Path) -> None:
    result = check(str(wrong), "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert document["problems"] == result.stderr.splitlines()


def test_a_missing_one_is_a_problem_and_no_traceback(tmp_path: Path) -> None:
    result = check(str(tmp_path / "no.yaml"))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_no_file_named_is_a_usage_error() -> None:
    assert check().exit_code == 2
