"""What the owner declares: the only thing a person writes.

Strict (an unknown key is an error), frozen, and free of secrets: those are
references, resolved by ``blackstart.secrets`` at the moment of use.
Cross-references are validated in ``blackstart.model.references``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Discriminator, Field, Tag

from blackstart.model.addressing import DhcpServer, K3s, Maas, VirtualAddress
from blackstart.model.parts import (
    Address,
    Endpoint,
    FileReference,
    Fingerprint,
    Fqdn,
    Hostname,
    Label,
    Mac,
    Part,
    Path,
    Port,
    Reference,
    TimeOfDay,
    Zone,
)
from blackstart.model.quantities import Budget, Duration, within


class SshAccess(Part):
    """How hosts are reached by ssh. Host keys come from ``known_hosts`` and are verified."""

    user: str = "root"
    port: Port = 22
    key: FileReference | None = None
    known_hosts: FileReference = "file:~/.ssh/known_hosts"


def _kind_of_access(value: object) -> str:
    return "[none]" if isinstance(value, str) else "[access]"


# In brackets, as pydantic marks steps of a path that are no keys (``[key]``).
Ssh = Annotated[
    Annotated[SshAccess, Tag("[access]")] | Annotated[Literal["none"], Tag("[none]")],
    Discriminator(_kind_of_access),
]
"""How to log in, or ``none``: nobody does, and what only a host shows stays unseen."""


class ProxmoxAccess(Part):
    """How the Proxmox VE API is reached. ``token`` refers to ``USER@REALM!ID=UUID``.

    Its certificates are held against ``ca``, or each must be the one with ``fingerprint``
    (SHA-256); where nodes have different ones, it stands at the node.
    """

    token: Reference
    ca: FileReference | None = None
    fingerprint: Fingerprint | None = None
    port: Port = 8006


class Redfish(Part):
    """A management controller that speaks Redfish (DMTF DSP0266)."""

    url: str
    system: str
    user: str
    password: Reference
    ca: FileReference | None = None


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
    "service-stop",
    "guest-stop",
    "guest-reboot",
    "lease-renewal",
    "image-sync",
]
Consents = dict[FaultName, Consent]


class Attestation(Part):
    """What a person has seen and no program can ask, believed until a date (inclusive)."""

    until: date
    seen: Annotated[str, Field(min_length=1)]


class Node(Part):
    """A hypervisor or storage host.

    ``fingerprint`` is that of its API's certificate, before the one of ``proxmox``.
    ``power_returns``: its owner has seen that it comes back by itself after a power cut, for a
    machine whose controller does not say so or that has none.
    """

    address: Address
    role: Literal["hypervisor", "nas"] = "hypervisor"
    api: Literal["proxmox"] | None = None
    fingerprint: Fingerprint | None = None
    ssh: Ssh | None = None
    out_of_band: Redfish | None = None
    power_returns: Attestation | None = None
    may_break: Consents = {}
    boot_budget: Budget = 300.0
    stand_ins: tuple[str, ...] = ()


class Guest(Part):
    """A virtual machine or container and the budget (seconds) in which it must be back.

    ``ssh: true`` says that the harness may log in there with the site's ssh access.
    ``running: false`` declares a guest that is meant to be off.
    """

    vmid: Annotated[int, Field(ge=100, le=999_999_999)]
    kind: Literal["qemu", "lxc"]
    node: str
    address: Address
    mac: Mac
    names: tuple[Fqdn, ...] = ()
    budget: Budget = 300.0
    ssh: bool = False
    running: bool = True
    may_break: Consents = {}
    stand_ins: tuple[str, ...] = ()


class NameServer(Part):
    """A DNS server that must answer every declared name."""

    address: Address
    guest: str | None = None
    budget: Budget = 120.0


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
    expect_status: Annotated[int, Field(ge=100, le=599)] = 200
    ca: FileReference | None = None
    guest: str | None = None
    budget: Budget = 300.0


class NfsMount(Part):
    """A mount of an NFS export: who mounts it where, and from whom. Budget in seconds.

    ``server`` is the node that exports ``export``; ``host`` the node or guest that mounts it.
    """

    host: str
    path: Path
    server: str
    export: Path
    budget: Budget = 120.0


class NeverDown(Part):
    """What must never go down, whatever is drilled: at least one of these always answers.

    Names as in reports (``dns/maas``, ``service/web``). After ``grace`` seconds with none of
    them a drill ends at once and puts everything back.
    """

    any_of: Annotated[tuple[str, ...], Field(min_length=1)]
    grace: Annotated[float, within("0s", "1h")] = 5.0


class Backup(Part):
    """Copies below ``path`` on ``host``; the newest is at most ``max_age`` (seconds) old."""

    host: str
    path: Path
    max_age: Duration = 8 * 86400.0


class Backups(Part):
    """Backups without which nothing is broken. ``etc_pve``: the cluster's own configuration.

    ``guests_max_age``: the newest backup of each guest is at most so old (seconds).
    """

    etc_pve: Backup | None = None
    guests_max_age: Duration = 8 * 86400.0


class Ups(Part):
    """An uninterruptible supply, by its name on the host whose NUT server knows it (upsc(8))."""

    host: str
    name: Label


def _any_day(days: tuple[str, ...]) -> tuple[str, ...]:
    if not days:
        raise ValueError("a window opens on at least one day; write them as [sat, sun]")
    return days


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
    ca: FileReference


class Tolerance(Part):
    """A difference the owner accepts until a date (inclusive)."""

    path: str
    reason: str
    until: date


def _in_words(text: str) -> str:
    if not text.strip():
        raise ValueError("a reason is words that another person understands; write them")
    return text


class Acceptance(Part):
    """A finding of ``blackstart verify`` that the owner lives with until a date (inclusive).

    ``check`` and ``target`` as the finding names them.
    """

    check: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    target: str
    reason: Annotated[str, AfterValidator(_in_words)]
    until: date


class NotApplicable(Part):
    """A check of ``blackstart verify`` that means nothing to these targets, and why.

    No date: what is wrong and accepted for a while belongs into ``accept``.
    """

    check: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    targets: Annotated[tuple[str, ...], Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]


class Probing(Part):
    """How often to ask. Hz; at most 5 DNS queries a second go to one server.

    ``looks_at_once`` is how many of the three looks of ``verify`` and ``graph`` (the site, its
    hosts' boots, its APIs) go on at once: fewer where hosts have little processor to spare.
    """

    rate_hz: Annotated[float, Field(ge=0.1, le=20)] = 1.0
    timeout: Annotated[float, within("100ms", "30s")] = 2.0
    looks_at_once: Annotated[int, Field(ge=1, le=3)] = 3


class Inventory(Part):
    """A whole site."""

    site: Hostname
    rack: Literal["pve"] | None = None
    domain: Fqdn
    ssh: Ssh = SshAccess()
    proxmox: ProxmoxAccess | None = None
    nodes: Annotated[dict[Hostname, Node], Field(min_length=1)]
    guests: dict[Hostname, Guest] = {}
    dns: Dns | None = None
    compose: dict[Label, ComposeProject] = {}
    services: dict[Label, Service] = {}
    certificates: dict[Label, Certificate] = {}
    mounts: dict[Label, NfsMount] = {}
    maas: Maas | None = None
    dhcp: dict[Label, DhcpServer] = {}
    k3s: K3s | None = None
    virtual_addresses: dict[Label, VirtualAddress] = {}
    never_down: dict[Label, NeverDown] = {}
    dead_man: Annotated[float, within("10s", "1h")] = 60.0
    backups: Backups = Backups()
    ups: Ups | None = None
    window: Window | None = None
    tolerate: tuple[Tolerance, ...] = ()
    accept: tuple[Acceptance, ...] = ()
    not_applicable: tuple[NotApplicable, ...] = ()
    probing: Probing = Probing()
    hold: Annotated[float, within("1s", "1h")] = 60.0
    settle: Annotated[float, within("0s", "1h")] = 30.0
    real: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()

    def may_break(self, target: str) -> Consents:
        """What a node or guest has opted in to; nothing for one that is not declared."""
        declared = self.nodes.get(target) or self.guests.get(target)
        return declared.may_break if declared is not None else {}

    def ssh_of(self, host: str) -> SshAccess | None:
        """How a node or guest is logged in to; ``None`` where nobody is."""
        node, guest = self.nodes.get(host), self.guests.get(host)
        if node is None and (guest is None or not guest.ssh):
            return None
        access = (node.ssh if node is not None else None) or self.ssh
        return None if access == "none" else access

    def guests_of(self, node: str) -> dict[str, Guest]:
        """Guests declared to live on a node, by name."""
        return {name: guest for name, guest in self.guests.items() if guest.node == node}
