"""Facts of a simulated world, in the shape the real collector gives."""

from __future__ import annotations

from typing import TypeVar

from blackstart.model.dhcp_facts import DhcpFacts, LeaseTrial
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
    unread,
)
from blackstart.model.inventory import NfsMount
from blackstart.model.k3s_facts import K3sFacts, K3sNode, K3sServer
from blackstart.model.maas_facts import MaasFacts
from blackstart.model.mount_answer import MountState
from tests.unit.maas_site import WELL

from .leases import LEASE_S
from .world import World

T = TypeVar("T")


def _seen(value: T) -> Observed[T]:
    return Observed[T](value=value, source="simulation")


def _lost() -> Observed[T]:
    return Observed[T](source="simulation", error="no answer")


def _host(world: World, name: str) -> HostFacts:
    node = world.nodes[name]
    if not world.reachable(name):
        return HostFacts(
            boot_id=_lost(),
            uptime_s=_lost(),
            kernel=_lost(),
            system_state=_lost(),
            failed_units=_lost(),
            mounts=_lost(),
            addresses=_lost(),
            memory_available_kib=_lost(),
            oom_lines=_lost(),
        )
    return HostFacts(
        boot_id=_seen(node.boot_id),
        uptime_s=_seen(world.clock.now - node.up_at),
        kernel=_seen("6.12"),
        system_state=_seen("running" if world.settled(name) else "starting"),
        failed_units=_seen(tuple(world.hosts[name].failed)),
        mounts=_seen(()),
        addresses=_seen({"vmbr0": (str(world.inventory.nodes[name].address),)}),
        memory_available_kib=_seen(1_000_000),
        oom_lines=_seen(tuple(it for it in world.hosts[name].kernel_log if "oom-kill:" in it)),
    )


def _guest(world: World, name: str) -> GuestFacts:
    declared, guest = world.inventory.guests[name], world.guests[name]
    if not world.pings(guest.node):
        return GuestFacts(
            node=_lost(),
            status=_lost(),
            onboot=_lost(),
            config=_lost(),
            booted=_lost(),
            interfaces=_lost(),
        )
    up = world.guest_up(name)
    return GuestFacts(
        node=_seen(guest.node),
        status=_seen("stopped" if guest.up_at is None else "running"),
        onboot=_lost()
        if name in world.lies.unreadable
        else _seen(name not in world.lies.not_onboot),
        config=_lost()
        if name in world.lies.unreadable
        else _seen({"name": name, **world.lies.config}),
        booted=_seen(up),
        interfaces=_seen({declared.mac: (guest.address,) if guest.address else ()})
        if up
        else _lost(),
    )


def _mounted(world: World, mount: NfsMount) -> Observed[tuple[Mount, ...]]:
    if not world.reachable(mount.host):
        return _lost()
    answers = world.mount_state(mount) is MountState.ANSWERS
    source = f"{mount.server}:{mount.export}"
    return _seen((Mount(source=source, target=mount.path, fstype="nfs4", answers=answers),))


def _maas(world: World) -> MaasFacts | None:
    if world.inventory.maas is None:
        return None
    for reason, (begins, ends) in world.lies.maas_refuses.items():
        if begins <= world.elapsed < ends:
            return unread(MaasFacts, "simulation", reason)
    return WELL


def _dhcp(world: World) -> dict[str, DhcpFacts]:
    """The server in MAAS' guest: its files, of which the lease time is simulated."""
    guest = world.inventory.maas.guest if world.inventory.maas is not None else None
    if guest is None:
        return {}
    if not world.reachable(guest):
        return {guest: unread(DhcpFacts, "simulation", "no answer")}
    return {
        guest: DhcpFacts(
            declared=_seen(()),
            recorded=_seen(()),
            leases=_seen(()),
            ranges=_seen(()),
            partners=_seen(()),
            lease_s=_seen(int(LEASE_S)),
        )
    }


def _offers(world: World) -> dict[str, Observed[tuple[str, ...]]]:
    found: dict[str, list[str]] = {}
    for server in world.inventory.dhcp.values():
        offering = found.setdefault(server.interface, [])
        if server.guest is None or (
            world.pings(server.guest) and world.serves(server.guest, "dhcp")
        ):
            offering.append(str(server.address))
    return {interface: _seen(tuple(sorted(servers))) for interface, servers in found.items()}


