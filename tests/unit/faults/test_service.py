"""A service restarted: another invocation proves it, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blackstart.errors import Rejected, Unreachable
from blackstart.faults.base import Reversibility
from blackstart.faults.service import DNS, DOCKER, restart_service
from blackstart.model.undo import StartUnit

from .scripted import Answer, Rule, scripted


def rules(active: str, invocation: Rule = "aaa\n") -> dict[str, Rule]:
    return {f"is-active --quiet '{active}'": 0, "is-active": 3, "InvocationID": invocation}


def test_the_first_unit_that_is_active_is_restarted() -> None:
    site, _ = scripted(rules("bind9.service"))
    plan = restart_service("a1", *DNS).plan(site)
    assert [change["unit"] for change in plan.parameters["changes"]] == ["bind9.service"]
    assert plan.undo == (StartUnit(unit="bind9.service"),)
    assert plan.prior == {"unit": "bind9.service", "invocation": "aaa"}
    assert plan.reversibility is Reversibility.SELF_HEALING


def test_a_host_without_it_refuses() -> None:
    site, _ = scripted(rules("x.service"))
    with pytest.raises(Rejected, match=r"none of these is active: docker\.service, snap"):
        restart_service("a1", *DOCKER).plan(site)


def test_a_unit_without_an_invocation_refuses() -> None:
    site, _ = scripted(rules("docker.service", "\n"))
    with pytest.raises(Rejected, match="shows no invocation id"):
        restart_service("a1", *DOCKER).plan(site)


def test_another_invocation_proves_it() -> None:
    site, shell = scripted(rules("docker.service"))
    fault = restart_service("a1", *DOCKER)
    plan = fault.plan(site)
    answers: Iterator[Answer] = iter(["aaa\n", Unreachable("a1: busy"), "\n", "bbb\n"])
    shell.rules["InvocationID"] = lambda: next(answers)
    proof = fault.prove_active(site, plan)
    assert (proof.holds, proof.detail) == (True, "docker.service: aaa became bbb")


@pytest.mark.parametrize("answer", ["aaa\n", "\n", 1, Unreachable("a1: gone")])
def test_without_one_it_did_not_bite(answer: Rule) -> None:
    site, shell = scripted(rules("docker.service"))
    fault = restart_service("a1", *DOCKER)
    plan = fault.plan(site)
    shell.rules["InvocationID"] = answer
    proof = fault.prove_active(site, plan)
    assert not proof.holds
    assert "not restarted within 90 s" in proof.detail


def test_no_unit_is_an_error_of_the_scenario() -> None:
    with pytest.raises(ValueError, match="name at least one unit"):
        restart_service("a1")
