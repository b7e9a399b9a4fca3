"""DHCP messages (RFC 2131, options of RFC 2132): as a client writes them, and servers answer.

Our own reader, because the libraries there are give answers of truncated messages, or are
under a licence that this project cannot take (ADR 8). What is not understood is an error.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address

_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_COOKIE = b"\x63\x82\x53\x63"
_BROADCAST = 0x8000
_ETHERNET = 1
_MAC_BYTES = 6
_SMALLEST = 300
"""Bytes of a BOOTP message; some servers and relays drop shorter ones (RFC 1542, 2.1)."""
NOWHERE = IPv4Address(0)


class Kind(IntEnum):
    """Message types (RFC 2132, section 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(IntEnum):
    """The options that are written or read; all others are passed over."""

    PAD = 0
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_IDENTIFIER = 54
    CLIENT_IDENTIFIER = 61
    END = 255


class Malformed(ValueError):
    """These bytes are no DHCP message; says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a client and a server say to each other, reduced to who, which address, how long.

    ``given`` is ``yiaddr``, ``held`` is ``ciaddr``; ``lease_s`` in seconds.
    """

    kind: Kind
    xid: int
    mac: str
    given: IPv4Address = NOWHERE
    held: IPv4Address = NOWHERE
    server: IPv4Address | None = None
    requested: IPv4Address | None = None
    lease_s: int | None = None


def encode(message: Message) -> bytes:
    """The bytes of a client's message; it asks for a broadcast answer (RFC 2131, section 4.1)."""
    hardware = bytes.fromhex(message.mac.replace(":", ""))
    fixed = _FIXED.pack(
        *(1, _ETHERNET, _MAC_BYTES, 0, message.xid, 0, _BROADCAST),
        *(message.held.packed, bytes(4), bytes(4), bytes(4), hardware, b"", b"", _COOKIE),
    )
    options = [
        (Option.MESSAGE_TYPE, bytes([message.kind])),
        (Option.CLIENT_IDENTIFIER, bytes([_ETHERNET]) + hardware),
    ]
    if message.requested is not None:
        options.append((Option.REQUESTED_ADDRESS, message.requested.packed))
    if message.server is not None:
        options.append((Option.SERVER_IDENTIFIER, message.server.packed))
    body = b"".join(bytes([code, len(value)]) + value for code, value in options)
    return (fixed + body + bytes([Option.END])).ljust(_SMALLEST, b"\0")


def decode(data: bytes) -> Message:
    """A server's message. Raises ``Malformed`` for anything else, and for a truncated one."""
    if len(data) < _FIXED.size:
        raise Malformed(f"{len(data)} bytes, a message has {_FIXED.size} at least")
    fields = _FIXED.unpack_from(data)
    operation, hardware, length, xid = *fields[:3], fields[4]
    held, given, chaddr, name, file, cookie = *fields[7:9], *fields[11:15]
    if (operation, hardware, length) != (2, _ETHERNET, _MAC_BYTES):
        raise Malformed("no answer of a server to an Ethernet client")
    if cookie != _COOKIE:
        raise Malformed("BOOTP without DHCP's magic cookie")
    options = _options(data[_FIXED.size :], name, file)
    kind = options.get(Option.MESSAGE_TYPE, b"")
    if len(kind) != 1 or kind[0] not in set(Kind):
        raise Malformed(f"message type {kind.hex() or 'missing'}")
    lease = options.get(Option.LEASE_TIME)
    if lease is not None and len(lease) != 4:
        raise Malformed(f"a lease time of {len(lease)} bytes")
    return Message(
        kind=Kind(kind[0]),
        xid=xid,
        mac=chaddr[:_MAC_BYTES].hex(":"),
        given=IPv4Address(given),
        held=IPv4Address(held),
        server=_address(options, Option.SERVER_IDENTIFIER),
        lease_s=int.from_bytes(lease, "big") if lease is not None else None,
    )


def _address(options: dict[int, bytes], option: Option) -> IPv4Address | None:
    value = options.get(option)
    if value is not None and len(value) != 4:
        raise Malformed(f"option {option} of {len(value)} bytes is no address")
    return IPv4Address(value) if value is not None else None


def _options(body: bytes, name: bytes, file: bytes) -> dict[int, bytes]:
    """All options; those of one code are joined (RFC 3396), overloaded fields read too."""
    found: dict[int, bytes] = {}
    _gather(found, body)
    overload = found.get(Option.OVERLOAD, b"\0")
    if len(overload) != 1 or overload[0] > 3:
        raise Malformed(f"option overload {overload.hex()}")
    for bit, field in ((1, file), (2, name)):
        if overload[0] & bit:
            _gather(found, field)
    return found


def _gather(found: dict[int, bytes], field: bytes) -> None:
    for code, value in _walk(field):
        found[code] = found.get(code, b"") + value


def _walk(field: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(field):
        code = field[at]
        if code == Option.END:
            return
        at += 1
        if code == Option.PAD:
            continue
        length = field[at] if at < len(field) else len(field)
        value = field[at + 1 : at + 1 + length]
        if len(value) != length:
            raise Malformed(f"option {code} is cut off")
        yield code, value
        at += 1 + length
    raise Malformed("the options do not end")
