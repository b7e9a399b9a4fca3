"""Work and damage: the scripts in a real shell, and what the tools print, taken apart."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.collect.sections import Section, run
from blackstart.collect.upkeep import (
    ABSENT,
    STORAGE,
    WORK,
    health_in,
    look_at_storage,
    look_for_work,
    work_in,
)
from blackstart.drivers.base import CommandResult
from blackstart.errors import Unreachable

from .local import LocalRunner, ScriptedRunner, tool

NOTHING = {"md": (ABSENT,), "zfs": (ABSENT,), "btrfs": (ABSENT,), "ceph": (ABSENT,)}
IDLE = {**NOTHING, "programs": (), "packages": ()}
MD_SOUND = """\
Personalities : [raid1] [raid6]
md0 : active raid1 sdb1[1] sda1[0]
      976630464 blocks super 1.2 [2/2] [UU]
      bitmap: 0/8 pages [0KB], 65536KB chunk

unused devices: <none>"""
MD_ILL = """\
Personalities : [raid1]
md0 : active raid1 sdb1[1](F) sda1[0]
      976630464 blocks super 1.2 [2/1] [U_]
md1 : inactive sdc1[0](S)
      976630464 blocks super 1.2
md2 : active raid5 sdd1[3] sde1[1] sdf1[0]
      1953260928 blocks level 5, 512k chunk, algorithm 2 [3/3] [UUU]
      [=>...................]  check =  5.1% (50000000/976630464) finish=90.0min speed=171000K/sec
unused devices: <none>"""
ZFS_SCRUB = """\
  pool: tank
 state: ONLINE
  scan: scrub in progress since Sun Nov  8 00:24:01 2026
config:
errors: No known data errors

  pool: fast
 state: ONLINE
  scan: scrub repaired 0B in 00:10:00 with 0 errors on Sun Nov  8 00:34:02 2026"""
ZFS_ILL = """\
  pool: tank
 state: DEGRADED
