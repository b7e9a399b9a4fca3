"""DHCP messages: what a client writes, and that no damage to an answer gives another one."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackstart.drivers.dhcp_message import Kind, Malformed, Message, decode, encode

from .dhcp_server import FIXED, answer, read

MAC = "02:62:6c:6b:73:74"
ASKED = read(encode(Message(Kind.DISCOVER, 0x3903F326, MAC)))
OFFER = answer(ASKED, Kind.OFFER, more=bytes([1, 4, 255, 255, 255, 0, 0, 0]))
READ = Message(
    Kind.OFFER,
    0x3903F326,
    MAC,
    given=IPv4Address("192.0.2.220"),
    server=IPv4Address("192.0.2.53"),
    lease_s=600,
)


def test_a_question_asks_for_a_broadcast_answer_and_says_who_asks() -> None:
    assert (ASKED.kind, ASKED.xid, ASKED.flags, ASKED.held) == (1, 0x3903F326, 0x8000, "0.0.0.0")
    assert ASKED.mac == bytes.fromhex("02626c6b7374")
    assert ASKED.options == {53: b"\x01", 61: b"\x01" + ASKED.mac}
    assert ASKED.size == 300


def test_a_request_names_address_and_server() -> None:
    address, server = IPv4Address("192.0.2.220"), IPv4Address("192.0.2.53")
    asked = read(encode(Message(Kind.REQUEST, 1, MAC, requested=address, server=server)))
    assert (asked.options[50], asked.options[54]) == (address.packed, server.packed)
    released = read(encode(Message(Kind.RELEASE, 1, MAC, held=address, server=server)))
    assert (released.kind, released.held) == (7, "192.0.2.220")


def test_an_offer_is_read() -> None:
    assert decode(OFFER) == READ
    assert decode(OFFER + bytes(60)) == READ


def test_options_that_overflow_into_other_fields_are_read() -> None:
    """Option overload (RFC 2132, 9.3): the server name's field holds options."""
    header = list(FIXED.unpack_from(OFFER))
    header[12] = bytes([51, 4, 0, 0, 2, 88, 255])
    body = bytes([52, 1, 2, 53, 1, 2, 54, 4, 192, 0, 2, 53, 255])
    assert decode(FIXED.pack(*header) + body) == READ


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0 bytes"),
        (OFFER[:239], "239 bytes"),
        (OFFER[:240], "the options do not end"),
        (OFFER[:-1], "the options do not end"),
        (encode(Message(Kind.DISCOVER, 1, MAC)), "no answer of a server"),
        (OFFER[:236] + b"BOOT" + OFFER[240:], "magic cookie"),
        (OFFER[:240] + b"\xff", "message type missing"),
        (OFFER[:240] + bytes([53, 1, 9, 255]), "message type 09"),
        (OFFER[:240] + bytes([53, 2, 2, 2, 255]), "message type 0202"),
        (OFFER[:240] + bytes([53, 1, 2, 54, 3, 1, 2, 3, 255]), "no address"),
        (OFFER[:240] + bytes([53, 1, 2, 51, 2, 1, 2, 255]), "lease time of 2 bytes"),
        (OFFER[:240] + bytes([53, 1, 2, 54, 4, 192, 0]), "option 54 is cut off"),
        (OFFER[:240] + bytes([53]), "option 53 is cut off"),
        (OFFER[:240] + bytes([52, 1, 9, 53, 1, 2, 255]), "overload 09"),
        (answer(ASKED, Kind.OFFER, more=bytes([54, 4, 10, 0, 0, 1])), "of 8 bytes is no address"),
    ],
)
def test_what_is_no_answer_says_why(data: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        decode(data)


def test_no_truncation_gives_an_answer() -> None:
    for size in range(len(OFFER)):
        with pytest.raises(Malformed):
            decode(OFFER[:size])


def test_a_changed_bit_changes_what_it_stood_for_and_nothing_else() -> None:
    for position in range(len(OFFER) * 8):
        damaged = bytearray(OFFER)
        damaged[position // 8] ^= 1 << position % 8
        try:
            found = decode(bytes(damaged))
        except Malformed:
            continue
        changed = [item.name for item in fields(Message) if _differs(found, item.name)]
        assert len(changed) <= 1, position


def _differs(found: Message, name: str) -> bool:
    return bool(getattr(found, name) != getattr(READ, name))


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_a_message_or_refused(data: bytes, after_header: bool) -> None:
    try:
        decode((OFFER[:240] if after_header else b"") + data)
    except Malformed:
        return
