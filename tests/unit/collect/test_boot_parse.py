"""What commands never print is never a value: each section on an answer that is not its own."""

from __future__ import annotations

import pytest

from blackstart.collect.boot_parse import understand
from blackstart.collect.boot_script import BOOT_SECTIONS, SOURCES
from blackstart.collect.sections import Answer
from blackstart.model.host_boot import HostBootFacts
from tests.unit.host_boots import answers, saying, well

NAMES = [section.name for section in BOOT_SECTIONS]
# Any line may stand in these: they are lists of lines or paths.
ANYTHING = {"runtime", "crashes", "oom", "failures", "crypt_keys", "links", "unit_files"}
# And these count only where another source has nothing to say.
SECOND = {"oom_count"}


def test_every_section_says_what_it_asks() -> None:
    assert {*NAMES} == {*SOURCES}
    assert len(NAMES) == len({*NAMES})


@pytest.mark.parametrize("name", sorted({*NAMES} - ANYTHING - SECOND))
@pytest.mark.parametrize("line", ["surprise", "one two three four five six", "{}", "[1]"])
def test_a_surprise_is_an_error_and_no_value(name: str, line: str) -> None:
    if (name, line) == ("own_name", "surprise"):
        line = "name\n\n"
    facts = saying(name, *line.split("\n"))
    changed = [
        field
        for field in HostBootFacts.model_fields
        if getattr(facts, field) != getattr(well(), field)
    ]
    assert changed or line == "{}"
    told = [getattr(facts, field) for field in changed]
    for fact in told:
        assert fact.error is not None or name in ("own_name", "device_names"), (name, fact)


@pytest.mark.parametrize("name", sorted({*NAMES} - SECOND))
def test_a_section_without_an_answer_is_an_error_in_its_facts(name: str) -> None:
    facts = understand("a1", {**answers(), name: Answer(error="no answer within 5 s")})
    lost = [
        field
        for field in HostBootFacts.model_fields
        if getattr(facts, field).error == "no answer within 5 s"
    ]
    assert lost
    assert all(getattr(facts, field).value is None for field in lost)


def test_a_container_is_not_asked_for_its_kernels_lines() -> None:
    inside = answers() | {
        "container": Answer(lines=("container lxc",)),
        "oom": Answer(error="exit 1: no kernel messages"),
    }
    assert understand("a1", inside).killed.value == ()
    inside["container"] = Answer(lines=("container ",))
    assert understand("a1", inside).killed.error == "exit 1: no kernel messages"


@pytest.mark.parametrize(
    ("count", "lines"),
    [
        (Answer(lines=("0",)), ()),
        (Answer(lines=("1",)), None),
        (Answer(lines=("surprise",)), None),
        (Answer(lines=()), None),
        (Answer(error="no answer within 5 s"), None),
    ],
)
def test_a_kernel_that_counts_no_kill_has_none_to_tell(
    count: Answer, lines: tuple[str, ...] | None
) -> None:
    cut = understand("a1", {**answers(), "oom": Answer(lines=()), "oom_count": count})
    assert cut.killed.value == lines
    told = understand("a1", {**answers(), "oom_count": Answer(lines=("0",))})
    assert told.killed == well().killed


def test_a_kernel_for_the_next_boot_alone_comes_before_the_lasting_pin() -> None:
    files = answers()["files"].lines
    lasting = ("file /etc/kernel/proxmox-boot-pin", "1:6.8.12-15-pve|")
    once = ("file /etc/kernel/next-boot-pin", "1:6.14.11-4-pve|")
    pinned = saying("files", *files, *lasting).kernels.value
    assert pinned is not None
    assert pinned.pinned == "6.8.12-15-pve"
    pinned = saying("files", *files, *lasting, *once).kernels.value
    assert pinned is not None
    assert pinned.pinned == "6.14.11-4-pve"


def test_the_servers_behind_a_stub_are_the_resolvers() -> None:
    files = "\n".join(answers()["files"].lines)
    stub = files.replace(
        "2:nameserver 192.0.2.62|\n3:nameserver 192.0.2.1|", "2:nameserver 127.0.0.53|"
    )
    behind = "file /run/systemd/resolve/resolv.conf\n1:nameserver 192.0.2.7|"
    assert saying("files", *f"{stub}\n{behind}".split("\n")).resolvers.value == ("192.0.2.7",)