status: One or more devices could not be used because the label is missing or invalid.
errors: No known data errors"""


def lines(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines())


class TestWork:
    """What is under way, from what the tools print."""

    def test_nothing(self) -> None:
        assert work_in(IDLE) == ()
        assert work_in({**IDLE, "md": lines(MD_SOUND)}) == ()

    @pytest.mark.parametrize("kind", ["check", "resync", "recovery", "reshape"])
    def test_an_array_at_work(self, kind: str) -> None:
        text = MD_ILL.replace("check", kind)
        assert work_in({**IDLE, "md": lines(text)}) == (f"{kind} of md2",)

    @pytest.mark.parametrize("kind", ["scrub", "resilver"])
    def test_a_pool_at_work(self, kind: str) -> None:
        text = ZFS_SCRUB.replace("scrub in", f"{kind} in")
        assert work_in({**IDLE, "zfs": lines(text)}) == (f"{kind} of pool tank",)

    def test_btrfs_at_work(self) -> None:
        running = "UUID: 1\nScrub started:    Sun\nStatus:           running"
        assert work_in({**IDLE, "btrfs": lines(running)}) == ("scrub of btrfs",)
        assert work_in({**IDLE, "btrfs": lines(running.replace("running", "finished"))}) == ()

    def test_programs_and_locks(self) -> None:
        told = {**IDLE, "programs": ("restic", "restic"), "packages": ("/var/lib/dpkg/lock",)}
        assert work_in(told) == ("restic runs", "/var/lib/dpkg/lock is held")


class TestDamage:
    """What is damaged, and that absence is told as such."""

    def test_nothing_there(self) -> None:
        health = health_in(NOTHING)
        assert health.damage == ()
        assert health.seen == ("no md", "no zfs", "no btrfs", "no ceph")

    def test_sound(self) -> None:
        told = {
            "md": lines(MD_SOUND),
            "zfs": ("all pools are healthy",),
            "btrfs": ("[/dev/sda].write_io_errs    0",),
            "ceph": ("HEALTH_OK",),
        }
        health = health_in(told)
        assert health.damage == ()
        assert health.seen[0] == "md looked at"

    def test_what_a_controllers_firmware_keeps_around_its_arrays_is_no_damage(self) -> None:
        text = MD_SOUND.replace(
            "unused", "md127 : inactive sda[0](S)\n      10402 blocks super external:imsm\nunused"
        )
        assert health_in({**NOTHING, "md": lines(text)}).damage == ()

    def test_arrays(self) -> None:
        assert health_in({**NOTHING, "md": lines(MD_ILL)}).damage == (
            "md0 has a failed disk",
            "md0 has 1 of 2 disks",
            "md1 is inactive",
        )

    def test_pools(self) -> None:
        assert health_in({**NOTHING, "zfs": lines(ZFS_ILL)}).damage == ("pool tank is DEGRADED",)
        odd = health_in({**NOTHING, "zfs": ("something else",)})
        assert odd.damage == ("zpool says: something else",)

    def test_btrfs(self) -> None:
        told = ("[/dev/sda].write_io_errs    0", "[/dev/sdb].corruption_errs  7")
        damage = health_in({**NOTHING, "btrfs": told}).damage
        assert damage == ("/dev/sdb has 7 corruption_errs",)

    @pytest.mark.parametrize("said", ["HEALTH_WARN 1 osds down", ""])
    def test_ceph(self, said: str) -> None:
        assert health_in({**NOTHING, "ceph": (said,)}).damage[0].startswith("ceph says")


def moved(sections: tuple[Section, ...], name: str, *moves: tuple[str, Path]) -> Section:
    """One section that looks below a directory of the test."""
    (section,) = [item for item in sections if item.name == name]
    for old, new in moves:
        assert old in section.line
        section = replace(section, line=section.line.replace(old, str(new)))
    return section


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Held as dpkg holds it: fcntl(2), by another process of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


class TestScripts:
    """The sections in a real shell."""

    def asked(self, section: Section, tools: Path | None = None) -> tuple[tuple[str, ...], str]:
        answer = run(LocalRunner(tools), "here", [section], timeout_s=30)[section.name]
        return answer.lines, answer.error or ""

    def test_this_machine_answers(self) -> None:
        runner = LocalRunner()
        assert look_for_work(runner, "here").error is None
        health = look_at_storage(runner, "here")
        assert health.error is None
        assert health.value is not None
        assert len(health.value.seen) == 4

    def test_a_held_lock_of_the_package_manager_is_seen(self, tmp_path: Path) -> None:
        lock = tmp_path / "dpkg" / "lock"
        section = moved(WORK, "packages", ("/var/lib/dpkg", lock.parent))
        with locked(lock):
            assert self.asked(section) == ((str(lock),), "")
        assert self.asked(section) == ((), "")

    def test_programs_are_seen_and_daemons_are_not(self, tmp_path: Path) -> None:
        for number, name, words in (
            (1, "restic", "restic\0backup"),
            (2, "rsync", "rsync\0--daemon\0--no-detach"),
            (3, "bash", "bash"),
            (4, "rsync", "rsync\0-a\0/a\0/b"),
            (5, "rclone", "/usr/bin/rclone\0mount\0remote:\0/mnt"),
            (6, "rclone", "rclone\0copy\0/a\0remote:"),
            (7, "kopia", "kopia\0server\0start"),
            (8, "borg", "borg\0serve"),
            (9, "btrfs", ""),
        ):
            process = tmp_path / str(number)
            process.mkdir()
            (process / "comm").write_text(f"{name}\n")
            (process / "cmdline").write_text(words)
        section = moved(WORK, "programs", ("/proc", tmp_path))
        assert self.asked(section) == (("restic", "rsync", "rclone", "borg"), "")

    def test_a_real_process_is_seen(self, tmp_path: Path) -> None:
        program = tmp_path / "restic"
        program.write_bytes(Path("/bin/sleep").read_bytes())
        program.chmod(0o755)
        with subprocess.Popen([program, "60"]) as process:
            try:
                seen = look_for_work(LocalRunner(), "here")
            finally:
                process.kill()
        assert seen.value is not None
        assert "restic runs" in seen.value

    def test_a_module_without_its_tool_is_unknown(self, tmp_path: Path) -> None:
        (tmp_path / "zfs").mkdir()
        section = moved(STORAGE, "zfs", ("/sys/module", tmp_path), ("zpool", Path("no-zpool")))
        assert "not found" in self.asked(section)[1]

    def test_a_pool_is_asked_for(self, tmp_path: Path) -> None:
        (tmp_path / "zfs").mkdir()
        tool(tmp_path, "zpool", '[ "$2" = -x ] && echo "all pools are healthy"')
        section = moved(STORAGE, "zfs", ("/sys/module", tmp_path))
        assert self.asked(section, tmp_path) == (("all pools are healthy",), "")

    @pytest.mark.parametrize(("sections", "verb"), [(WORK, "scrub"), (STORAGE, "device")])
    def test_each_btrfs_is_asked_once(
        self, tmp_path: Path, sections: tuple[Section, ...], verb: str
    ) -> None:
        tool(tmp_path, "btrfs", 'echo "asked $1 $3"')
        table = tmp_path / "mounts"
        table.write_text(
            "/dev/sda /srv btrfs rw 0 0\n/dev/sda /home btrfs rw 0 0\n/dev/sdb / ext4 rw 0 0\n"
        )
        section = moved(sections, "btrfs", ("/proc/self/mounts", table))
        assert self.asked(section, tmp_path) == ((f"asked {verb} /srv",), "")
        table.write_text("/dev/sdb / ext4 rw 0 0\n")
        assert self.asked(section, tmp_path) == ((ABSENT,), "")

    def test_a_tool_that_fails_is_unknown(self, tmp_path: Path) -> None:
        tool(tmp_path, "btrfs", "echo no permission >&2; exit 1")
        table = tmp_path / "mounts"
        table.write_text("/dev/sda /srv btrfs rw 0 0\n")
        section = moved(STORAGE, "btrfs", ("/proc/self/mounts", table))
        assert self.asked(section, tmp_path) == ((), "exit 1: no permission")

    def test_ceph_is_asked_where_it_is_configured(self, tmp_path: Path) -> None:
        (tmp_path / "ceph.conf").touch()
        tool(tmp_path, "ceph", "echo HEALTH_WARN")
        section = moved(STORAGE, "ceph", ("/etc/ceph", tmp_path))
        assert self.asked(section, tmp_path) == (("HEALTH_WARN",), "")

    def test_a_host_that_does_not_answer(self) -> None:
        def refuse(_: str) -> CommandResult:
            raise Unreachable("a1: no route to host")

        runner = ScriptedRunner({"a1": refuse})
        assert look_for_work(runner, "a1").error == "a1: no route to host"
        assert look_at_storage(runner, "a1").error == "a1: no route to host"

    def test_half_an_answer_is_none(self) -> None:
        runner = ScriptedRunner({"a1": lambda _: CommandResult(0, "", "")})
        assert "md: the host did not get to it" in str(look_for_work(runner, "a1").error)
