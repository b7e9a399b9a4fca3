"""Memory faults: what refuses them, what proves them, and what proves nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackstart.drivers.base import CommandResult
from blackstart.errors import Rejected, Unreachable
from blackstart.faults import memory_look
from blackstart.faults.base import PLAN
from blackstart.faults.memory import memory_share, memory_until_oom
from blackstart.model.undo import EndOwnUnit, StartGuest, Unmount

from .scripted import Answer, Rule, scripted

BOOT = "1a0b0e3e-0000-4000-8000-00000000b007"
MEMINFO = "MemTotal: 4194304 kB\nMemAvailable: 2097152 kB\nSwapFree: 0 kB\n"
HEAD = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,"


def oom(number: int, group: str, task: str = "kvm", scope: str = "global_oom") -> str:
    return f"{number} {HEAD}{scope},task_memcg={group},task={task},pid=1705,uid=0\n"


def kernel(*lines: str, newest: int = 500, boot: str = BOOT) -> str:
    return f"{boot}\n{''.join(lines)}{newest} br0: port 1(tap) entered forwarding state\n"


def rules(**changes: Rule) -> dict[str, Rule]:
    """A hypervisor a1 with guests 101 (qm) and 102 (pct), 2 of 4 GiB available."""
    known: dict[str, Rule] = {
        "MainPID": "-1000\n",
        "/dev/kmsg": kernel(newest=400),
        "MemTotal": MEMINFO,
        "qm list": "qm 101\npct 102\n",
        "mountpoint": 0,
        "qm status": "status: stopped\n",
        "pct status": "status: stopped\n",
    }
    named = {"sshd": "MainPID", "kmsg": "/dev/kmsg", "meminfo": "MemTotal", "guests": "qm list"}
    named |= {"possible": "mountpoint", "qm": "qm status", "pct": "pct status"}
    return known | {named[name]: rule for name, rule in changes.items()}


class TestUntilOom:
    """A hypervisor, until its kernel kills a guest."""

    def test_the_undo_ends_the_writer_frees_memory_and_starts_who_ran(self) -> None:
        site, _ = scripted(rules())
        plan = memory_until_oom("a1").plan(site)
        assert plan.undo == (
            EndOwnUnit(unit="blackstart-fill-memory.service"),
            Unmount(path="/run/blackstart/memory"),
            StartGuest(vmid=101, tool="qm"),
            StartGuest(vmid=102, tool="pct"),
        )
        assert plan.blast_radius == ("a1", "dns1", "box")
        assert plan.parameters["started_by"] == "the harness, not by themselves"
        assert plan.parameters["changes"][0]["mib"] == 4096
        assert len(plan.rescue) == len(plan.undo)
        assert PLAN.validate_python(PLAN.dump_python(plan, mode="json")) == plan

    def test_swap_is_filled_too_and_told(self) -> None:
        site, _ = scripted(rules(meminfo=MEMINFO.replace("SwapFree: 0", "SwapFree: 1048576")))
        plan = memory_until_oom("a1").plan(site)
        assert plan.parameters["swap_mib"] == 1024
        assert plan.parameters["changes"][0]["mib"] == 5120
        assert any("1024 MiB of free swap" in line for line in plan.rescue)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"sshd": "0\n"}, r"may take its sshd \(oom_score_adj 0\).*OOMScoreAdjust=-1000"),
            ({"sshd": "-899\n"}, "may take its sshd"),
            ({"sshd": 1}, "cannot be seen.*OOMScoreAdjust=-1000"),
            ({"sshd": "\n"}, "cannot be seen"),
            ({"possible": 1}, "not possible as it is now"),
            ({"guests": ""}, "no guest runs"),
            ({"guests": 1}, "cannot be listed"),
            ({"kmsg": BOOT}, "kernel's log cannot be read"),
            ({"meminfo": ""}, "memory cannot be read"),
        ],
    )
    def test_what_refuses_it(self, changes: dict[str, Any], said: str) -> None:
        site, _ = scripted(rules(**changes))
        with pytest.raises(Rejected, match=said):
            memory_until_oom("a1").plan(site)

    @pytest.mark.parametrize("sshd", ["-900\n", "-1000\n", "socket\n"])
    def test_an_sshd_that_is_spared_does_not(self, sshd: str) -> None:
        site, _ = scripted(rules(sshd=sshd))
        memory_until_oom("a1").plan(site)

    @pytest.mark.parametrize(
        ("group", "name"),
        [
            ("/qemu.slice/101.scope", "dns1"),
            ("/qemu.slice/101.scope/payload/system.slice/named.service", "dns1"),
            ("/lxc/102/ns/system.slice/cron.service", "box"),
            ("/lxc.monitor/102", "box"),
            (
                r"/system.slice/system-pve\x2dcontainer.slice/pve-container@102.service/payload",
                "box",
            ),
        ],
    )
    def test_a_guest_that_the_kernel_killed_proves_it(self, group: str, name: str) -> None:
        site, shell = scripted(rules())
        fault = memory_until_oom("a1")
        plan = fault.plan(site)
        shell.rules["/dev/kmsg"] = kernel(oom(450, group))
        proof = fault.prove_active(site, plan)
        assert proof.holds
        assert f"killed {name}, down until the harness starts it: oom-kill:" in proof.detail
        assert group in proof.detail

    @pytest.mark.parametrize(
        ("kills", "said"),
        [
            ((), "killed nothing within"),
            ((oom(399, "/qemu.slice/101.scope"),), "killed nothing"),
            ((oom(450, "/system.slice/pvedaemon.service", "perl"),), "killed perl, and no guest"),
            ((oom(450, "/system.slice/blackstart-fill-memory.service", "head"),), "killed head"),
            ((oom(450, "/qemu.slice/999.scope"),), "no guest is down"),
            (
                (oom(450, "/qemu.slice/101.scope/payload", scope="oom_memcg=/qemu.slice"),),
                "killed nothing",
            ),
        ],
    )
    def test_anything_else_did_not_bite(self, kills: tuple[str, ...], said: str) -> None:
        site, shell = scripted(rules())
        fault = memory_until_oom("a1")
        plan = fault.plan(site)
        shell.rules["/dev/kmsg"] = kernel(*kills)
        proof = fault.prove_active(site, plan)
        assert not proof.holds
        assert said in proof.detail

    @pytest.mark.parametrize("status", ["status: running\n", 255, "\n"])
    def test_a_guest_that_is_not_seen_down_did_not_fall(self, status: Rule) -> None:
        site, shell = scripted(rules(qm=status))
        fault = memory_until_oom("a1")
        plan = fault.plan(site)
        shell.rules["/dev/kmsg"] = kernel(oom(450, "/qemu.slice/101.scope"))
        assert not fault.prove_active(site, plan).holds

    def test_another_boot_is_no_proof(self) -> None:
        site, shell = scripted(rules())
        fault = memory_until_oom("a1")
        plan = fault.plan(site)
        shell.rules["/dev/kmsg"] = kernel(oom(450, "/qemu.slice/101.scope"), boot="other")
        assert fault.prove_active(site, plan).detail == "a1 has booted anew"

    def test_a_host_that_answers_late_is_asked_again(self) -> None:
        site, shell = scripted(rules())
        fault = memory_until_oom("a1")
        plan = fault.plan(site)
        killed = kernel(oom(450, "/qemu.slice/101.scope"))
        answers: Iterator[Answer] = iter([Unreachable("a1: slow"), killed])
        shell.rules["/dev/kmsg"] = lambda: next(answers)
        assert fault.prove_active(site, plan).holds


class TestShare:
    """A share of memory, held."""

    def test_it_fills_what_is_missing_to_the_share(self) -> None:
        site, _ = scripted(rules())
        plan = memory_share("a1", "80%").plan(site)
        assert plan.parameters["changes"][0]["mib"] == round(0.8 * 4096) - 2048
        assert plan.blast_radius == ("a1",)
        assert not any(isinstance(action, StartGuest) for action in plan.undo)

    def test_a_containers_own_limit_counts(self) -> None:
        limit = (
            "memory.max:536870912\nmemory.current:268435456\n"
            "inactive_file 67108864\nactive_file 0\n"
        )
        site, _ = scripted(rules(meminfo=MEMINFO + limit))
        seen = memory_look.look_at_memory(site, "box")
        assert (seen.total_mib, seen.available_mib) == (512, 320)
        assert memory_share("box", "80%").mib(site) == round(0.8 * 512) - 192

    def test_more_in_use_already_refuses(self) -> None:
        site, _ = scripted(rules())
        with pytest.raises(Rejected, match="2048 of 4096 MiB are in use already, 50% or more"):
            memory_share("a1", "50%").plan(site)

    def test_an_sshd_that_may_be_killed_refuses(self) -> None:
        site, _ = scripted(rules(sshd="0\n"))
        with pytest.raises(Rejected, match="may take its sshd"):
            memory_share("a1", "80%").plan(site)

    @pytest.mark.parametrize(("now_mib", "holds"), [(700, True), (1060, True), (1080, False)])
    def test_memory_that_is_missing_proves_it(self, now_mib: int, *, holds: bool) -> None:
        site, shell = scripted(rules())
        fault = memory_share("a1", "80%")
        plan = fault.plan(site)
        shell.rules["MemTotal"] = MEMINFO.replace("2097152", str(now_mib * 1024))
        proof = fault.prove_active(site, plan)
        assert proof.holds is holds
        assert str(now_mib) in proof.detail or str(2048 - now_mib) in proof.detail

    @pytest.mark.parametrize("share", ["80", "0%", "96%", "100%", "eighty", "", "-5%", "80%\n"])
    def test_a_share_that_is_none(self, share: str) -> None:
        with pytest.raises(ValueError, match="is no share"):
            memory_share("a1", share)


def test_the_kernels_records_are_read_by_number(tmp_path: Path) -> None:
    """The very lines of a hypervisor's kernel, through the real shell; dd(1) alone is ours."""
    records = (
        "6,41,900,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,"
        "task_memcg=/qemu.slice/102.scope,task=kvm,pid=1705,uid=0\n"
        "3,42,901,-;Out of memory: Killed process 1705 (kvm) total-vm:9727420kB\n"
        "6,43,902,-;usb 1-1: new device\n SUBSYSTEM=usb\n DEVICE=c189:1\n"
    )
    (tmp_path / "dd").write_text(f"#!/bin/sh\ncat <<'E'\n{records}E\n")
    (tmp_path / "dd").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", memory_look.KILLS],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    site, _ = scripted({"kmsg": CommandResult(done.returncode, done.stdout, done.stderr)})
    seen = memory_look.look_at_kernel(site, "a1")
    assert seen.newest == 43
    assert [(kill.number, kill.vmid, kill.task) for kill in seen.kills] == [(41, 102, "kvm")]
