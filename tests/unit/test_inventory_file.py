"""Inventories: what is right loads, and what is wrong is answered with line and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackstart.errors import InventoryError
from blackstart.inventory_file import load, parse
from blackstart.model.inventory import Inventory
from blackstart.yaml_file import MAX_BYTES

HERE = Path(__file__).parent / "inventories"
ROOT = Path(__file__).parents[2]
RIGHT = (HERE / "right.yaml").read_text()


@dataclass
class Case:
    """A change to the right inventory, and the whole answer to it."""

    name: str
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        old, new = "\n".join(self.old), "\n".join(self.new)
        if not self.new:
            old += "\n"
        assert old in RIGHT, f"{self.name}: {old!r} is not in right.yaml"
        return RIGHT.replace(old, new, 1)


def cases() -> Iterator[Case]:
    case: Case | None = None
    for line in (HERE / "wrong.txt").read_text().splitlines():
        if line.startswith("# "):
            case = Case(line[2:])
        elif case is not None and line[:2] in {"- ", "+ "}:
            (case.old if line[0] == "-" else case.new).append(line[2:])
        elif case is not None and line:
            case.said.append(line)
        elif case is not None:
            yield case
            case = None
    if case is not None:
        yield case


CASES = list(cases())


def answer(text: str) -> list[str]:
    """Every problem of a text, without the file's name."""
    with pytest.raises(InventoryError) as caught:
        parse(text, "home.yaml")
    assert caught.value.exit_code == 2
    assert all(line.startswith("home.yaml:") for line in caught.value.problems)
    return [line.removeprefix("home.yaml:") for line in caught.value.problems]


def test_the_right_inventory_loads() -> None:
    inventory = parse(RIGHT, "home.yaml")
    assert inventory.guests["box"].address == IPv4Address("192.0.2.60")
    assert inventory.guests["box"].budget == 120.0
    assert inventory.nodes["a1"].may_break["reboot"].until.isoformat() == "2026-12-31"


def test_a_mac_of_digits_alone_is_text_and_no_number_of_base_60() -> None:
    inventory = parse(RIGHT.replace("mac: bc:24:11:00:00:3c", "mac: 52:54:00:00:00:11"), "F")
    assert inventory.guests["box"].mac == "52:54:00:00:00:11"


def test_nobody_logs_in_where_ssh_says_none() -> None:
    text = RIGHT.replace("role: nas", "role: nas\n    ssh: none")
    inventory = parse(text, "F")
    assert inventory.ssh_of("nas") is None
    assert inventory.ssh_of("a1") is not None
    assert inventory.ssh_of("dns1") is not None
    assert inventory.ssh_of("box") is None, "a guest is logged in to only where it says so"


def test_a_guest_that_may_be_broken_needs_a_node_that_lets_somebody_in() -> None:
    broken = "    budget: 2m\n    may_break: {guest-stop: {until: 2026-12-31}}\n"
    text = RIGHT.replace("    budget: 2m\n", broken)
    text = text.replace("    api: proxmox\n", "    api: proxmox\n    ssh: none\n")
    assert [line.partition(";")[0] for line in answer(text)] == [
        "16: 'a1' may be broken and has `ssh: none`: nobody could put it back",
        "38: 'box' may be broken, and its node has `ssh: none`: nobody could put it back",
    ]


@pytest.mark.parametrize("form", ["{0}", "{1}", "'{2}'"])
def test_a_fingerprint_is_read_however_it_is_written(form: str) -> None:
    shown = ":".join(["AB", "0C"] * 16)
    written = form.format(shown, shown.lower(), shown.replace(":", ""))
    pinned = RIGHT.replace("env:PVE_TOKEN", f"env:PVE_TOKEN\n  fingerprint: {written}")
    access = parse(pinned, "F").proxmox
    assert access is not None
    assert access.fingerprint == "ab0c" * 16


def test_a_node_may_have_a_fingerprint_of_its_own_but_not_beside_a_ca() -> None:
    own = RIGHT.replace("api: proxmox", f"api: proxmox\n    fingerprint: {'ab' * 32}")
    assert parse(own, "F").nodes["a1"].fingerprint == "ab" * 32
    both = own.replace("env:PVE_TOKEN", "env:PVE_TOKEN\n  ca: file:/ca.pem")
    said = "10: node 'a1' has a `fingerprint`, and proxmox has `ca` (line 5); keep one of the two"
    assert answer(both) == [said]


def test_there_are_cases() -> None:
    assert len(CASES) > 90
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.old and case.said for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_wrong_is_answered_exactly(case: Case) -> None:
    assert answer(case.text) == case.said


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_answer_is_one_line_with_a_remedy(case: Case) -> None:
    for line in answer(case.text):
        assert re.fullmatch(r"\d+: [^\n;]+[;:] [^\n]+", line)


def test_everything_is_said_at_once() -> None:
    """A mistake in each layer: YAML, model, references, contradictions."""
    text = RIGHT.replace("vmid: 102", "vmid: 0102").replace("kind: lxc", "kind: lcx")
    text = text.replace("guest: box, port", "guest: bix, port").replace("/data/s", "/../s")
    assert [line.split(":")[0] for line in answer(text)] == ["31", "32", "47", "52"]


