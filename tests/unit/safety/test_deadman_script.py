"""The dead-man's own scripts, run by a real shell: what fires, what is tried again, what is left.

``systemctl`` and ``logger`` are small programs that write down how they were called. All else
is real: dash, the kernel's boot id and uptime, the files.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from blackstart.drivers.base import CommandResult
from blackstart.errors import Rejected
from blackstart.model import deadman as model
from blackstart.model.deadman import FIRED, DeadMan
from blackstart.model.undo import Action, EndOwnUnit, Redeploy, StartUnit
from blackstart.safety import deadman as safety
from blackstart.safety.deadman import DeadMen, files

LEASE_S = 60
BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
NOBODYS_BOOT = "00000000-0000-4000-8000-000000000000"
WRITES_DOWN = '#!/bin/sh\necho "${0##*/} $*" >>"$CALLS"\n'
# A unit is active once it was started, unless it is told to refuse.
SYSTEMCTL = (
    WRITES_DOWN
    + """\
case "$*" in
*'start maas.service'*) [ -e "$STATE/refuses" ] || : >"$STATE/active" ;;
*is-active*maas*) [ -e "$STATE/active" ] ;;
esac
"""
)


@dataclass(frozen=True)
class Host:
    """A host's directories and shell, and whose dead-man is on it."""

    root: Path
    deadman: DeadMan

    @property
    def calls(self) -> list[str]:
        """What ``systemctl`` and ``logger`` were asked so far."""
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def left(self) -> list[str]:
        """Every file of the dead-man that is there."""
        tops = (self.root / "var", self.root / "units")
        found = (path for top in tops for path in top.rglob("*"))
        return sorted(path.name for path in found if path.name != "timers.target.wants")

    @property
    def home(self) -> Path:
        return Path(self.deadman.home)

    def has(self, name: str) -> bool:
        return (self.root / name).exists()

    def sh(self, script: str) -> int:
        """Run a line as the host's shell; its exit code."""
        return self.answer(script).exit_code

    def answer(self, script: str) -> CommandResult:
        environment = {
            "PATH": f"{self.root / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
            "CALLS": str(self.root / "calls"),
            "STATE": str(self.root),
        }
        done = subprocess.run(
            ["/bin/sh"],
            input=script,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=environment,
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        """``CommandRunner``: what is sent to ``sh -s`` is a script."""
        return self.answer(stdin if command == "sh -s" and stdin is not None else command)

    def forget(self, host: str) -> None:
        """There is no connection."""

    def program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def tick(self) -> None:
        """What the timer does every two seconds."""
        self.sh(f"sh {self.home}/check.sh")

    def lease(self, text: str) -> None:
        (self.home / "lease").write_text(text)

    @property
    def undone(self) -> bool:
        return "systemctl start maas.service" in self.calls


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host with an armed dead-man that starts maas.service again."""
    monkeypatch.setattr(model, "HOME", str(tmp_path / "var" / "blackstart"))
    monkeypatch.setattr(safety, "HOME", str(tmp_path / "var" / "blackstart"))
    monkeypatch.setattr(safety, "UNITS", str(tmp_path / "units"))
    (tmp_path / "units" / "timers.target.wants").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    found = Host(tmp_path, DeadMan("drill-1", "pve1", LEASE_S))
    found.program("systemctl", SYSTEMCTL)
    found.program("logger", WRITES_DOWN)
    arm(found)
    (tmp_path / "units/timers.target.wants" / f"{found.deadman.unit}.timer").touch()
    return found


def arm(host: Host, *actions: Action) -> None:
    DeadMen(host).arm(host.deadman, actions or (StartUnit(unit="maas.service"),))


def uptime() -> int:
    return int(float(Path("/proc/uptime").read_text().split()[0]))


def test_armed_is_all_there_and_nobody_elses_business(host: Host) -> None:
    assert {"check.sh", "lease", "undo.sh"} < set(host.left)
    assert (host.home.stat().st_mode & 0o777) == 0o700
    assert host.calls[-1] == f"systemctl is-active --quiet {host.deadman.unit}.timer"


def test_while_the_lease_is_fresh_nothing_happens(host: Host) -> None:
    before = (host.left, host.calls)
    host.tick()
    assert (host.left, host.calls) == before


@pytest.mark.parametrize(
    "lease",
    [
        pytest.param(lambda: f"{BOOT_ID} {uptime() - LEASE_S - 2}\n", id="stale"),
        pytest.param(lambda: f"{NOBODYS_BOOT} {uptime()}\n", id="another boot"),
        pytest.param(lambda: f"{BOOT_ID} {uptime() + 900}\n", id="from the future"),
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: f"{BOOT_ID}\n", id="no time"),
        pytest.param(lambda: f"{BOOT_ID} {uptime()}", id="torn before its newline"),
        pytest.param(lambda: f"{BOOT_ID[:7]}\n", id="torn within the boot id"),
        pytest.param(lambda: f"{BOOT_ID} soon\n", id="no number"),
        pytest.param(lambda: f"{BOOT_ID} 08\n", id="a number that arithmetic refuses"),
        pytest.param(lambda: f"{BOOT_ID} 12 {uptime()}\n", id="two numbers"),
        pytest.param(lambda: f"{BOOT_ID} {10**30}\n", id="too large a number"),
        pytest.param(lambda: f"{BOOT_ID} $(touch {{}})\n", id="a command"),
    ],
)
def test_what_is_no_fresh_lease_fires_undoes_and_leaves_nothing(
    host: Host, lease: Callable[[], str]
) -> None:
    host.lease(lease().replace("{}", str(host.root / "hacked")))
    host.tick()
    assert host.undone
    assert host.left == []
    assert not (host.root / "var/blackstart").exists()
    assert any("undone and proven" in call for call in host.calls)
    assert not host.has("hacked")


def test_a_lease_that_is_gone_fires(host: Host) -> None:
    (host.home / "lease").unlink()
    host.tick()
    assert host.undone
    assert host.left == []


def test_an_undo_that_fails_is_tried_again_and_only_its_proof_ends_it(host: Host) -> None:
    (host.root / "refuses").touch()
    host.lease("")
    host.tick()
    host.tick()
    assert host.calls.count("systemctl start maas.service") == 2
    assert "undo.sh" in host.left
    assert not any("undone and proven" in call for call in host.calls)
    (host.root / "refuses").unlink()
    host.tick()
    assert host.left == []


def test_once_fired_a_late_sign_of_life_does_not_stop_the_undo(host: Host) -> None:
    (host.root / "refuses").touch()
    host.lease("")
    host.tick()
    host.sh(host.deadman.renewal())  # it was on its way when the dead-man fired
    (host.root / "refuses").unlink()
    host.tick()
    assert host.left == []


def test_one_action_that_fails_does_not_stop_the_next(host: Host) -> None:
    arm(host, EndOwnUnit(unit="blackstart-x.service"), StartUnit(unit="maas.service"))
    host.lease("")
    host.tick()  # the unit is not shown inactive, so the first proof does not hold
    assert host.undone
    assert "undo.sh" in host.left


def test_a_mark_that_cannot_be_written_does_not_stop_the_undo(host: Host) -> None:
    (host.home / "fired").symlink_to(host.root / "nowhere" / "at all")  # as on a full disk
    host.lease("")
    host.tick()
    assert host.undone


def test_a_starved_journal_does_not_stop_the_undo(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safety, "LOG_TIMEOUT_S", 1)
    arm(host)
    host.program("logger", "#!/bin/sh\nexec sleep 600\n")
    host.lease("")
    host.tick()
    assert host.undone
    assert host.left == []


def test_an_undo_that_hangs_is_bounded(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "ACTION_TIMEOUT_S", 1)
    arm(host)
    host.program("systemctl", WRITES_DOWN + "exec sleep 600\n")
    (host.root / "calls").write_text("")
    assert host.sh(f"sh {host.home}/undo.sh") == 1
    assert host.calls == [
        "systemctl start maas.service",
        "systemctl is-active --quiet maas.service",
    ]


class TestGuarding:
    """A change is made only while the dead-man guards it."""

    def test_it_renews_and_runs(self, host: Host) -> None:
        host.lease(f"{BOOT_ID} 1\n")
        assert host.sh(host.deadman.guarding(f"touch {host.root}/changed")) == 0
        assert host.has("changed")
        assert (host.home / "lease").read_text().split()[0] == BOOT_ID
        assert int((host.home / "lease").read_text().split()[1]) > 1

    def test_the_commands_own_failure_is_told(self, host: Host) -> None:
        assert host.sh(host.deadman.guarding("exit 3")) == 3

    @pytest.mark.parametrize("spoil", ["fired", "removed"])
    def test_after_it_has_fired_nothing_runs(self, host: Host, spoil: str) -> None:
        if spoil == "fired":
            (host.home / "fired").touch()
        else:
            shutil.rmtree(host.home)
        assert host.sh(host.deadman.guarding(f"touch {host.root}/changed")) == FIRED
        assert not host.has("changed")
        with pytest.raises(Rejected, match="has fired"):
            DeadMen(host).renew(host.deadman)

    def test_one_that_fires_meanwhile_is_told(self, host: Host) -> None:
        meanwhile = f": >{host.home}/fired"
        assert host.sh(host.deadman.guarding(meanwhile)) == FIRED

    def test_a_renewal_after_the_removal_brings_nothing_back(self, host: Host) -> None:
        DeadMen(host).disarm(host.deadman)
        assert host.sh(host.deadman.guarding("true")) == FIRED
        host.sh(host.deadman.renewal())
        assert host.left == []

    def test_a_renewal_within_the_removal_leaves_nothing(self, host: Host) -> None:
        """rm(1) empties a directory, then removes it; what is made in between stays."""
        lines = [
            "#!/bin/sh",
            'for path; do [ -d "$path" ] && find "$path" -type f -delete; done',
            f"{host.deadman.renewal()}",
            'for path; do [ -d "$path" ] && rmdir "$path" || /bin/rm -f -- "$path"; done',
        ]
        host.program("rm", "\n".join([*lines, ""]))
        DeadMen(host).disarm(host.deadman)
        assert host.left == []


def test_disarming_leaves_nothing_and_may_be_repeated(host: Host) -> None:
    for _ in range(2):
        DeadMen(host).disarm(host.deadman)
        assert host.left == []
        assert not (host.root / "var/blackstart").exists()


def test_another_drills_dead_man_stays(host: Host) -> None:
    other = replace(host, deadman=replace(host.deadman, id="drill-2"))
    arm(other)
    DeadMen(host).disarm(host.deadman)
    assert {"check.sh", "undo.sh", "lease", "drill-2"} < set(host.left)
    assert not any("drill-1" in name for name in host.left)


def test_traces_name_what_is_left(host: Host) -> None:
    (host.root / "var/blackstart/drill-9.gone").mkdir()
    found = DeadMen(host).traces("pve1")
    unit = host.deadman.unit
    names = {Path(path).name for path in found}
    assert names == {"drill-1", "drill-9.gone", f"{unit}.service", f"{unit}.timer"}


def test_what_runs_elsewhere_is_not_its_own(host: Host) -> None:
    elsewhere = Redeploy(guest="docker1", directory="/opt/web", services=("web",))
    arm(host, StartUnit(unit="maas.service"), elsewhere)
    assert "docker" not in (host.home / "undo.sh").read_text()
    with pytest.raises(ValueError, match="guards nothing"):
        arm(host, elsewhere)


def test_the_service_is_spared_by_the_oom_killer() -> None:
    texts = files(DeadMan("drill-1", "pve1", LEASE_S), (StartUnit(unit="maas.service"),))
    (service,) = (text for path, text in texts.items() if path.endswith(".service"))
    assert "OOMScoreAdjust=-1000" in service


def test_nobody_else_can_read_what_is_on_the_host(host: Host) -> None:
    modes = {path.name: path.stat().st_mode & 0o077 for path in host.home.iterdir()}
    assert modes == {"check.sh": 0, "lease": 0, "undo.sh": 0}
