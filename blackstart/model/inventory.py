"""What the owner declares: the only thing a person writes.

Strict (an unknown key is an error), frozen, and free of secrets: those are
references, resolved by ``blackstart.secrets`` at the moment of use.
Cross-references are validated in ``blackstart.model.references``.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import IPv4Address
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from blackstart.model.quantities import Duration

_MAC = re.compile(r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")
_REFERENCE = re.compile(r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:[~/].+|rack:[\w.+-]+)$")
_HOSTNAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_LABEL = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_ENDPOINT = re.compile(r"^((?:[0-9]{1,3}\.){3}[0-9]{1,3}):([0-9]{1,5})$")
_PATH = re.compile(r"^(/[A-Za-z0-9][A-Za-z0-9._-]*)+$")
_TIME = re.compile(r"^([01][0-9]|2[0-3]):([0-5][0-9])$")
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


def _hostname(text: str) -> str:
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


def _endpoint(text: str) -> str:
    match = _ENDPOINT.fullmatch(text)
    octets = match[1].split(".") if match else ["256"]
    if match is None or max(map(int, octets)) > 255 or not 1 <= int(match[2]) <= 65535:
        raise ValueError(f"{text!r} is no endpoint; write address and port as 192.0.2.10:6443")
    return text


def _time_of_day(value: object) -> time:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no time of day; write it in quotes as '02:30'")
    return time(int(match[1]), int(match[2]))


def _any_day(days: tuple[str, ...]) -> tuple[str, ...]:
    if not days:
        raise ValueError("a window opens on at least one day; write them as [sat, sun]")
    return days


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{text!r} is no time zone; write it as Europe/Berlin or UTC") from None
    return text


Mac = Annotated[str, AfterValidator(_mac)]
Reference = Annotated[str, AfterValidator(_reference)]
Hostname = Annotated[str, AfterValidator(_hostname)]
Fqdn = Annotated[str, AfterValidator(_fqdn)]
Label = Annotated[str, AfterValidator(_label)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Path = Annotated[str, AfterValidator(_path)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Zone = Annotated[str, AfterValidator(_zone)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Part(BaseModel):
    """Base of every inventory section: strict and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SshAccess(Part):
    """How hosts are reached by ssh. Host keys come from ``known_hosts`` and are verified."""

    user: str = "root"
    port: Port = 22
    key: Reference | None = None
    known_hosts: Reference = "file:~/.ssh/known_hosts"


class ProxmoxAccess(Part):
    """How the Proxmox VE API is reached. ``token`` refers to ``USER@REALM!ID=UUID``."""

    token: Reference
    ca: Reference | None = None
    port: Port = 8006


class Redfish(Part):
    """A management controller that speaks Redfish (DMTF DSP0266)."""

    url: str
    system: str
    user: str
    password: Reference
    ca: Reference | None = None


class Consent(Part):
    """Leave to break one target in one way, until a date (inclusive)."""

    until: date
    reason: str | None = None


FaultName = Literal[
    "reboot",
    "power-cut",
    "cold-start",
    "nas-stop",
    "nas-block",
    "nas-stale",
    "memory",
    "service-restart",
    "guest-stop",
]
Consents = dict[FaultName, Consent]


class Node(Part):
    """A hypervisor or storage host."""

    address: IPv4Address
    role: Literal["hypervisor", "nas"] = "hypervisor"
    api: Literal["proxmox"] | None = None
    ssh: SshAccess | None = None
    out_of_band: Redfish | None = None
    may_break: Consents = {}
    boot_budget: Duration = 300.0
    stand_ins: tuple[str, ...] = ()


class Guest(Part):
    """A virtual machine or container and the budget (seconds) in which it must be back.

    ``ssh: true`` says that the harness may log in there with the site's ssh access.
    ``running: false`` declares a guest that is meant to be off.
    """

    vmid: Annotated[int, Field(ge=100, le=999_999_999)]
    kind: Literal["qemu", "lxc"]
    node: str
    address: IPv4Address
    mac: Mac
    names: tuple[Fqdn, ...] = ()
    budget: Duration = 300.0
    ssh: bool = False
    running: bool = True
    may_break: Consents = {}
    stand_ins: tuple[str, ...] = ()


class NameServer(Part):
    """A DNS server that must answer every declared name."""

    address: IPv4Address
    guest: str | None = None
    budget: Duration = 120.0


class Name(Part):
    """One name every server must resolve to exactly these addresses."""

    addresses: Annotated[tuple[IPv4Address, ...], Field(min_length=1)]


class Dns(Part):
    """The site's resolvers and the names they must know."""

    servers: dict[Label, NameServer]
    names: dict[Fqdn, Name]


