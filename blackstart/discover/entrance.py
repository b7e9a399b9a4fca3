"""The address of an API as a person types it, or copies it from the browser."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from blackstart.errors import UsageError

PROXMOX_PORT = 8006
_OWN_PATHS = ("", "api2", "api2/json")


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where an API is: a name or an address (IPv6 without brackets), and a port."""

    host: str
    port: int

    @property
    def ip(self) -> IPv4Address | IPv6Address | None:
        """The host where it is an address and no name."""
        with suppress(ValueError):
            return ip_address(self.host)
        return None

    @property
    def ipv4(self) -> str | None:
        """The host where it is an IPv4 address, as an inventory writes one."""
        return str(self.ip) if isinstance(self.ip, IPv4Address) else None


def proxmox_entrance(text: str) -> Entrance:
    """``https://192.0.2.11:8006``, without the scheme or the port, with a slash at its end, or
    with what a browser shows behind it. Raises ``UsageError``.
    """
    parts = _split(_whole(text.strip()), "--proxmox")
    if parts.scheme != "https":
        raise UsageError("--proxmox: a token travels over https:// only; write https://HOST:8006")
    if parts.path.strip("/") not in _OWN_PATHS:
        raise UsageError(f"--proxmox: leave the path {parts.path!r} out; write https://HOST:8006")
    return Entrance(str(parts.hostname), parts.port or PROXMOX_PORT)


def maas_url(text: str) -> str:
    """``http(s)://HOST:PORT/MAAS``, ``/MAAS`` added where it was left out. Raises ``UsageError``.

    Without a scheme nobody knows whether the key would travel readable.
    """
    example = "write https://192.0.2.53:5443/MAAS"
    parts = _split(text.strip(), "--maas")
    if parts.scheme not in ("http", "https"):
        raise UsageError(f"--maas: it must begin with https:// or http://; {example}")
    if parts.path.strip("/") not in ("", "MAAS"):
        raise UsageError(f"--maas: leave the path {parts.path!r} out; {example}")
    return f"{parts.scheme}://{parts.netloc}/MAAS"


def _whole(text: str) -> str:
    if "://" in text:
        return text
    with suppress(ValueError):
        return f"https://[{IPv6Address(text)}]"
    return f"https://{text}"


def _split(url: str, option: str) -> SplitResult:
    """Its parts. What is wrong with it is said without showing it: a login may stand in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError(f"{option}: the URL cannot be read; write https://HOST:PORT") from None
    if "@" in parts.netloc:
        raise UsageError(f"{option}: a login stands in the URL; remove it")
    if port == 0 or ("://" in url and not parts.hostname):
        raise UsageError(f"{option}: the URL names no host or port; write https://HOST:PORT")
    return parts
