"""A snapshot flattened for comparison: every fact under a path, with how it may change.

Classes of change, so that a drill is neither blind nor hysterical:
identity must be equal; of a set the members must be the same; what converges must be
equal once it has settled; what is volatile is ignored. A fifth, expected, belongs to the
act (the boot id of a node that was rebooted) and is given by ``differences``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from blackstart.model.dhcp_facts import DhcpFacts, HostEntry
from blackstart.model.facts import (
    CertificateFacts,
    ClusterFacts,
    ComposeFacts,
    Container,
    GuestFacts,
    HostFacts,
    Mount,
    Observed,
    SiteFacts,
)
from blackstart.model.k3s_facts import K3sFacts, K3sNode

Klass = Literal["identity", "set", "converging", "expected", "volatile"]
Members = Mapping[str, str]

# Names the kernel or a guest's start gives out anew: docker's and libvirt's veth pairs,
# Proxmox' taps and firewall bridges (qemu-server, pve-container), nspawn's, CNI plugins'.
_PASSING_INTERFACE = re.compile(
    r"(veth|tap|fwbr|fwpr|fwln|vnet|vb-|ve-|br-[0-9a-f]{12}|cali|cni|flannel|lo$)"
)
_PASSING_MOUNT = re.compile(
    r"/(proc|sys|dev|run|tmp|snap|var/lib/(docker|containerd|kubelet))(/|$)"
)
_PASSING_FSTYPE = frozenset({"autofs", "devtmpfs", "nsfs", "overlay", "squashfs", "tmpfs"})
_LOCAL_MAC = re.compile(r"[0-9a-f][2367abef]:", re.IGNORECASE)
_KERNEL_NAME = re.compile(r"/dev/(sd|vd|xvd|nvme|mmcblk|loop|md|zd|dm-|nbd)[a-z0-9]+$")
_VOLATILE_CONFIG = frozenset({"digest"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One fact. ``members`` is ``None`` when it was not read, and ``why`` then says why.

    A plain value is the one member ``""``. With ``only_new``, members that vanish are
    no difference.
    """

    klass: Klass
    members: Members | None
    why: str = ""
    only_new: bool = False


def fingerprint(facts: SiteFacts) -> dict[str, Reading]:
    """Every fact of a snapshot by its path, such as ``hosts/pve1/kernel``."""
    found: dict[str, Reading] = {}
    for name, host in facts.hosts.items():
        found |= _prefixed(f"hosts/{name}", _host(host))
    for name, guest in facts.guests.items():
        found |= _prefixed(f"guests/{name}", _guest(guest))
    for name, answer in facts.names.items():
        found[f"names/{name}"] = _reading(answer, "converging", _sorted)
    for name, answer in facts.reverse.items():
        found[f"reverse/{name}"] = _reading(answer, "converging", _sorted)
    for name, server in facts.dhcp.items():
        found |= _prefixed(f"dhcp/{name}", _dhcp(server))
    for name, project in facts.compose.items():
        found |= _prefixed(f"compose/{name}", _compose(project))
    for name, certificate in facts.certificates.items():
        found |= _prefixed(f"certificates/{name}", _certificate(certificate))
    for name, mounted in facts.mounts.items():
        found[f"mounts/{name}"] = _reading(mounted, "converging", _mounts)
    if facts.cluster is not None:
        found |= _prefixed("cluster", _cluster(facts.cluster))
    if facts.k3s is not None:
        found |= _prefixed("k3s", _k3s(facts.k3s))
    return found


def _prefixed(
    prefix: str, readings: Iterable[tuple[str, Reading]]
) -> Iterator[tuple[str, Reading]]:
    return ((f"{prefix}/{name}", reading) for name, reading in readings)


def _reading(
    observed: Observed[Any],
    klass: Klass,
    members: Callable[[Any], Members],
    *,
    only_new: bool = False,
) -> Reading:
    if not observed.known:
        return Reading(klass, None, f"{observed.error or 'no value'} ({observed.source})")
    return Reading(klass, members(observed.value), only_new=only_new)


def _plain(value: object) -> Members:
    return {"": str(value)}


def _sorted(values: Iterable[str]) -> Members:
    return {"": ", ".join(sorted(values)) or "none"}


def _present(values: Iterable[str]) -> Members:
    return dict.fromkeys(values, "present")


def _host(host: HostFacts) -> Iterator[tuple[str, Reading]]:
    yield "boot_id", _reading(host.boot_id, "identity", _plain)
    yield "uptime_s", _reading(host.uptime_s, "volatile", _plain)
    yield "kernel", _reading(host.kernel, "identity", _plain)
    yield "system_state", _reading(host.system_state, "converging", _plain)
    yield "failed_units", _reading(host.failed_units, "set", _present)
    yield "mounts", _reading(host.mounts, "set", _mounts)
    yield "addresses", _reading(host.addresses, "set", _interfaces)
    yield "memory_available_kib", _reading(host.memory_available_kib, "volatile", _plain)
    # The kernel's log begins anew with every boot: only what appears is a difference.
    yield "oom_lines", _reading(host.oom_lines, "set", _present, only_new=True)