class ComposeProject(Part):
    """A Docker Compose project: where it runs, what it must run, where its data is.

    ``sentinel`` is a file inside a bind-mounted volume; its content must survive.
    """

    guest: str
    directory: str
    services: Annotated[tuple[str, ...], Field(min_length=1)]
    sentinel: str


class Service(Part):
    """Something a person would notice going down; it is probed and has a budget (seconds)."""

    http: str | None = None
    tcp: Endpoint | None = None
    expect_status: int = 200
    ca: Reference | None = None
    guest: str | None = None
    budget: Duration = 300.0


class NfsMount(Part):
    """A mount of an NFS export: who mounts it where, and from whom. Budget in seconds.

    ``server`` is the node that exports ``export``; ``host`` the node or guest that mounts it.
    """

    host: str
    path: Path
    server: str
    export: Path
    budget: Duration = 120.0


class NeverDown(Part):
    """What must never go down, whatever is drilled: at least one of these always answers.

    Names as in reports (``dns/maas``, ``service/web``). After ``grace`` seconds with none of
    them a drill ends at once and puts everything back.
    """

    any_of: Annotated[tuple[str, ...], Field(min_length=1)]
    grace: Duration = 5.0


class Backup(Part):
    """Copies below ``path`` on ``host``; the newest is at most ``max_age`` (seconds) old."""

    host: str
    path: Path
    max_age: Duration = 8 * 86400.0


class Backups(Part):
    """Backups without which nothing is broken. ``etc_pve``: the cluster's own configuration."""

    etc_pve: Backup | None = None


class Ups(Part):
    """An uninterruptible supply, by its name on the host whose NUT server knows it (upsc(8))."""

    host: str
    name: Label


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Window(Part):
    """When drills may run. ``days`` are those on which it opens, in the given time zone.

    ``closes`` at or before ``opens`` is on the next day.
    """

    days: Annotated[
        tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...],
        AfterValidator(_any_day),
    ]
    opens: TimeOfDay
    closes: TimeOfDay
    timezone: Zone

    def open_for_s(self, wall: float) -> float | None:
        """Seconds until it closes, at a wall-clock time (seconds); ``None`` while it is closed."""
        zone, now = ZoneInfo(self.timezone), datetime.fromtimestamp(wall, UTC)
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            if DAYS[day.weekday()] not in self.days:
                continue
            last = day if self.closes > self.opens else day + timedelta(days=1)
            # In UTC: in one zone Python subtracts wall clocks, which a change of hour makes wrong.
            opens = datetime.combine(day, self.opens, zone).astimezone(UTC)
            closes = datetime.combine(last, self.closes, zone).astimezone(UTC)
            if opens <= now < closes:
                return (closes - now).total_seconds()
        return None


class Certificate(Part):
    """A TLS endpoint whose certificate must carry the address it is reached by."""

    guest: str
    port: Port
    ca: Reference


class Tolerance(Part):
    """A difference the owner accepts until a date (inclusive)."""

    path: str
    reason: str
    until: date


class Probing(Part):
    """How often to ask. Hz; at most 5 DNS queries a second go to one server."""

    rate_hz: Annotated[float, Field(gt=0, le=20)] = 1.0
    timeout: Duration = 2.0


class Inventory(Part):
    """A whole site."""

    site: Hostname
    rack: Literal["pve"] | None = None
    domain: Fqdn
    ssh: SshAccess = SshAccess()
    proxmox: ProxmoxAccess | None = None
    nodes: Annotated[dict[Hostname, Node], Field(min_length=1)]
    guests: dict[Hostname, Guest] = {}
    dns: Dns | None = None
    compose: dict[Label, ComposeProject] = {}
    services: dict[Label, Service] = {}
    certificates: dict[Label, Certificate] = {}
    mounts: dict[Label, NfsMount] = {}
    never_down: dict[Label, NeverDown] = {}
    dead_man: Duration = 60.0
    backups: Backups = Backups()
    ups: Ups | None = None
    window: Window | None = None
    tolerate: tuple[Tolerance, ...] = ()
    probing: Probing = Probing()
    hold: Duration = 60.0
    settle: Duration = 30.0
    real: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()

    def may_break(self, target: str) -> Consents:
        """What a node or guest has opted in to; nothing for one that is not declared."""
        declared = self.nodes.get(target) or self.guests.get(target)
        return declared.may_break if declared is not None else {}

    def guests_of(self, node: str) -> dict[str, Guest]:
        """Guests declared to live on a node, by name."""
        return {name: guest for name, guest in self.guests.items() if guest.node == node}
