"""From an inventory to a connected site: the one place that knows concrete drivers.

Every secret and every file is resolved here, before anything is armed: one that is
missing must not be found out in the middle of a drill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from blackstart.collect.circumstances import HostCircumstances
from blackstart.collect.host_boot import HostBoots
from blackstart.collect.leases import try_leases
from blackstart.collect.readiness import ReadinessCollector
from blackstart.collect.site import SiteCollector
from blackstart.doctor.contacts import Contacts, ProxmoxContact
from blackstart.drivers.absent import NoClusterView, NoGuestControl
from blackstart.drivers.base import (
    Clock,
    ClusterView,
    CommandRunner,
    GuestControl,
    K3sApi,
    Site,
)
from blackstart.drivers.clock import SystemClock, every
from blackstart.drivers.dhcp_leases import DhcpLeases
from blackstart.drivers.dhcp_offers import DhcpOffers
from blackstart.drivers.maas import Maas
from blackstart.drivers.maas_api import MaasApi, parse_key
from blackstart.drivers.names import DnsLookup
from blackstart.drivers.proxmox import ProxmoxGuests
from blackstart.drivers.proxmox_api import NAME as PROXMOX
from blackstart.drivers.proxmox_api import ProxmoxApi, name_of, parse_token
from blackstart.drivers.proxmox_cluster import ProxmoxCluster
from blackstart.drivers.proxmox_look import ProxmoxLook
from blackstart.drivers.redfish import Controller, RedfishPower
from blackstart.drivers.ssh import SshRunner
from blackstart.drivers.ssh_connection import SshTarget
from blackstart.drivers.tls import TlsLook
from blackstart.drivers.triage import Triage
from blackstart.errors import Unreachable
from blackstart.model.inventory import Inventory, ProxmoxAccess, SshAccess
from blackstart.model.subjects import hosts_asked
from blackstart.probes.plan import probes_for
from blackstart.probes.runner import ProbeRunner
from blackstart.safety.deadman import DeadMen
from blackstart.secrets import resolve, resolve_path

K3S_PORT = 6443
GREETING_S = 15.0
"""Longer than who greets waits for it."""


@contextmanager
def connect(inventory: Inventory, *, rack_secrets: Path | None = None) -> Iterator[Site]:
    """The site's drivers, disconnected again at the end. Nothing is connected to yet.

    ``rack_secrets`` is the directory that ``rack:`` references name. Raises ``UsageError``
    for a reference that cannot be resolved.
    """
    references = _References(rack_secrets)
    clock, triage = SystemClock(), Triage()
    names, certificates = DnsLookup(), TlsLook()
    with ExitStack() as stack:
        runner = SshRunner(_ssh_targets(inventory, references), _closed(inventory), triage)
        stack.callback(runner.close)
        guests: GuestControl = NoGuestControl(inventory.guests)
        cluster: ClusterView | None = None
        api = _proxmox(inventory, references, triage)
        if api is not None:
            stack.callback(api.close)
            guests, cluster = ProxmoxGuests(api, inventory.guests, clock), ProxmoxCluster(api)
        maas = _maas(inventory, references, stack)
        power = RedfishPower(_controllers(inventory, references))
        facts = SiteCollector(
            inventory=inventory,
            clock=clock,
            runner=runner,
            guests=guests,
            cluster=cluster,
            names=names,
            certificates=certificates,
            authorities={
                name: references.public(declared.ca)
                for name, declared in inventory.certificates.items()
            },
            offers=DhcpOffers(),
            k3s=_k3s(inventory, references, stack),
            maas=maas,
            triage=triage,
        )
        look = ProxmoxLook(api, clock, triage=triage) if api is not None else None
        yield Site(
            inventory=inventory,
            clock=clock,
            runner=runner,
            power=power,
            guests=guests,
            cluster=cluster or NoClusterView(),
            names=names,
            certificates=certificates,
            facts=facts,
            probes=lambda: _probes(inventory, references, clock, runner),
            leases=partial(try_leases, inventory, DhcpLeases()),
            deadmen=DeadMen(runner),
            circumstances=HostCircumstances(runner),
            every=every,
            host_boots=HostBoots(inventory, runner, triage=triage),
            images=maas,
            readiness=ReadinessCollector(inventory, runner, power, look, triage),
            greetings=_greetings(inventory, runner, api),
            triage=triage,
        )


@contextmanager
def contact(inventory: Inventory, *, rack_secrets: Path | None = None) -> Iterator[Contacts]:
    """Drivers of all that is declared, each by itself; otherwise as ``connect``."""
    references = _References(rack_secrets)
    with ExitStack() as stack:
        runner = SshRunner(_ssh_targets(inventory, references), _closed(inventory))
        stack.callback(runner.close)
        maas = _maas_api(inventory, references, stack)
        yield Contacts(
            inventory=inventory,
            runner=runner,
            power=RedfishPower(_controllers(inventory, references)),
            names=DnsLookup(),
            proxmox=_each_node(inventory, references, stack),
            maas=maas,
            k3s=_k3s(inventory, references, stack),
        )


class _References:
    """The inventory's references, resolved against one rack's secrets or none."""

    def __init__(self, rack_secrets: Path | None) -> None:
        self._rack_secrets = rack_secrets

    def text(self, reference: str) -> str:
        """A secret. It is handed to a driver and to nobody else."""
        return resolve(reference, self._rack_secrets).get_secret_value()

    def private(self, reference: str | None) -> Path | None:
        """A file that only its owner may read."""
        return resolve_path(reference, self._rack_secrets) if reference else None

    def public(self, reference: str) -> Path:
        """A file that anybody may read."""
        return resolve_path(reference, self._rack_secrets, private=False)

    def authority(self, reference: str | None) -> Path | None:
        """A CA file, or none for the system's own store."""
        return self.public(reference) if reference else None