def _mounts(mounts: Iterable[Mount]) -> Members:
    return {
        mount.target: f"{mount.fstype} of {_KERNEL_NAME.sub('a local disk', mount.source)}"
        + ("" if mount.answers else ", which does not answer")
        for mount in mounts
        if mount.fstype not in _PASSING_FSTYPE and not _PASSING_MOUNT.match(mount.target)
    }


def _interfaces(addresses: Mapping[str, Iterable[str]]) -> Members:
    """IPv4 by interface; IPv6 privacy addresses (RFC 8981) change by themselves."""
    return {
        name: ", ".join(sorted(item for item in items if ":" not in item)) or "none"
        for name, items in addresses.items()
        if not _PASSING_INTERFACE.match(name)
    }


def _guest(guest: GuestFacts) -> Iterator[tuple[str, Reading]]:
    yield "node", _reading(guest.node, "converging", _plain)
    yield "status", _reading(guest.status, "converging", _plain)
    yield "onboot", _reading(guest.onboot, "identity", _plain)
    yield "config", _reading(guest.config, "identity", _config)
    yield "booted", _reading(guest.booted, "converging", _plain)
    yield "interfaces", _reading(guest.interfaces, "converging", _macs)


def _config(config: Mapping[str, str]) -> Members:
    return {key: value for key, value in config.items() if key not in _VOLATILE_CONFIG}


def _macs(interfaces: Mapping[str, Iterable[str]]) -> Members:
    """Addresses by MAC, of cards and not of what a guest makes up for its containers.

    Docker's bridge is 02:42:…, and a veth's MAC is random; QEMU's own 52:54:00 is
    locally administered too and is kept.
    """
    return {
        mac.lower(): ", ".join(sorted(items)) or "none"
        for mac, items in interfaces.items()
        if not _LOCAL_MAC.match(mac) or mac.startswith("52:54:00")
    }


def _compose(project: ComposeFacts) -> Iterator[tuple[str, Reading]]:
    yield "containers", _reading(project.containers, "set", _services)
    yield "sentinel_sha256", _reading(project.sentinel_sha256, "identity", _plain)


def _services(containers: Iterable[Container]) -> Members:
    """Containers by service: their ids and names are new each time, their number is not."""
    kinds = Counter(
        (item.service, f"{item.state}, {item.image}, restart {item.restart_policy or 'no'}")
        for item in containers
    )
    found: dict[str, list[str]] = {}
    for (service, kind), count in sorted(kinds.items()):
        found.setdefault(service, []).append(f"{count} {kind}")
    return {service: "; ".join(texts) for service, texts in found.items()}


def _certificate(certificate: CertificateFacts) -> Iterator[tuple[str, Reading]]:
    yield "fingerprint_sha256", _reading(certificate.fingerprint_sha256, "identity", _plain)
    yield "addresses", _reading(certificate.addresses, "identity", _sorted)
    yield "verified", _reading(certificate.verified, "identity", _plain)


def _dhcp(server: DhcpFacts) -> Iterator[tuple[str, Reading]]:
    yield "declared", _reading(server.declared, "set", _hosts)
    yield "recorded", _reading(server.recorded, "set", _hosts)
    yield "leases", _reading(server.leases, "volatile", _plain)
    yield "ranges", _reading(server.ranges, "set", lambda ranges: _present(map(str, ranges)))
    yield "partners", _reading(server.partners, "set", _present)


def _hosts(hosts: Iterable[HostEntry]) -> Members:
    """Live host entries by name; a record of a deletion is dropped when it is no longer needed."""
    return {
        host.name: f"{host.mac} has {', '.join(host.addresses) or 'no address'}"
        for host in hosts
        if not host.deleted
    }


def _cluster(cluster: ClusterFacts) -> Iterator[tuple[str, Reading]]:
    yield "quorate", _reading(cluster.quorate, "converging", _plain)
    yield "online", _reading(cluster.online, "converging", _sorted)
    yield "votes", _reading(cluster.votes, "converging", _plain)
    yield "quorum", _reading(cluster.quorum, "identity", _plain)


def _k3s(k3s: K3sFacts) -> Iterator[tuple[str, Reading]]:
    yield "version", _reading(k3s.version, "identity", _plain)
    yield "nodes", _reading(k3s.nodes, "converging", _nodes)
    for name, server in k3s.servers.items():
        yield f"servers/{name}/failing", _reading(server.failing, "converging", _sorted)
        yield f"servers/{name}/carried", _reading(server.carried, "identity", _sorted)
        yield f"servers/{name}/verified", _reading(server.verified, "identity", _plain)


def _nodes(nodes: Iterable[K3sNode]) -> Members:
    return {
        node.name: f"{'ready' if node.ready else 'not ready'}, {', '.join(node.addresses)}"
        for node in nodes
    }
