"""The order of a replay, and what is left of one that broke off."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import Refusal, Unproven, UsageError
from blackstart.incident.model import Changes, DrillOf, Step
from blackstart.incident.records import Drilled, Records, Verified, digest
from blackstart.incident.replay import Replay
from blackstart.model.finding import Severity
from blackstart.model.verdict import Verdict

from . import drifts
from .drifts import EFI, FELL, HARMLESS, ONBOOT, finding, verified


@dataclass
class Rack:
    """A rack that does what it is told, writes it down, and breaks where it is told to."""

    breaks: dict[str, BaseException] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    carries: str = ""
    unwell: str = ""
    healthy: Verified = field(default_factory=verified)

    def _did(self, what: str) -> None:
        self.said.append(what)
        if what in self.breaks:
            raise self.breaks[what]

    def reset(self) -> None:
        self._did("reset")
        self.carries = ""

    def mark(self, text: str) -> None:
        self._did("mark")
        self.carries = text

    def marked(self) -> str:
        self._did("marked")
        return self.carries

    def run(self, step: Step) -> None:
        self._did(step.run)

    def ill(self, bound_s: float) -> str:
        self._did("well")
        return self.unwell

    def verify(self, act: str | None, declares: Changes) -> Verified:
        self._did(
            "verify" if act is None else "verify with" if "mend" not in self.said else "again"
        )
        return verified(finding(EFI)) if self.said[-1] == "verify with" else self.healthy

    def drill(self, drill: DrillOf, declares: Changes, directory: Path) -> Drilled:
        self._did("drill")
        return drifts.drilled(**FELL)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "records", "code")


def replay(rack: Rack, records: Records) -> Replay:
    return Replay(rack, records, lambda _: None)


def test_the_order(records: Records) -> None:
    rack = Rack()
    kept = replay(rack, records).one(drifts.case())
    assert rack.said == [
        *("mark", "break", "well", "verify with", "drill"),
        *("mend", "mend that, too", "well", "again", "reset"),
    ]
    assert kept.trouble == ()
    assert records.of(drifts.case()) == kept
    assert records.applied() is None


def test_that_it_is_applied_is_on_disk_before_anything_is_changed(records: Records) -> None:
    seen: list[str | None] = []

    class Watching(Rack):
        def mark(self, text: str) -> None:
            seen.append(records.applied())

    replay(Watching(), records).one(drifts.case())
    assert seen == ["gone@efi"]


def test_a_harmless_change_needs_no_fix_and_one_that_shows_no_wait(records: Records) -> None:
    rack = Rack()
    replay(rack, records).one(drifts.case(**HARMLESS, shows=True))
    assert rack.said == ["mark", "break", "verify with", "reset"]


@pytest.mark.parametrize("where", ["break", "well", "verify with", "drill"])
def test_the_fix_runs_whatever_failed(records: Records, where: str) -> None:
    rack = Rack({where: Unproven(f"{where} failed")})
    kept = replay(rack, records).one(drifts.case())
    assert kept.trouble[0].endswith(f"{where} failed")
    assert {"mend", "mend that, too"} <= {*rack.said}
    assert rack.said[-1] == "reset"


def test_a_step_of_the_fix_that_fails_stops_no_other(records: Records) -> None:
    rack = Rack({"mend": Unproven("no such file")})
    kept = replay(rack, records).one(drifts.case())
    assert kept.trouble == ("fix: no such file",)
    assert rack.said[-4:] == ["mend that, too", "well", "again", "reset"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a defect")])
def test_broken_off_it_is_mended_and_reset_all_the_same(
    records: Records, error: BaseException
) -> None:
    rack = Rack({"drill": error})
    with pytest.raises(type(error)):
        replay(rack, records).one(drifts.case())
    assert rack.said[-3:] == ["mend", "mend that, too", "reset"]
    kept = records.of(drifts.case())
    assert kept is not None
    assert kept.trouble == (f"broken off: {type(error).__name__}",)
    assert kept.after is None


@pytest.mark.parametrize("where", ["drill", "fix", "reset"])
def test_a_terminal_that_is_gone_leaves_no_drift(records: Records, where: str) -> None:
    def say(text: str) -> None:
        if where in text:
            raise BrokenPipeError

    rack = Rack()
    with pytest.raises(BrokenPipeError):
        Replay(rack, records, say).one(drifts.case())
    assert rack.said[-1] == "reset"
    assert records.applied() is None


def test_a_full_disk_leaves_no_drift(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Records, record: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Records, "keep", full)
    rack = Rack()
    with pytest.raises(OSError, match="No space left"):
        replay(rack, records).one(drifts.case())
    assert rack.said[-1] == "reset"


def test_a_site_that_is_not_well_with_a_silent_drift_is_told(records: Records) -> None:
    kept = replay(Rack(unwell="pve1: web does not answer"), records).one(drifts.case())
    assert kept.trouble[0] == (
        "not well with the drift, which was to be silent: pve1: web does not answer"
    )


def test_after_a_kill_the_next_one_refuses_until_the_rack_is_reset(records: Records) -> None:
    records.begin(drifts.case())  # and then it was killed
    rack = Rack(carries="gone@efi")
    for what in (replay(rack, records).begin, lambda: replay(rack, records).one(drifts.case())):
        with pytest.raises(Refusal, match=r"gone@efi may still be applied .*rack reset"):
            what()
    assert rack.said == ["marked", "marked"]
    rack.reset()
    replay(rack, records).begin()
    assert records.applied() is None


def test_a_rack_that_cannot_be_asked_may_have_it_still(records: Records) -> None:
    records.begin(drifts.case())
    rack = Rack({"marked": Unproven("no route")})
    with pytest.raises(Refusal, match="cannot be asked: no route"):
        replay(rack, records).begin()


def test_a_rack_that_could_not_be_reset_is_still_changed(records: Records) -> None:
    rack = Rack({"reset": Unproven("no rack is up")})
    with pytest.raises(Unproven):
        replay(rack, records).one(drifts.case())
    assert records.applied() == "gone@efi"
    with pytest.raises(Refusal):
        replay(rack, records).one(drifts.case())


def test_the_healthy_site_is_looked_at_once_for_each_code(records: Records) -> None:
    rack = Rack()
    replay(rack, records).begin()
    replay(rack, records).begin()
    assert rack.said == ["reset", "well", "verify", "reset"]
    other = Records(records.directory, "other code")
    assert (other.healthy(), records.healthy()) == (None, verified())


def test_a_rack_that_is_ill_by_itself_is_not_changed(records: Records) -> None:
    with pytest.raises(Unproven, match="nothing is changed: nas1: busy"):
        replay(Rack(unwell="nas1: busy"), records).begin()
    assert records.healthy() is None


@pytest.mark.parametrize(
    ("healthy", "said"),
    [
        (
            verified(finding(ONBOOT, severity=Severity.WARNING)),
            r"has 1 finding,.* nothing is changed: guest_starts_with_its_node \[app1\]: it is not",
        ),
        (
            verified(finding(EFI, Verdict.UNPROVEN), finding(ONBOOT), decision="no-go"),
            r"has 2 findings.*efi_disk \[k3s1\]: it is not; guest_starts_with_its_node \[app1\]",
        ),
        (verified(decision="unproven"), "the healthy rack is unproven, not go"),
    ],
)
def test_findings_of_the_healthy_rack_would_make_every_score_meaningless(
    records: Records, healthy: Verified, said: str
) -> None:
    rack = Rack(healthy=healthy)
    with pytest.raises(Unproven, match=said):
        replay(rack, records).begin()
    assert records.healthy() is None
    with pytest.raises(Unproven, match=said):  # nothing of the first look counts
        replay(rack, records).begin()
    assert rack.said == ["reset", "well", "verify"] * 2


def test_what_the_healthy_racks_owner_accepts_is_no_finding(records: Records) -> None:
    replay(Rack(healthy=verified(accepted=(EFI,))), records).begin()
    assert records.healthy() is not None


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"red": [drifts.claim(drifts.ONBOOT)], "decision": "go"}, True),
        ({"apply": [{"host": "pve1", "run": "break otherwise"}]}, False),
        ({"fix": [{"host": "pve1", "run": "mend"}]}, False),
        ({"before": "cold-start"}, False),
    ],
)
def test_a_record_counts_for_what_was_done_whatever_is_expected_of_it(
    records: Records, changes: dict[str, Any], counts: bool
) -> None:
    replay(Rack(), records).one(drifts.case())
    assert (records.of(drifts.case(**changes)) is not None) is counts
    assert Records(records.directory, "other code").of(drifts.case(**changes)) is None


def test_a_record_counts_for_the_racks_own_scripts_and_its_inventory(tmp_path: Path) -> None:
    code, inventory = tmp_path / "code", tmp_path / "rack.yaml"
    for file in (code / "rack/files/guest", code / "cli.py", inventory):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("one\n")
    seen = {digest(inventory, code)}
    for file in (code / "rack/files/guest", code / "cli.py", inventory):
        file.write_text("two\n")
        seen.add(digest(inventory, code))
    code.joinpath("cli.py").rename(code / "other.py")
    seen.add(digest(inventory, code))
    assert len(seen) == 5
    compiled = code / "__pycache__/cli.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"")
    assert digest(inventory, code) in seen


def test_a_file_that_is_no_record_is_told(records: Records) -> None:
    records.write(records.path("gone@efi"), json.dumps({"incident": "gone"}))
    with pytest.raises(UsageError, match=r"no record .*delete it"):
        records.of(drifts.case())


@pytest.mark.parametrize("text", ["", "[]", '{"code": "code"}'])
def test_what_is_applied_and_the_healthy_site_are_told_as_well(records: Records, text: str) -> None:
    records.write(records.path("healthy"), text)
    records.write(records.path("applied"), text)
    for read in (records.healthy, records.applied):
        with pytest.raises(UsageError, match=r"no record .*delete it"):
            read()
