"""Waivers: by name, per run, with a reason; and never of what no reason overrules."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.errors import UsageError
from blackstart.safety.guard import GUARDS, NEVER_WAIVED, Request, answers, check_waivers, names

from .guarding import answer, request_for

DOCUMENT = Path(__file__).parents[2] / "docs/guards.md"


def waiving(request: Request, **waive: str) -> Request:
    named = {name.replace("_", "-"): reason for name, reason in waive.items()}
    return replace(request, terms=replace(request.terms, waive=named))


def test_a_waiver_lets_exactly_one_refusal_pass(tmp_path: Path) -> None:
    def lose_a2(world: object) -> None:
        world.nodes["a2"].up_at = 1e9  # type: ignore[attr-defined]

    request = request_for(tmp_path, spoil=lose_a2)
    assert answer("healthy", request).stands
    waived = answer("healthy", waiving(request, healthy="replay of 2025-12-07"))
    assert not waived.stands
    assert waived.waived == "replay of 2025-12-07"
    assert waived.wording.endswith("(waived: replay of 2025-12-07)")
    assert answer("quorum", waiving(request, healthy="replay")).stands


@pytest.mark.parametrize("name", sorted(NEVER_WAIVED))
def test_what_no_reason_overrules(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"the guard '{name}' cannot be waived"):
        check_waivers({name: "because"})
    request = request_for(tmp_path, armed=None)
    with pytest.raises(UsageError):
        answers(replace(request, terms=replace(request.terms, waive={name: "because"})))


def test_a_guard_that_is_not() -> None:
    with pytest.raises(UsageError, match="there is no guard 'helthy' to waive; did you mean 'h"):
        check_waivers({"helthy": "because"})


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_waiver_without_a_reason(reason: str) -> None:
    with pytest.raises(UsageError, match="waived without a reason; write ups=REASON"):
        check_waivers({"ups": reason})


def test_names_are_unique_and_those_never_waived_exist() -> None:
    assert len(set(names())) == len(GUARDS)
    assert set(names()) >= NEVER_WAIVED - {"lease"}


def test_every_guard_has_its_row_in_the_document_in_its_order() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", DOCUMENT.read_text(), flags=re.M)
    assert tuple(name for name in rows if name != "lease") == names()
    assert "lease" in rows


def test_the_document_says_which_cannot_be_waived() -> None:
    for line in DOCUMENT.read_text().splitlines():
        match = re.match(r"\| `([a-z-]+)` \|", line)
        if match:
            assert line.rstrip().endswith("| no |") is (match[1] in NEVER_WAIVED), line
