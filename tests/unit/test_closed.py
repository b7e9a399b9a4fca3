"""Hosts that nobody may log in to: one line a host for a person, every finding as data."""

from __future__ import annotations

import pytest

from blackstart.drivers.ssh import SshRunner
from blackstart.errors import Unreachable
from blackstart.evidence.decision import MOST, Told, document, in_order, lines
from blackstart.model.closed import GRANT, WITHOUT_SSH, closed_hosts
from blackstart.model.finding import Finding, decide
from blackstart.model.verdict import Verdict

from .test_decision import GUEST, INVENTORY, NODE, OTHER, TODAY, finding


def closed(host: str) -> str:
    """What the driver says of a host that is closed."""
    with pytest.raises(Unreachable) as refused:
        SshRunner({}, {host}).run(host, "true", timeout_s=1)
    return str(refused.value)


def unseen(target: str, problem: str, check: str = "root_is_writable") -> Finding:
    return finding(target, Verdict.UNPROVEN, problem=problem, check=check)


def told(found: list[Finding], most: int | None = MOST) -> list[str]:
    """What a person reads, a line each, with its word."""
    decision = decide(found, None, INVENTORY, TODAY)
    whole = Told(decision, in_order(decision, found), "lab", (), frozenset())
    return [f"{label} {text}" for label, text, _ in lines(whole, most)]


SEALED = [unseen(NODE, f"ssh {NODE}: {closed(NODE)}", f"check_{number}") for number in range(31)]
HIDDEN = (
    "unseen {}: {} cannot be seen without ssh (such as #{}, --all shows them); the grant: " + GRANT
)


def test_thirty_claims_of_one_closed_host_are_one_line_with_its_grant() -> None:
    said = [line for line in told([*SEALED, finding(GUEST)]) if "unseen" in line.split()[0]]
    assert said == [HIDDEN.format(NODE, "31 claims", 1)]


def test_all_shows_each_of_them() -> None:
    said = [line for line in told(SEALED, None) if line.startswith("unseen")]
    assert len(said) == 31
    assert all(WITHOUT_SSH in line for line in said)


def test_as_data_each_of_them_is_there() -> None:
    decision = decide(SEALED, None, INVENTORY, TODAY)
    plain = document(decision, in_order(decision, SEALED), "lab", "now")
    assert sum(item["verdict"] == "unproven" for item in plain["findings"]) == 31
    assert plain["decision"] == "unproven"


def test_what_is_unseen_for_another_reason_keeps_its_line() -> None:
    away = unseen(OTHER, f"ssh {OTHER}: No route to host")
    both = unseen(OTHER, f"ssh {NODE}: {closed(NODE)}; ssh {OTHER}: No route to host", "other")
    said = told([*SEALED, away, both, finding(GUEST)])
    assert any(line.startswith("unseen #32 other") for line in said)
    assert any("No route to host" in line and "root_is_writable" in line for line in said)
    assert HIDDEN.format(NODE, "31 claims", 1) in said


def test_each_host_has_its_own_line_and_guests_are_told_under_theirs() -> None:
    found = [
        unseen(NODE, f"ssh {NODE}: {closed(NODE)}"),
        unseen(GUEST, f"start/{GUEST}: its mounts ({closed(NODE)}) (ssh {NODE}: /etc/fstab)"),
        unseen(OTHER, f"ssh {OTHER}: {closed(OTHER)}"),
    ]
    said = [line for line in told(found) if line.startswith("unseen")]
    assert [line.partition(" cannot")[0] for line in said] == [
        f"unseen {NODE}: 2 claims",
        f"unseen {OTHER}: 1 claim",
    ]


def test_only_a_problem_with_no_other_reason_is_a_closed_door() -> None:
    assert closed_hosts(f"ssh a1: {closed('a1')}; ssh a2: {closed('a2')}") == ("a1", "a2")
    assert closed_hosts("ssh a1: No route to host") == ()
    assert closed_hosts("") == ()


def test_the_decision_is_the_same() -> None:
    decision = decide(SEALED, None, INVENTORY, TODAY)
    assert decision.word == "unproven"
    assert len(decision.unseen) == 31
