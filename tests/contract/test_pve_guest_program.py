"""The seam to the guests' bodies: a program with verbs, and how it may fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.rack.standins.pve import runtime
from blackstart.rack.standins.pve.errors import Died
from blackstart.rack.standins.pve.runtime import ProgramRuntime, Vitals

PROGRAM = """\
#!/bin/sh
home={home}
echo "$*" >>$home/calls
case "$1" in
    status) cat $home/status ;;
    start) {start} ;;
    shutdown) exit 1 ;;
    interfaces) echo '[{{"ifname": "lo"}}]' ;;
    agent) exit 0 ;;
    *) echo "first line" >&2; echo "cannot $1 $2" >&2; exit 1 ;;
esac
"""
RUNNING = '{"100": {"status": "running", "pid": 7, "uptime": 3, "mem": 4096}}'
STOPPED = '{"100": {"status": "stopped", "pid": null, "uptime": 0, "mem": 0}}'


def _program(home: Path, start: str = "true", status: str = STOPPED) -> ProgramRuntime:
    (home / "status").write_text(status)
    path = home / "guest"
    path.write_text(PROGRAM.format(home=home, start=start))
    path.chmod(0o755)
    return ProgramRuntime(path)


def test_vitals_of_all_in_one_call(tmp_path: Path) -> None:
    assert _program(tmp_path, status=RUNNING).vitals() == {100: Vitals(True, 7, 3, 4096)}
    assert (tmp_path / "calls").read_text() == "status\n"


def test_start_is_over_once_the_guest_runs(tmp_path: Path) -> None:
    later = f"sleep 0.7; echo '{RUNNING}' >{tmp_path}/new; mv {tmp_path}/new {tmp_path}/status"
    spawn = f"({later}) >/dev/null 2>&1 &"
    _program(tmp_path, start=spawn).start(100)
    assert (tmp_path / "calls").read_text().splitlines().count("status") > 1


def test_start_of_a_guest_that_dies_at_once_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "START_TIMEOUT_S", 1)
    with pytest.raises(Died, match="start failed: QEMU exited with code 1"):
        _program(tmp_path).start(100)
    with pytest.raises(Died, match="start failed: no disk"):
        _program(tmp_path, start="echo no disk >&2; exit 1").start(100)


def test_other_verbs(tmp_path: Path) -> None:
    program = _program(tmp_path)
    assert program.agent_answers(100)
    assert not program.shutdown(100, 5)
    assert program.interfaces(100) == [{"ifname": "lo"}]
    with pytest.raises(Died, match=r"^cannot stop 100$"):
        program.stop(100)


@pytest.mark.parametrize("status", ["", "no json"])
def test_nonsense_is_an_error_and_not_a_stopped_guest(tmp_path: Path, status: str) -> None:
    with pytest.raises(Died, match="unexpected answer of the guest program"):
        _program(tmp_path, status=status).vitals()


def test_a_program_that_hangs_or_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "OBSERVE_TIMEOUT_S", 0.2)
    program = _program(tmp_path)
    (tmp_path / "guest").write_text("#!/bin/sh\nexec sleep 5\n")
    with pytest.raises(Died, match="got timeout"):
        program.vitals()
    with pytest.raises(Died, match="No such file or directory"):
        ProgramRuntime(tmp_path / "none").vitals()
