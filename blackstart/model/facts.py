"""What is observed: one immutable snapshot of the whole site at an instant.

Every fact says where it was read, and a fact that could not be read says why:
its ``value`` is then ``None`` and nothing may be concluded from it.
"""

from __future__ import annotations

from blackstart.model.dhcp_facts import DhcpFacts, LeaseTrial
from blackstart.model.k3s_facts import K3sFacts
from blackstart.model.maas_facts import MaasFacts
from blackstart.model.observed import Observed, Record, unread

__all__ = [
    "ABSENT",
    "CertificateFacts",
    "ClusterFacts",
    "ComposeFacts",
    "Container",
    "GuestFacts",
    "HostFacts",
    "Mount",
    "Observed",
    "Record",
    "SiteFacts",
    "unread",
]


class Mount(Record):
    """One line of ``/proc/self/mounts``. ``answers`` is the result of a bounded read."""

    source: str
    target: str
    fstype: str
    answers: bool


class HostFacts(Record):
    """What one machine says of itself. ``uptime_s`` in seconds, memory in KiB."""

    boot_id: Observed[str]
    uptime_s: Observed[float]
    kernel: Observed[str]
    system_state: Observed[str]
    failed_units: Observed[tuple[str, ...]]
    mounts: Observed[tuple[Mount, ...]]
    addresses: Observed[dict[str, tuple[str, ...]]]
    memory_available_kib: Observed[int]
    oom_lines: Observed[tuple[str, ...]]


class GuestFacts(Record):
    """What the hypervisor's API says of one guest.

    ``interfaces`` maps each MAC to its IPv4 addresses, as seen inside the guest.
    ``booted`` is whether its agent answers (QEMU) or its init is up (LXC).
    """

    node: Observed[str]
    status: Observed[str]
    onboot: Observed[bool]
    config: Observed[dict[str, str]]
    booted: Observed[bool]
    interfaces: Observed[dict[str, tuple[str, ...]]]


class Container(Record):
    """One container of a Compose project."""

    service: str
    state: str
    image: str
    restart_policy: str


ABSENT = ""
"""Digest of a sentinel that was looked for and is not there."""


class ComposeFacts(Record):
    """Containers of one project and the digest (SHA-256) of its sentinel, or ``ABSENT``."""

    containers: Observed[tuple[Container, ...]]
    sentinel_sha256: Observed[str]


class CertificateFacts(Record):
    """What a TLS endpoint presents; ``verified`` against the declared CA and address."""

    fingerprint_sha256: Observed[str]
    addresses: Observed[tuple[str, ...]]
    verified: Observed[bool]


class ClusterFacts(Record):
    """Quorum and membership as a surviving node sees them.

    ``votes`` is what the cluster has now, ``quorum`` how many it needs (votequorum(5)).
    """

    quorate: Observed[bool]
    online: Observed[tuple[str, ...]]
    votes: Observed[int]
    quorum: Observed[int]


class SiteFacts(Record):
    """The whole site. ``taken_at`` is wall-clock time in seconds since the epoch.

    ``names`` is keyed ``SERVER/NAME``, ``reverse`` (names of an address) ``SERVER/ADDRESS``,
    ``dhcp`` by the guest that serves it, ``offers`` (addresses of the DHCP servers that offered)
    by this machine's interface, the others by the inventory's own names; ``leases`` are tried
    around a drill alone, where the inventory allows it. A server
    that answers without an address (NXDOMAIN, SERVFAIL) has answered: the value is empty.
    ``mounts`` holds what is mounted where the inventory declares a mount, often nothing.
    """

    taken_at: float
    hosts: dict[str, HostFacts] = {}
    guests: dict[str, GuestFacts] = {}
    names: dict[str, Observed[tuple[str, ...]]] = {}
    reverse: dict[str, Observed[tuple[str, ...]]] = {}
    dhcp: dict[str, DhcpFacts] = {}
    offers: dict[str, Observed[tuple[str, ...]]] = {}
    leases: dict[str, Observed[LeaseTrial]] = {}
    compose: dict[str, ComposeFacts] = {}
    certificates: dict[str, CertificateFacts] = {}
    mounts: dict[str, Observed[tuple[Mount, ...]]] = {}
    cluster: ClusterFacts | None = None
    maas: MaasFacts | None = None
    k3s: K3sFacts | None = None
