"""A snapshot flattened for comparison: every fact under a path, with how it may change.

Classes of change, so that a drill is neither blind nor hysterical:
identity must be equal; of a set the members must be the same; what converges must be
equal once it has settled; what is volatile is ignored. A fifth, expected, belongs to the
act (the boot id of a node that was rebooted) and is given by ``differences``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from blackstart.model.dhcp_facts import DhcpFacts, HostEntry
from blackstart.model.facts import (
    CertificateFacts,
    ClusterFacts,
    ComposeFacts,
    Container,
    GuestFacts,
    HostFacts,
    Mount,
    SiteFacts,
)
from blackstart.model.k3s_facts import K3sFacts, K3sNode
from blackstart.model.maas_fingerprint import maas_readings
from blackstart.model.readings import Members, Reading, in_order, plain, present, reading

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


def fingerprint(facts: SiteFacts) -> dict[str, Reading]:
    """Every fact of a snapshot by its path, such as ``hosts/pve1/kernel``."""
    found: dict[str, Reading] = {}
    for name, host in facts.hosts.items():
        found |= _prefixed(f"hosts/{name}", _host(host))
    for name, guest in facts.guests.items():
        found |= _prefixed(f"guests/{name}", _guest(guest))
    for name, answer in facts.names.items():
        found[f"names/{name}"] = reading(answer, "converging", in_order)
    for name, answer in facts.reverse.items():
        found[f"reverse/{name}"] = reading(answer, "converging", in_order)
    for name, server in facts.dhcp.items():
        found |= _prefixed(f"dhcp/{name}", _dhcp(server))
    for name, servers in facts.offers.items():
        found[f"offers/{name}"] = reading(servers, "converging", in_order)
    for name, project in facts.compose.items():
        found |= _prefixed(f"compose/{name}", _compose(project))
    for name, certificate in facts.certificates.items():
        found |= _prefixed(f"certificates/{name}", _certificate(certificate))
    for name, mounted in facts.mounts.items():
        found[f"mounts/{name}"] = reading(mounted, "converging", _mounts)
    if facts.cluster is not None:
        found |= _prefixed("cluster", _cluster(facts.cluster))
    if facts.maas is not None:
        found |= _prefixed("maas", maas_readings(facts.maas))
    if facts.k3s is not None:
        found |= _prefixed("k3s", _k3s(facts.k3s))
    return found


def _prefixed(
    prefix: str, readings: Iterable[tuple[str, Reading]]
) -> Iterator[tuple[str, Reading]]:
    return ((f"{prefix}/{name}", reading) for name, reading in readings)


def _host(host: HostFacts) -> Iterator[tuple[str, Reading]]:
    yield "boot_id", reading(host.boot_id, "identity", plain)
    yield "uptime_s", reading(host.uptime_s, "volatile", plain)
    yield "kernel", reading(host.kernel, "identity", plain)
    yield "system_state", reading(host.system_state, "converging", plain)
    yield "failed_units", reading(host.failed_units, "set", present)
    yield "mounts", reading(host.mounts, "set", _mounts)
    yield "addresses", reading(host.addresses, "set", _interfaces)
    yield "memory_available_kib", reading(host.memory_available_kib, "volatile", plain)
    # The kernel's log begins anew with every boot: only what appears is a difference.
    yield "oom_lines", reading(host.oom_lines, "set", present, only_new=True)


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
    yield "node", reading(guest.node, "converging", plain)
    yield "status", reading(guest.status, "converging", plain)
    yield "onboot", reading(guest.onboot, "identity", plain)
    yield "config", reading(guest.config, "identity", _config)
    yield "booted", reading(guest.booted, "converging", plain)
    yield "interfaces", reading(guest.interfaces, "converging", _macs)


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
    yield "containers", reading(project.containers, "set", _services)
    yield "sentinel_sha256", reading(project.sentinel_sha256, "identity", plain)


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
    yield "fingerprint_sha256", reading(certificate.fingerprint_sha256, "identity", plain)
    yield "addresses", reading(certificate.addresses, "identity", in_order)
    yield "verified", reading(certificate.verified, "identity", plain)


def _dhcp(server: DhcpFacts) -> Iterator[tuple[str, Reading]]:
    yield "declared", reading(server.declared, "set", _hosts)
    yield "recorded", reading(server.recorded, "set", _hosts)
    yield "leases", reading(server.leases, "volatile", plain)
    yield "ranges", reading(server.ranges, "set", lambda ranges: present(map(str, ranges)))
    yield "partners", reading(server.partners, "set", present)
    yield "lease_s", reading(server.lease_s, "volatile", plain)


def _hosts(hosts: Iterable[HostEntry]) -> Members:
    """Live host entries by name; a record of a deletion is dropped when it is no longer needed."""
    return {
        host.name: f"{host.mac} has {', '.join(host.addresses) or 'no address'}"
        for host in hosts
        if not host.deleted
    }


def _cluster(cluster: ClusterFacts) -> Iterator[tuple[str, Reading]]:
    yield "quorate", reading(cluster.quorate, "converging", plain)
    yield "online", reading(cluster.online, "converging", in_order)
    yield "votes", reading(cluster.votes, "converging", plain)
    yield "quorum", reading(cluster.quorum, "identity", plain)


def _k3s(k3s: K3sFacts) -> Iterator[tuple[str, Reading]]:
    yield "version", reading(k3s.version, "identity", plain)
    yield "nodes", reading(k3s.nodes, "converging", _nodes)
    for name, server in k3s.servers.items():
        yield f"servers/{name}/failing", reading(server.failing, "converging", in_order)
        yield f"servers/{name}/carried", reading(server.carried, "identity", in_order)
        yield f"servers/{name}/verified", reading(server.verified, "identity", plain)


def _nodes(nodes: Iterable[K3sNode]) -> Members:
    return {
        node.name: f"{'ready' if node.ready else 'not ready'}, {', '.join(node.addresses)}"
        for node in nodes
    }