def _ssh_targets(inventory: Inventory, references: _References) -> Mapping[str, SshTarget]:
    def target(address: object, access: SshAccess) -> SshTarget:
        return SshTarget(
            address=str(address),
            port=access.port,
            user=access.user,
            key=references.private(access.key),
            known_hosts=references.public(access.known_hosts),
        )

    guests = {name: guest.address for name, guest in inventory.guests.items()}
    nodes = {name: node.address for name, node in inventory.nodes.items()}
    return {
        name: target(address, access)
        for name, address in {**guests, **nodes}.items()
        if (access := inventory.ssh_of(name)) is not None
    }


def _closed(inventory: Inventory) -> frozenset[str]:
    """Nodes that nobody logs in to."""
    return frozenset(name for name in inventory.nodes if inventory.ssh_of(name) is None)


def _greetings(
    inventory: Inventory, runner: CommandRunner, api: ProxmoxApi | None
) -> Mapping[str, Callable[[], object]]:
    """A command that does nothing, of each host that we may log in to; the API's version."""
    found: dict[str, Callable[[], object]] = {
        host: partial(runner.run, host, "true", timeout_s=GREETING_S)
        for host in hosts_asked(inventory)
        if inventory.ssh_of(host) is not None
    }
    if api is not None:
        found[PROXMOX] = api.greet
        # Of several, one that is silent must not make the others late; one that is away only
        # for us, behind a firewall, is asked through them.
        several = api.nodes if len(api.nodes) > 1 else ()
        found |= {name_of(node): partial(_is_silent, api, node) for node in several}
    return found


def _is_silent(api: ProxmoxApi, node: str) -> None:
    """Raises ``TimedOut`` for a node that takes calls of the API and answers none."""
    with suppress(Unreachable):
        api.greet(node)


def _proxmox(inventory: Inventory, references: _References, triage: Triage) -> ProxmoxApi | None:
    access = inventory.proxmox
    if access is None:
        return None
    api = _api_of(inventory, access, references, _with_api(inventory))
    api.triage = triage
    return api


def _with_api(inventory: Inventory) -> dict[str, str]:
    return {name: str(node.address) for name, node in inventory.nodes.items() if node.api}


def _api_of(
    inventory: Inventory,
    access: ProxmoxAccess,
    references: _References,
    nodes: Mapping[str, str],
) -> ProxmoxApi:
    return ProxmoxApi(
        nodes,
        token=parse_token(references.text(access.token)),
        ca=references.authority(access.ca),
        port=access.port,
        fingerprints=_fingerprints(inventory, access),
    )


def _each_node(
    inventory: Inventory, references: _References, closing: ExitStack
) -> ProxmoxContact | None:
    access, nodes = inventory.proxmox, _with_api(inventory)
    if access is None or not nodes:
        return None
    apis = {
        name: _api_of(inventory, access, references, {name: address})
        for name, address in nodes.items()
    }
    cluster = _api_of(inventory, access, references, nodes)
    for api in (*apis.values(), cluster):
        closing.callback(api.close)
    return ProxmoxContact(apis, cluster)


def _fingerprints(inventory: Inventory, access: ProxmoxAccess) -> Mapping[str, str]:
    """The pinned certificate of each node that has one."""
    own = {name: node.fingerprint or access.fingerprint for name, node in inventory.nodes.items()}
    return {name: pinned for name, pinned in own.items() if pinned is not None}


def _k3s(inventory: Inventory, references: _References, stack: ExitStack) -> K3sApi | None:
    declared = inventory.k3s
    if declared is None:
        return None
    # Here, because the official client's models cost half a second that other sites need not pay.
    from blackstart.drivers.k3s import K3sServers  # noqa: PLC0415

    api = K3sServers(
        {name: _endpoint(inventory, name) for name in declared.servers},
        token=references.text(declared.token),
        ca=references.public(declared.ca),
    )
    stack.callback(api.close)
    return api


def _endpoint(inventory: Inventory, server: str) -> tuple[str, int]:
    guest = inventory.guests.get(server)
    if guest is not None:
        return str(guest.address), K3S_PORT
    address, _, port = server.partition(":")
    return address, int(port)


def _maas(inventory: Inventory, references: _References, closing: ExitStack) -> Maas | None:
    api = _maas_api(inventory, references, closing)
    return Maas(api) if api is not None else None


def _maas_api(inventory: Inventory, references: _References, closing: ExitStack) -> MaasApi | None:
    access = inventory.maas
    if access is None:
        return None
    key = parse_key(references.text(access.key))
    ca = references.authority(access.ca)
    api = MaasApi(access.url, key=key, ca=ca, fingerprint=access.fingerprint)
    closing.callback(api.close)
    return api


def _controllers(inventory: Inventory, references: _References) -> Mapping[str, Controller]:
    return {
        name: Controller(
            url=node.out_of_band.url,
            system=node.out_of_band.system,
            user=node.out_of_band.user,
            password=references.text(node.out_of_band.password),
            ca=references.authority(node.out_of_band.ca),
        )
        for name, node in inventory.nodes.items()
        if node.out_of_band is not None
    }


def _probes(
    inventory: Inventory, references: _References, clock: Clock, runner: CommandRunner
) -> ProbeRunner:
    probes = probes_for(inventory, references.public, runner)
    return ProbeRunner(probes, clock, inventory.probing.rate_hz)