def leases(world: World) -> dict[str, Observed[LeaseTrial]]:
    """A lease from each server that allows it and offers; one that lies gives none."""
    offers = _offers(world)
    found: dict[str, Observed[LeaseTrial]] = {}
    for name, server in world.inventory.dhcp.items():
        if not server.lease:
            continue
        begins = world.lies.gives_no_lease.get(name)
        if str(server.address) not in (offers[server.interface].value or ()):
            trial = LeaseTrial(refused="made no offer")
        elif begins is not None and world.elapsed >= begins:
            trial = LeaseTrial(address="10.0.0.200", refused="offered, and gave no lease")
        else:
            trial = LeaseTrial(address="10.0.0.200", lease_s=600)
        found[name] = _seen(trial)
    return found


def _k3s(world: World) -> K3sFacts | None:
    """A cluster whose servers are guests: one that is down or moved is lost to the others."""
    if world.inventory.k3s is None:
        return None
    servers: dict[str, K3sServer] = {}
    nodes: list[K3sNode] = []
    for name in world.inventory.k3s.servers:
        address = str(world.inventory.guests[name].address)
        there = world.guest_up(name) and world.guests[name].address == address
        why = "KubeletReady" if there else "NodeStatusUnknown"
        nodes.append(K3sNode(name=name, ready=there, why=why, addresses=(address,)))
        servers[name] = K3sServer(
            address=address,
            failing=_seen(()) if there else _lost(),
            carried=_seen((address,)) if there else _lost(),
            verified=_seen(True) if there else _lost(),
        )
    majority = sum(node.ready for node in nodes) * 2 > len(nodes)
    return K3sFacts(
        version=_seen("v1.33.6+k3s1") if majority else _lost(),
        nodes=_seen(tuple(nodes)) if majority else _lost(),
        servers=servers,
    )


def snapshot(world: World) -> SiteFacts:
    """Everything that can be seen now."""
    inventory = world.inventory
    names: dict[str, Observed[tuple[str, ...]]] = {}
    for server, declared in (inventory.dns.servers if inventory.dns else {}).items():
        answers = declared.guest is None or (
            world.pings(declared.guest) and world.serves(declared.guest, "dns")
        )
        for name, expected in inventory.dns.names.items() if inventory.dns else ():
            addresses = tuple(sorted(str(address) for address in expected.addresses))
            names[f"{server}/{name}"] = _seen(addresses) if answers else _lost()
    compose = {}
    for project, declared_project in inventory.compose.items():
        up = world.reachable(declared_project.guest)
        host = world.hosts[declared_project.guest]
        runs = host.active("docker.service") and declared_project.directory not in host.wiped
        containers = tuple(
            Container(
                service=service, state="running", image="web", restart_policy="unless-stopped"
            )
            for service in (declared_project.services if runs else ())
        )
        compose[project] = ComposeFacts(
            containers=_seen(containers) if up else _lost(),
            sentinel_sha256=_seen(world.lies.sentinel) if up else _lost(),
        )
    certificates = {}
    for endpoint, declared_certificate in inventory.certificates.items():
        up = world.guest_up(declared_certificate.guest)
        address = str(inventory.guests[declared_certificate.guest].address)
        moved = world.guests[declared_certificate.guest].address != address
        certificates[endpoint] = CertificateFacts(
            fingerprint_sha256=_seen("ab") if up else _lost(),
            addresses=_seen((address,)) if up else _lost(),
            verified=_seen(not moved) if up else _lost(),
        )
    return SiteFacts(
        taken_at=world.clock.wall(),
        hosts={name: _host(world, name) for name in world.nodes},
        guests={name: _guest(world, name) for name in world.guests},
        names=names,
        compose=compose,
        certificates=certificates,
        mounts={name: _mounted(world, mount) for name, mount in inventory.mounts.items()},
        cluster=ClusterFacts(
            quorate=_seen(world.lies.quorate),
            online=_seen(tuple(name for name in world.nodes if world.pings(name))),
            votes=_seen(world.lies.votes),
            quorum=_seen(2),
        ),
        dhcp=_dhcp(world),
        maas=_maas(world),
        offers=_offers(world),
        k3s=_k3s(world),
    )
