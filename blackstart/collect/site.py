"""A snapshot of the whole site: every part asked at once, no part waiting for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from blackstart.collect.compose import look_at_project
from blackstart.collect.dhcp import look_at_dhcp
from blackstart.collect.host import look_at_host
from blackstart.collect.host_parse import HostReading, nothing_read
from blackstart.collect.k3s import look_at_k3s, nothing_of_k3s
from blackstart.collect.mounts import Mounts, declared, look_at_mounts
from blackstart.collect.name_round import PAUSE_S, Round, look_at_names, unasked
from blackstart.drivers.base import (
    AddressSource,
    CertificateLook,
    Clock,
    ClusterView,
    CommandRunner,
    GuestControl,
    K3sApi,
    NameLookup,
    OfferLook,
)
from blackstart.drivers.bounded import gather
from blackstart.drivers.triage import Triage
from blackstart.errors import DriverError
from blackstart.model.dhcp_facts import DhcpFacts
from blackstart.model.facts import (
    CertificateFacts,
    ClusterFacts,
    ComposeFacts,
    GuestFacts,
    Observed,
    SiteFacts,
    unread,
)
from blackstart.model.inventory import Certificate, Inventory
from blackstart.model.k3s_facts import K3sFacts
from blackstart.model.maas_facts import MaasFacts
from blackstart.model.subjects import mounts_asked

WORKERS = 32
GRACE_S = 3.0


@dataclass
class _Found:
    """What some parts of the site gave, in the shape of ``SiteFacts``."""

    hosts: dict[str, HostReading] = field(default_factory=dict)
    guests: Mapping[str, GuestFacts] = field(default_factory=dict)
    names: Round = field(default_factory=Round)
    dhcp: dict[str, DhcpFacts] = field(default_factory=dict)
    compose: dict[str, ComposeFacts] = field(default_factory=dict)
    certificates: dict[str, CertificateFacts] = field(default_factory=dict)
    mounts: dict[str, Mounts] = field(default_factory=dict)
    k3s: K3sFacts | None = None
    quorate: Observed[bool] | None = None
    standalone: Observed[bool] | None = None
    online: Observed[tuple[str, ...]] | None = None
    maas: MaasFacts | None = None
    offers: dict[str, Observed[tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """One thing to ask: how, and what it leaves when there was no answer in time."""

    look: Callable[[], _Found]
    lost: Callable[[str], _Found]

    def found(self, answer: _Found | DriverError) -> _Found:
        """What came of it."""
        return self.lost(str(answer)) if isinstance(answer, DriverError) else answer


@dataclass(frozen=True, slots=True)
class SiteCollector:
    """``FactsSource`` over a site's drivers. ``cluster``, ``k3s`` and ``maas`` where there is one.

    ``authorities`` holds the CA file of each declared certificate. A snapshot takes at
    most ``deadline_s`` seconds and a little grace, whoever hangs.
    """

    inventory: Inventory
    clock: Clock
    runner: CommandRunner
    guests: GuestControl
    cluster: ClusterView | None
    names: NameLookup
    certificates: CertificateLook
    authorities: Mapping[str, Path]
    offers: OfferLook
    k3s: K3sApi | None = None
    maas: AddressSource | None = None
    deadline_s: float = 60.0
    triage: Triage = field(default_factory=Triage)

    def __call__(self) -> SiteFacts:
        """All facts now; a part that does not answer is an error in its facts."""
        taken_at = self.clock.wall()
        parts = dict(self._parts())
        answers = gather(
            {name: part.look for name, part in parts.items()},
            workers=WORKERS,
            timeout_s=self._left_s() + GRACE_S,
        )
        whole = _Found()
        for name, answer in answers.items():
            _add(whole, parts[name].found(answer))
        return SiteFacts(
            taken_at=taken_at,
            hosts={name: whole.hosts[name].facts for name in self.inventory.nodes},
            guests=dict(whole.guests),
            names=whole.names.names,
            reverse=whole.names.reverse,
            dhcp=whole.dhcp,
            compose=whole.compose,
            certificates=whole.certificates,
            mounts=self._declared_mounts(whole),
            cluster=self._cluster(whole),
            k3s=whole.k3s,
            maas=whole.maas,
            offers=whole.offers,
        )

    def _left_s(self) -> float:
        return self.triage.bound(self.deadline_s)

    def _parts(self) -> Iterator[tuple[str, _Part]]:
        yield from ((f"host/{name}", self._host(name)) for name in self.inventory.nodes)
        yield from ((f"compose/{name}", self._project(name)) for name in self.inventory.compose)
        dns = self.inventory.dns
        if dns is not None:
            yield from ((f"dns/{name}", self._server(name)) for name in dns.servers)
        if self.inventory.maas is not None and self.inventory.maas.guest is not None:
            yield "dhcp", self._dhcp(self.inventory.maas.guest)
        for name, certificate in self.inventory.certificates.items():
            yield f"certificate/{name}", self._certificate(name, certificate)
        for name in sorted({mount.host for mount in mounts_asked(self.inventory).values()}):
            if name in self.inventory.guests:
                yield f"mounts/{name}", self._guests_mounts(name)
        yield "guests", self._guests()
        if self.cluster is not None:
            yield "cluster", self._membership(self.cluster)
        if self.k3s is not None:
            yield "k3s", self._k3s(self.k3s)
        for interface in sorted({server.interface for server in self.inventory.dhcp.values()}):
            yield f"offers/{interface}", self._who_offers(interface)
        if self.maas is not None:
            yield "maas", self._addresses(self.maas)

    def _host(self, name: str) -> _Part:
        return _Part(
            lambda: _Found(hosts={name: look_at_host(self.runner, name, timeout_s=self._left_s())}),
            lambda error: _Found(hosts={name: nothing_read(name, error)}),
        )

    def _project(self, name: str) -> _Part:
        project = self.inventory.compose[name]

        def look() -> _Found:
            facts = look_at_project(self.runner, project, timeout_s=self._left_s())
            return _Found(compose={name: facts})

        source = f"ssh {project.guest}"
        return _Part(look, lambda why: _Found(compose={name: unread(ComposeFacts, source, why)}))

    def _server(self, name: str) -> _Part:
        # The rack's servers have nobody else to serve.
        pause_s = 0.0 if self.inventory.rack else PAUSE_S

        def look() -> _Found:
            answers = look_at_names(self.inventory, name, self.names, self.clock, pause_s=pause_s)
            return _Found(names=answers)

        return _Part(look, lambda error: _Found(names=unasked(self.inventory, name, error)))

    def _dhcp(self, guest: str) -> _Part:
        def lost(why: str) -> _Found:
            return _Found(dhcp={guest: unread(DhcpFacts, f"ssh {guest}", why)})

        def look() -> _Found:
            if self.inventory.ssh_of(guest) is None:
                return lost(f"nobody may log in there; add ssh: true to guests.{guest}")
            return _Found(dhcp={guest: look_at_dhcp(self.runner, guest, timeout_s=self._left_s())})

        return _Part(look, lost)

    def _certificate(self, name: str, certificate: Certificate) -> _Part:
        address = str(self.inventory.guests[certificate.guest].address)
        source = f"tls {address}:{certificate.port}"

        def look() -> _Found:
            ca = self.authorities[name]
            facts = self.certificates.look(address, certificate.port, ca)
            return _Found(certificates={name: facts})

        return _Part(
            look, lambda why: _Found(certificates={name: unread(CertificateFacts, source, why)})
        )

    def _guests_mounts(self, name: str) -> _Part:
        return _Part(
            lambda: _Found(
                mounts={name: look_at_mounts(self.runner, name, timeout_s=self._left_s())}
            ),
            lambda error: _Found(mounts={name: nothing_read(name, error).facts.mounts}),
        )

    def _declared_mounts(self, found: _Found) -> dict[str, Mounts]:
        on_nodes = {name: reading.facts.mounts for name, reading in found.hosts.items()}
        return declared(mounts_asked(self.inventory), {**on_nodes, **found.mounts})

    def _guests(self) -> _Part:
        def lost(error: str) -> _Found:
            names = self.inventory.guests
            return _Found(guests={name: unread(GuestFacts, "api", error) for name in names})

        return _Part(lambda: _Found(guests=self.guests.observe()), lost)

    def _membership(self, cluster: ClusterView) -> _Part:
        return _Part(
            lambda: _Found(
                quorate=cluster.quorate(), online=cluster.online(), standalone=cluster.standalone()
            ),
            lambda error: _Found(
                quorate=Observed(source="api", error=error),
                online=Observed(source="api", error=error),
            ),
        )

    def _k3s(self, api: K3sApi) -> _Part:
        return _Part(
            lambda: _Found(k3s=look_at_k3s(api, self.certificates, timeout_s=self._left_s())),
            lambda error: _Found(k3s=nothing_of_k3s(api, error)),
        )

    def _who_offers(self, interface: str) -> _Part:
        return _Part(
            lambda: _Found(offers={interface: self.offers.look(interface)}),
            lambda why: _Found(offers={interface: Observed(source="dhcp", error=why)}),
        )

    def _addresses(self, maas: AddressSource) -> _Part:
        return _Part(
            lambda: _Found(maas=maas.observe()),
            lambda error: _Found(maas=unread(MaasFacts, "maas", error)),
        )

    def _cluster(self, found: _Found) -> ClusterFacts | None:
        if found.quorate is None or found.online is None:
            return None
        votes, quorum = self._votes(found)
        return ClusterFacts(quorate=found.quorate, online=found.online, votes=votes, quorum=quorum)

    def _votes(self, found: _Found) -> tuple[Observed[int], Observed[int]]:
        """The cluster's votes and how many are needed; a node without a cluster needs its own."""
        alone = found.standalone
        if alone is not None and alone.value:
            own = Observed(source=f"{alone.source}: no cluster", value=1)
            return own, own
        members = [
            found.hosts[name]
            for name, node in self.inventory.nodes.items()
            if node.role == "hypervisor"
        ]
        nobody: Observed[int] = Observed(source="ssh", error="the inventory declares no hypervisor")
        return (
            _first_known([member.votes for member in members], nobody),
            _first_known([member.quorum for member in members], nobody),
        )


def _first_known(counts: list[Observed[int]], nobody: Observed[int]) -> Observed[int]:
    """The first node that counts; else what the first one said instead."""
    return next((count for count in counts if count.known), (counts or [nobody])[0])


def _add(whole: _Found, part: _Found) -> None:
    whole.hosts |= part.hosts
    whole.guests = {**whole.guests, **part.guests}
    whole.names.names.update(part.names.names)
    whole.names.reverse.update(part.names.reverse)
    whole.dhcp |= part.dhcp
    whole.compose |= part.compose
    whole.certificates |= part.certificates
    whole.mounts |= part.mounts
    whole.k3s = part.k3s or whole.k3s
    whole.quorate = part.quorate or whole.quorate
    whole.standalone = part.standalone or whole.standalone
    whole.online = part.online or whole.online
    whole.offers |= part.offers
    whole.maas = part.maas or whole.maas
