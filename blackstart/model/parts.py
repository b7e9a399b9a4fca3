"""What the parts of an inventory are made of: the base of each, and how values are written.

Every refusal names the value (unless it may be a secret) and shows how to write it.
"""

from __future__ import annotations

import re
from datetime import time
from ipaddress import IPv4Address
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_MAC = re.compile(r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")
_REFERENCE = re.compile(r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:[~/].+|rack:[\w.+-]+)$")
_HOSTNAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_LABEL = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_ENDPOINT = re.compile(r"^([0-9.]{7,15}):([0-9]{1,5})$")
_PATH = re.compile(r"^(/[A-Za-z0-9][A-Za-z0-9._-]*)+$")
_TIME = re.compile(r"^([01][0-9]|2[0-3]):([0-5][0-9])$")
_INTERFACE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$")
_FINGERPRINT = re.compile(r"^[0-9a-f]{64}$")
_FQDN = re.compile(r"^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$")


def _mac(text: str) -> str:
    if not _MAC.fullmatch(text.lower()):
        raise ValueError(f"{text!r} is no MAC address; write it as bc:24:11:0a:0b:0c")
    return text.lower()


def _reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError(
            "secrets are references, never values; write env:NAME, file:/path or rack:NAME"
        )
    return text


def _file_reference(text: str) -> str:
    if text.startswith("env:"):
        raise ValueError(f"{text!r} is no file, and a file is needed; write file:/path")
    return text


def hostname(text: str) -> str:
    """A host name of RFC 1123, in lower case. Raises ``ValueError``."""
    if not _HOSTNAME.fullmatch(text):
        raise ValueError(f"{text!r} is no host name; use lower-case letters, digits and hyphens")
    return text


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError(f"{text!r} is no absolute path; write it as /mnt/nas, without spaces")
    return text


def _fqdn(text: str) -> str:
    if not _FQDN.fullmatch(text.rstrip(".").lower()):
        raise ValueError(f"{text!r} is no full DNS name; write it as host.example.net")
    return text.rstrip(".").lower()


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError(f"{text!r} is no name; use letters, digits, dots, hyphens, underscores")
    return text


def endpoint(text: str) -> str:
    """An IPv4 address and a port, as ``192.0.2.10:6443``. Raises ``ValueError``."""
    match = _ENDPOINT.fullmatch(text)
    try:
        # Not by its octets alone: to the C library those with a leading zero are octal.
        sound = match is not None and bool(_of_one_machine(IPv4Address(match[1])))
    except ValueError:
        sound = False
    if match is None or not sound or not 1 <= int(match[2]) <= 65535:
        raise ValueError(f"{text!r} is no endpoint; write address and port as 192.0.2.10:6443")
    return text


def _of_one_machine(address: IPv4Address) -> IPv4Address:
    """To connect to 0.0.0.0 is to connect to oneself; groups and 240.0.0.0/4 are nobody."""
    if address.is_unspecified or address.is_multicast or address.is_reserved:
        raise ValueError(f"'{address}' is no address of a machine; write it as 192.0.2.10")
    return address


def _interface(text: str) -> str:
    if not _INTERFACE.fullmatch(text):
        raise ValueError(f"{text!r} is no network interface; write it as `ip link` shows it: eno1")
    return text


def _time_of_day(value: object) -> time:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no time of day; write it in quotes as '02:30'")
    return time(int(match[1]), int(match[2]))


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # `Europe` is a directory
        raise ValueError(f"{text!r} is no time zone; write it as Europe/Berlin or UTC") from None
    return text


def fingerprint(text: str) -> str:
    """A certificate's SHA-256 in lower-case hexadecimal, from however it is written.

    As ``openssl x509 -fingerprint -sha256`` prints it, or without its colons. Raises
    ``ValueError``.
    """
    plain = text.replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(plain):
        raise ValueError(
            f"{text!r} is no SHA-256 fingerprint; write what this prints after '=': "
            "openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE"
        )
    return plain


Mac = Annotated[str, AfterValidator(_mac)]
Reference = Annotated[str, AfterValidator(_reference)]
FileReference = Annotated[Reference, AfterValidator(_file_reference)]
Address = Annotated[IPv4Address, AfterValidator(_of_one_machine)]
Hostname = Annotated[str, AfterValidator(hostname)]
Fqdn = Annotated[str, AfterValidator(_fqdn)]
Label = Annotated[str, AfterValidator(_label)]
Endpoint = Annotated[str, AfterValidator(endpoint)]
Interface = Annotated[str, AfterValidator(_interface)]
Fingerprint = Annotated[str, AfterValidator(fingerprint)]
Path = Annotated[str, AfterValidator(_path)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Zone = Annotated[str, AfterValidator(_zone)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Part(BaseModel):
    """Base of every inventory section: strict and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")