@pytest.mark.parametrize("secret", ["hunter2", "31415926", "0314159", "[hunter2]", "{a: hunter2}"])
@pytest.mark.parametrize("key", ["password: env:BMC", "token: env:PVE_TOKEN"])
def test_a_secret_written_as_a_value_is_not_repeated(secret: str, key: str) -> None:
    name = key.partition(":")[0]
    said = answer(RIGHT.replace(key, f"{name}: {secret}"))
    assert len(said) == 1
    assert "write env:NAME, file:/path or rack:NAME" in said[0]
    assert secret.strip("[]{}").removeprefix("a: ") not in said[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["1: the file is empty; write an inventory, "]),
        ("# nothing yet\n", ["1: the file is empty; write an inventory, "]),
        ("---\n...\n", ["1: the file is empty; write an inventory, "]),
        ("site", ["1: this is no mapping; begin with `site: NAME`, "]),
        ("- a\n- b\n", ["1: this is no mapping; begin with `site: NAME`, "]),
    ],
)
def test_a_file_that_says_nothing_gets_an_example(text: str, said: list[str]) -> None:
    example = "inventory/example-homelab.yaml"
    assert answer(text) == [f"{line}{example} shows one" for line in said]
    assert (ROOT / example).exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site: lab\n\tdomain: x\n", "2: a tab stands here; YAML is indented by spaces: "),
        ("site: lab\nd: \x07\n", "2: the character U+0007 is not allowed in YAML; remove it"),
        ("a: " + "[" * 50, "1: nested deeper than 24 levels; flatten it"),
        ("a: &a [*a]", "1: an alias that contains itself; write the value out"),
        ("a: &a 1\nb: &a 2\n", "2: the anchor &a is taken already; rename one"),
        ('a: "\\U99999999"', "1: not YAML: "),
    ],
)
def test_what_cannot_be_read_stops_at_its_line(text: str, said: str) -> None:
    (line,) = answer(text)
    assert line.startswith(said)


def test_aliases_of_aliases_end_at_a_bound() -> None:
    """The "billion laughs": 9 to the power of 12 values in half a kilobyte."""
    laughs = ["a0: &a0 ha"] + [
        f"a{depth}: &a{depth} [{', '.join([f'*a{depth - 1}'] * 9)}]" for depth in range(1, 13)
    ]
    assert answer("\n".join(laughs))[0].endswith(
        "more than 50000 values with its aliases; write less"
    )
    chain = ["a0: &a0 1"] + [f"a{n}: &a{n} [[[*a{n - 1}]]]" for n in range(1, 500)]
    assert answer("\n".join(chain))[0].endswith("nested deeper than 24 levels; flatten it")


def test_an_alias_is_fine_within_bounds() -> None:
    text = RIGHT.replace("      reboot:\n", "      reboot: &leave\n")
    text = text.replace("2026-12-31\n", "2026-12-31\n      power-cut: *leave\n", 1)
    assert set(parse(text, "x").nodes["a1"].may_break) == {"reboot", "power-cut"}


class TestFiles:
    """What may stand where a file should."""

    def said(self, path: Path) -> str:
        with pytest.raises(InventoryError) as caught:
            load(path)
        (line,) = caught.value.problems
        return line.removeprefix(f"{path}:")

    def test_missing(self, tmp_path: Path) -> None:
        assert self.said(tmp_path / "no.yaml").startswith("1: there is no such file; ")

    def test_directory(self, tmp_path: Path) -> None:
        assert self.said(tmp_path).startswith("1: this is a directory; ")

    def test_unreadable(self) -> None:
        """Root reads everything, but not its own memory at address 0."""
        line = self.said(Path("/proc/self/mem"))
        assert line == "1: it cannot be read (Input/output error); check path and permissions"

    def test_endless(self) -> None:
        assert self.said(Path("/dev/zero")).startswith("1: this is no regular file; ")

    def test_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.yaml"
        path.write_bytes("site: lab\n# gr\u00fcn\n".encode("latin-1"))
        assert self.said(path) == "2: byte 14 is no UTF-8; save the file as UTF-8"

    def test_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "log.yaml"
        path.write_text("x" * (MAX_BYTES + 1))
        assert self.said(path).startswith(f"1: larger than {MAX_BYTES} bytes; ")

    def test_byte_order_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "bom.yaml"
        path.write_bytes(b"\xef\xbb\xbf" + RIGHT.encode())
        assert load(path).site == "lab"


def inventory_or_refusal(text: str) -> None:
    try:
        assert isinstance(parse(text, "F"), Inventory)
    except InventoryError as error:
        problems = error.problems
    else:
        return
    assert problems
    for line in problems:
        assert re.fullmatch(r"F:\d+: [^\n]+", line)
        line.encode()


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_any_text_is_an_inventory_or_refused(text: str) -> None:
    inventory_or_refusal(text)


DAMAGE = (
    "\t|: |- |&a |*a|<<: |!!binary |!x |%YAML 1.1\n|---\n|...\n|\"|'|{|}|[|]|>\n|"
    '"\\ud800"|"\\U99999999"|\x85|\u2028|0123|0x1|.inf|~|? |# |@|%TAG ! x\n|\ufeff|'
    "2099-99-99|1_0|null|true|a: b\n|\n|  "
)
PIECES = st.sampled_from(DAMAGE.split("|"))


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(RIGHT)), st.integers(0, 40), PIECES), max_size=4))
def test_any_damage_to_a_right_one_is_an_inventory_or_refused(
    damages: list[tuple[int, int, str]],
) -> None:
    text = RIGHT
    for start, length, piece in damages:
        text = text[:start] + piece + text[start + length :]
    inventory_or_refusal(text)
