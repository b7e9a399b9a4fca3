"""Everything that only checks ask, side by side; and each of them silent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from blackstart.collect.host_files import look_at_files
from blackstart.collect.readiness import ReadinessCollector
from blackstart.drivers.base import BackOn, CommandResult
from blackstart.errors import Rejected, TimedOut, Unreachable
from blackstart.model.proxmox_facts import nothing_of

from .. import proxmox_site as well
from .local import LocalRunner, ScriptedRunner


@dataclass
class Controllers:
    """Controllers by host: what each raises, or well."""

    raises: dict[str, Exception] = field(default_factory=dict)
    policies: dict[str, Exception] = field(default_factory=dict)

    def supports(self, host: str) -> bool:
        return host in ("a1", "a2")

    def state(self, host: str) -> Literal["on", "off"]:
        if host in self.raises:
            raise self.raises[host]
        return "on"

    def restore_policy(self, host: str) -> str:
        if host in self.policies:
            raise self.policies[host]
        return "AlwaysOn"

    def power_cycle(self, host: str) -> None:
        raise AssertionError("a look changes nothing")

    def back_on_by(self, host: str) -> BackOn:
        raise AssertionError("not asked")

    off = power_on = power_cycle

    def off_for(self, host: str, seconds: float) -> None:
        raise AssertionError("a look changes nothing")


def unreachable(_: str) -> CommandResult:
    raise Unreachable("no route to host")


DARK = ScriptedRunner(dict.fromkeys(("a1", "a2", "nas"), unreachable))


def collector(power: Controllers | None = None, **changes: Any) -> ReadinessCollector:
    made: dict[str, Any] = {
        "inventory": well.inventory(),
        "runner": DARK,
        "power": power or Controllers(),
        "proxmox": well.cluster,
    }
    return ReadinessCollector(**{**made, **changes})


def test_everything_is_asked() -> None:
    found = collector(runner=LocalRunner())()
    assert found.proxmox == well.cluster()
    assert {host: it.answers.value for host, it in found.controllers.items()} == {
        "a1": True,
        "a2": True,
    }
    assert found.configuration_copy is not None
    assert "/srv/etc-pve" in found.configuration_copy.source
    there = found.files["a1"].value
    assert there is not None
    assert there.there == {"/dev/disk/by-id/ata-X": False}
    assert found.files["a2"].known


def test_hosts_that_are_away_are_told() -> None:
    found = collector()()
    assert found.files["a1"].error == "no route to host"
    assert found.configuration_copy is not None
    assert found.configuration_copy.error == "no route to host"


def test_a_controller_that_refuses_answers_and_one_that_is_silent_does_not() -> None:
    power = Controllers(
        raises={"a1": Rejected("a1: its controller refuses user ops"), "a2": TimedOut("a2: silent")}
    )
    found = collector(power)().controllers
    assert found["a1"].answers.value is False
    assert "refuses user ops" in found["a1"].answers.source
    assert (found["a2"].answers.value, found["a2"].answers.error) == (None, "a2: silent")
    assert found["a2"].restore_policy.error == "a2: silent"


def test_a_controller_that_does_not_tell_its_policy() -> None:
    power = Controllers(policies={"a1": Rejected("a1: its controller does not tell it")})
    found = collector(power)().controllers["a1"]
    assert found.answers.value is True
    assert found.restore_policy.error == "a1: its controller does not tell it"


def test_a_look_that_breaks_its_bound_is_an_error_in_its_facts() -> None:
    def late() -> Any:
        raise TimedOut("no answer within 42 s")

    found = collector(proxmox=late)()
    assert found.proxmox is not None
    assert found.proxmox.guests.error == "no answer within 42 s"
    assert found.files == {}


def test_a_site_without_them_asks_nobody() -> None:
    plain = well.inventory(backups={})
    found = collector(inventory=plain, proxmox=None)()
    assert (found.proxmox, found.configuration_copy, found.files) == (None, None, {})


class TestHostFiles:
    """Paths of a host."""

    def test_there_and_not(self, tmp_path: Path) -> None:
        (tmp_path / "it's here").touch()
        paths = [str(tmp_path / "it's here"), str(tmp_path / "gone")]
        seen = look_at_files(LocalRunner(), "a1", paths)
        assert seen.value is not None, seen.error
        assert seen.value.there == {paths[0]: True, paths[1]: False}
        assert seen.value.arc_max >= 0

    def test_no_paths_is_one_question_less(self) -> None:
        seen = look_at_files(LocalRunner(), "a1", [])
        assert seen.value is not None
        assert seen.value.there == {}

    def test_an_answer_that_lacks_a_path(self) -> None:
        def short(script: str) -> CommandResult:
            mark = script.partition("mark=")[2].partition("\n")[0].strip("'")
            out = "".join(
                f"{mark} begin {name}\n{text}\n\n{mark} end {name} 0\n"
                for name, text in (("arc", "0"), ("paths", "yes /other"))
            )
            return CommandResult(0, out, "")

        seen = look_at_files(ScriptedRunner({"a1": short}), "a1", ["/srv"])
        assert seen.error == "not understood: /srv"


def test_nothing_of_a_cluster_is_nothing_known() -> None:
    empty = nothing_of("a@pve!b", 0.0, "api", "no")
    assert (empty.hypervisors, empty.guests.error) == ({}, "no")
