"""A guest stopped hard, its container records lost: who redeploys, and what if nobody does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blackstart.drivers.base import Site
from blackstart.errors import Rejected
from blackstart.faults.base import Plan
from blackstart.faults.guest_stop import GuestStop, stop_guest, wiping
from blackstart.faults.known import reverter_of
from blackstart.model.deadman import FIRED, DeadMan
from blackstart.model.undo import Redeploy, StartGuest

from .scripted import Rule, Scripted, scripted

UP = "docker compose --project-directory /opt/web up --detach"


def rules(**changes: Rule) -> dict[str, Rule]:
    known: dict[str, Rule] = {
        "docker rm": 0,
        "docker compose": 0,
        "docker ps": 0,
        "qm stop": 0,
        "qm status": 0,
    }
    return known | {name.replace("_", " "): rule for name, rule in changes.items()}


def planned(fault: GuestStop, **changes: Rule) -> tuple[Site, Scripted, Plan]:
    site, shell = scripted(rules(**changes))
    plan = replace(fault.plan(site), deadman=DeadMan("one", "a1", 60))
    site.deadmen.arm(DeadMan("one", "a1", 60), plan.undo)
    shell.asked.clear()
    return site, shell, plan


def test_it_is_changed_and_undone_on_its_hypervisor() -> None:
    site, shell, plan = planned(stop_guest("box"))
    assert (plan.target, plan.undo_host) == ("box", "a1")
    assert plan.undo == (StartGuest(vmid=102, tool="qm"),)
    stop_guest("box").inject(site, plan)
    (host, command), *_ = shell.asked
    assert host == "a1"
    assert "qm stop 102" in command


def test_one_that_does_not_run_refuses() -> None:
    site, _ = scripted(rules(qm_status=1))
    with pytest.raises(Rejected, match="not possible as it is now"):
        stop_guest("box").plan(site)


@pytest.mark.parametrize(("guest", "project"), [("box", "shop"), ("dns1", "web")])
def test_a_project_that_is_not_its_own_refuses(guest: str, project: str) -> None:
    site, _ = scripted(rules())
    with pytest.raises(Rejected, match=f"{guest} runs no Compose project {project}"):
        stop_guest(guest, wipe=project).plan(site)


def test_a_project_that_does_not_run_refuses() -> None:
    site, _ = scripted(rules(docker_ps=1))
    with pytest.raises(Rejected, match="web does not run now"):
        stop_guest("box", wipe="web").plan(site)


def test_records_are_lost_before_the_stop_and_both_are_guarded() -> None:
    fault = stop_guest("box", wipe="web")
    site, shell, plan = planned(fault)
    fault.inject(site, plan)
    assert [host for host, _ in shell.asked] == ["box", "a1"]
    assert shell.asked[0][1] == wiping("/opt/web")
    site.deadmen.disarm(DeadMan("one", "a1", 60))
    shell.asked.clear()
    with pytest.raises(Rejected, match="fired"):
        fault.inject(site, plan)
    assert shell.asked == []


def test_without_a_dead_man_nothing_is_lost() -> None:
    fault = stop_guest("box", wipe="web")
    site, shell, plan = planned(fault)
    with pytest.raises(Rejected, match="no dead-man"):
        fault.inject(site, replace(plan, deadman=None))
    assert shell.asked == []


@pytest.mark.parametrize(("line", "code"), [("docker rm", 1), ("qm stop", 2), ("qm stop", FIRED)])
def test_a_command_that_fails_is_told(line: str, code: int) -> None:
    fault = stop_guest("box", wipe="web")
    site, shell, plan = planned(fault)
    shell.rules[line] = code
    with pytest.raises(Rejected):
        fault.inject(site, plan)


def test_only_the_api_that_says_stopped_proves_it() -> None:
    fault = stop_guest("box")
    site, _, plan = planned(fault)
    proof = fault.prove_active(site, plan)
    assert (proof.holds, proof.detail) == (False, "box after 30 s: running")


def test_a_site_that_redeploys_by_itself_passes() -> None:
    fault = stop_guest("box", wipe="web")
    site, shell, plan = planned(fault)
    answers = iter([1, 1, 0])
    shell.rules["docker ps"] = lambda: next(answers)
    fault.revert(site, plan)
    proof = fault.prove_reverted(site, plan)
    assert proof.holds
    assert proof.detail.endswith("the site itself redeployed web")
    assert not any("docker compose" in command for _, command in shell.asked)


def test_one_that_does_not_fails_with_the_command_and_recover_runs_it() -> None:
    fault = stop_guest("box", wipe="web")
    site, shell, plan = planned(fault)
    shell.rules["docker ps"] = 1
    fault.revert(site, plan)
    proof = fault.prove_reverted(site, plan)
    assert not proof.holds
    assert f"ssh root@10.0.0.102 '{UP}'" in proof.detail
    assert ("box", UP) not in shell.asked
    assert any(UP in line for line in plan.rescue)
    shell.rules["docker ps"] = 0
    reverter_of(plan).revert(site, plan)
    assert ("box", UP) in shell.asked
    assert reverter_of(plan).prove_reverted(site, plan).holds


def test_a_guest_that_does_not_start_is_not_excused_by_its_containers() -> None:
    fault = stop_guest("box", wipe="web")
    site, shell, plan = planned(fault)
    shell.rules["qm status"] = 1
    assert "not undone after 60 s: start-guest" in fault.prove_reverted(site, plan).detail


def test_every_service_of_the_project_is_asked_for() -> None:
    again = Redeploy(guest="box", directory="/opt/web", services=("web", "db"))
    assert again.proof().count("docker ps") == 2
    assert again.proof().startswith("systemctl is-active --quiet docker.service && ")
