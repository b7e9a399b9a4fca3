"""Nobody killed: the kernel's own line is a failure, its log not read is no pass."""

from __future__ import annotations

from blackstart.invariants.base import Evidence
from blackstart.invariants.nobody_killed import nobody_killed
from blackstart.model.oom import killed_guest
from blackstart.model.verdict import Judgement, Verdict

from .site import document, good, lost, put, seen, site

KILL = (
    "[  93.412] a1 kernel: oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,"
    "mems_allowed=0,global_oom,task_memcg={group},task=kvm,pid=1705,uid=0"
)
BOX = KILL.format(group="/qemu.slice/101.scope")


def one_boot() -> Evidence:
    return put(good(), "after", "hosts.a1.boot_id", seen("first"))


def judged(evidence: Evidence) -> dict[str, Judgement]:
    return {item.target: item for item in nobody_killed().judge(evidence)}


def with_lines(*lines: str, before: tuple[str, ...] = ()) -> Evidence:
    evidence = put(one_boot(), "before", "hosts.a1.oom_lines", seen(before))
    return put(evidence, "after", "hosts.a1.oom_lines", seen(lines, "journalctl"))


def test_nobody_killed_passes_on_each_node_with_guests() -> None:
    found = judged(one_boot())
    assert {name: item.verdict for name, item in found.items()} == {
        "a1": Verdict.PASS,
        "a2": Verdict.PASS,
    }


def test_a_killed_guest_fails_with_its_name_and_the_line() -> None:
    item = judged(with_lines(BOX))["a1"]
    assert item.verdict is Verdict.FAIL
    assert item.reason == f"the kernel of a1 killed box (journalctl): {BOX}"


def test_a_process_of_no_guest_fails_too() -> None:
    line = KILL.format(group="/system.slice/pvedaemon.service")
    item = judged(with_lines(line))["a1"]
    assert item.verdict is Verdict.FAIL
    assert "killed a process of no guest" in item.reason


def test_a_guest_that_nobody_declared_is_named_by_its_number() -> None:
    line = KILL.format(group="/lxc/999/ns")
    assert "killed guest 999" in judged(with_lines(line))["a1"].reason


def test_what_was_there_before_is_not_of_this_drill() -> None:
    assert judged(with_lines(BOX, before=(BOX,)))["a1"].verdict is Verdict.PASS


def test_other_words_about_memory_are_no_kill() -> None:
    line = "[ 93.4] a1 kernel: oom_reaper: reaped process 1705 (kvm)"
    assert judged(with_lines(line))["a1"].verdict is Verdict.PASS


def test_a_log_that_was_not_read_is_unproven() -> None:
    for when in ("before", "after"):
        for value in (lost(error="no journal"), None):
            path = "hosts.a1.oom_lines" if value else "hosts.a1"
            item = judged(put(one_boot(), when, path, value))["a1"]  # type: ignore[arg-type]
            assert item.verdict is Verdict.UNPROVEN


def test_a_boot_hides_what_was_before_it() -> None:
    item = judged(good())["a1"]
    assert item.verdict is Verdict.UNPROVEN
    assert "a1 has booted anew" in item.reason


def test_a_site_without_guests_proves_nothing() -> None:
    bare = site(**{**document(), "guests": {}, "dns": None, "compose": {}, "services": {},
                   "certificates": {}, "mounts": {}})  # fmt: skip
    (item,) = nobody_killed().judge(good(inventory=bare))
    assert item.verdict is Verdict.UNPROVEN


def test_whose_control_group_it_is() -> None:
    assert killed_guest(BOX) == 101
    assert killed_guest(KILL.format(group="/lxc/102/ns/init.scope")) == 102
    assert killed_guest(KILL.format(group="/user.slice")) is None
    assert killed_guest("Out of memory: Killed process 1705 (kvm)") is None
