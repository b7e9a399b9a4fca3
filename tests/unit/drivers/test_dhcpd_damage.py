"""Any truncation and any changed byte: an answer or an error with a line, no wrong address.

What the damaged file itself says is no wrong address: dhcpd would give the same. Wrong is an
address of a record that was not touched, one that stands nowhere, one that was deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blackstart.drivers.dhcpd_conf import read_configuration
from blackstart.drivers.dhcpd_leases import read_leases
from blackstart.errors import Malformed
from blackstart.model.dhcp_facts import HostEntry

from .dhcpd_files import CONFIGURATION, LEASES, RECORDED, recorded

Given = Mapping[tuple[str, str | None], tuple[str, ...]]
"""What is given to whom: by the kind of record and the MAC."""


def of_leases(text: str) -> Given:
    file = read_leases(text)
    hosts = by_mac(host for host in file.hosts if not host.deleted)
    return {**hosts, **{("lease", item.mac): (item.address,) for item in file.leases if item.mac}}


def by_mac(entries: Iterable[HostEntry]) -> Given:
    """All addresses of a MAC: two entries that share one are both shown."""
    found: dict[tuple[str, str | None], tuple[str, ...]] = {}
    for entry in entries:
        key = ("host", entry.mac)
        found[key] = (*found.get(key, ()), *entry.addresses)
    return found


def of_configuration(text: str) -> Given:
    found = read_configuration(text)
    ranges = tuple(end for item in found.ranges for end in (item.first, item.last))
    return {**by_mac(found.hosts), ("range", None): ranges}


Reader = Callable[[str], Given]
FILES: dict[str, tuple[str, Reader]] = {
    "own leases": (LEASES, of_leases),
    "own configuration": (CONFIGURATION, of_configuration),
}
if RECORDED.is_dir():
    FILES |= {
        name: (recorded(name), of_leases)
        for name in ("dhcpd.leases.real", "dhcpd.leases.after-restart")
    }
    FILES["dhcpd.conf.from-api-state"] = (
        recorded("dhcpd.conf.from-api-state"),
        of_configuration,
    )
needs_all = pytest.mark.skipif(
    len(FILES) < 5, reason=f"no recorded files of the real dhcpd at {RECORDED}"
)


def answer(read: Reader, text: str) -> Given | None:
    """What the reader says; nothing when it says which line is damaged."""
    try:
        return read(text)
    except Malformed as error:
        told = error
    assert 1 <= told.line <= text.count("\n") + 1
    assert str(told).startswith(f"line {told.line}: ")
    return None


NEW_LINE = ord("\n")


def record_around(text: str, position: int) -> str:
    """The record that a position is in: dhcpd and MAAS begin and end each at a line's start."""
    starts = [found.start() for found in re.finditer(r"^(?=\w)|\Z", text, re.MULTILINE)]
    first = max((start for start in starts if start <= position), default=0)
    last = min(start for start in [*starts, len(text)] if start > position or start == len(text))
    return text[first:last]


def check_flip(original: str, read: Reader, position: int, value: int) -> None:
    raw = bytearray(original.encode())
    position %= len(raw)
    raw[position] = value
    damaged = raw.decode("utf-8", "replace")
    found, before = answer(read, damaged), read(original)
    if found is None:
        return
    lost = {key for key in before if key not in found}
    changed = {key for key, addresses in found.items() if before.get(key) != addresses}
    # To dhcpd a new line is a space: it begins no record, though a word follows.
    spaced = f"{damaged[:position]} {damaged[position + 1 :]}" if value == NEW_LINE else damaged
    old, new = record_around(original, position), record_around(spaced, position)
    assert all(octets(mac, old) for _, mac in lost), (lost, old)
    for key in changed:
        fresh = {*found[key]} - {*before.get(key, ())}
        assert octets(key[1], new) or not fresh, (key, new)
        assert all(address in new.lower() for address in fresh), (key, new)
    # One byte hides one record or moves it to another MAC, and brings nothing back.
    assert len(lost) <= 1
    assert len(changed) <= (2 if lost else 1)


def octets(mac: str | None, text: str) -> bool:
    """Whether a MAC stands in a text, with or without its zeros."""
    written = re.findall(r"(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}", text.lower())
    whole = {":".join(part.zfill(2) for part in item.split(":")) for item in written}
    return mac is None or mac in whole


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@settings(max_examples=300)
def test_a_changed_byte_changes_its_own_record_or_is_told(name: str, data: st.DataObject) -> None:
    text, read = FILES[name]
    position = data.draw(st.integers(0, len(text) - 1))
    check_flip(text, read, position, data.draw(st.integers(0, 255)))


@needs_all
@given(position=st.integers(0, 3000), mark=st.sampled_from(b'#;{}"\\ \n,'))
@settings(max_examples=300)
@example(position=690, mark=ord("#"))
@example(position=591, mark=NEW_LINE)
@example(position=1170, mark=NEW_LINE)
def test_a_mark_put_anywhere_is_no_way_around(position: int, mark: int) -> None:
    text, read = FILES["dhcpd.leases.real"]
    check_flip(text, read, position, mark)


@pytest.mark.parametrize("name", FILES)
def test_every_truncation_is_the_file_as_it_was_then_or_is_told(name: str) -> None:
    text, read = FILES[name]
    answers = 0
    for length in range(0, len(text), 1 if len(text) < 2500 else 7):
        found = answer(read, text[:length])
        if found is None:
            continue
        answers += 1
        # What was read until then is in the text until then.
        assert all(address in text[:length] for item in found.values() for address in item)
        assert text[:length].count("{") - text[:length].count("}") in (0, *strange(text[:length]))
    assert 0 < answers < len(text) / 2


def strange(text: str) -> tuple[int, ...]:
    """What braces in strings and comments add to the count."""
    outside = re.sub(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*', "", text)
    difference = text.count("{") - text.count("}")
    return (difference - (outside.count("{") - outside.count("}")),)


@given(st.text(max_size=400))
def test_text_that_is_no_such_file_at_all(text: str) -> None:
    answer(of_leases, text)
    answer(of_configuration, text)


@given(st.text(alphabet=st.sampled_from('host lease{};"\\#\n 1.,()=:'), max_size=200))
def test_text_of_the_grammars_own_marks(text: str) -> None:
    answer(of_leases, text)
    answer(of_configuration, text)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("  deleted;\n}\nhost bc-24-11-00-00-01", "  #eleted;\n}\nhost bc-24-11-00-00-01"),
        ("  fixed-address 192.0.2.41;", "  fixed-address 192.0.2.4;;"),
        (
            "host bc-24-11-00-00-01 {\n  dynamic;\n  del",
            "host bc-24-11-00-00-11 {\n  dynamic;\n  del",
        ),
    ],
)
def test_what_would_bring_back_or_cut_an_address_is_told(was: str, becomes: str) -> None:
    assert was in LEASES
    assert answer(of_leases, LEASES.replace(was, becomes)) is None
