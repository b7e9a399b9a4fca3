"""Output of the host script as data files: each ``.txt`` gives exactly its ``.json``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.collect.host_parse import HostReading, nothing_read, understand
from blackstart.collect.host_script import HOST_SECTIONS
from blackstart.collect.sections import read
from blackstart.model.facts import HostFacts

CASES = sorted((Path(__file__).parent / "hosts").glob("*.txt"))


def plain(reading: HostReading) -> dict[str, object]:
    """Each fact's value, or its error."""
    facts = {name: getattr(reading.facts, name) for name in HostFacts.model_fields}
    facts |= {"votes": reading.votes, "quorum": reading.quorum}
    dumped = {name: fact.model_dump(mode="json") for name, fact in facts.items()}
    return {
        name: fact["value"] if fact["error"] is None else {"error": fact["error"]}
        for name, fact in dumped.items()
    }


def parsed(stdout: str) -> HostReading:
    """The facts that follow from an output."""
    return understand("pve1", read(HOST_SECTIONS, "TOKEN", stdout, ""))


def test_there_are_cases() -> None:
    assert len(CASES) >= 4


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_output_gives_its_facts(case: Path) -> None:
    reading = parsed(case.read_text())
    assert plain(reading) == json.loads(case.with_suffix(".json").read_text())


def test_every_fact_says_where_it_was_read() -> None:
    facts = parsed("").facts
    assert facts.boot_id.source == "ssh pve1: /proc/sys/kernel/random/boot_id"
    for name in HostFacts.model_fields:
        fact = getattr(facts, name)
        assert fact.source.startswith("ssh pve1: ")
        assert fact.error == "the host did not get to it"


def test_a_host_that_does_not_answer_is_an_error_everywhere() -> None:
    reading = nothing_read("pve1", "pve1 (10.0.0.1:22): Connection refused")
    facts = [getattr(reading.facts, name) for name in HostFacts.model_fields]
    for fact in [*facts, reading.votes, reading.quorum]:
        assert (fact.value, fact.known) == (None, False)
        assert fact.error == "pve1 (10.0.0.1:22): Connection refused"
