"""What guards ask of a simulated site: quiet and sound, until a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from typing import TypeVar

from blackstart.drivers.base import Site
from blackstart.model.circumstances import (
    Capacity,
    Here,
    HighAvailability,
    LocalMount,
    Memory,
    NewestFile,
    Route,
    RunningTask,
    StorageHealth,
    Store,
)
from blackstart.model.facts import Observed

from .world import World

T = TypeVar("T")
GIB = 1 << 30
DAY_S = 86_400.0
HERE = Here(
    boot_id="the harness",
    addresses=(IPv4Address("10.0.0.200"),),
    routes=(
        Route(network=IPv4Network("10.0.0.0/24"), gateway=None, metric=0),
        Route(network=IPv4Network("0.0.0.0/0"), gateway=IPv4Address("10.0.0.254"), metric=100),
    ),
    resolvers=("10.0.0.101", "10.0.0.103"),
    mounts=(LocalMount(path="/", server=None),),
)
SOUND = StorageHealth(damage=(), seen=("no md", "no zfs", "no btrfs", "no ceph"))


def seen(value: T) -> Observed[T]:
    return Observed[T](source="simulation", value=value)


def unseen(error: str = "no answer") -> Observed[T]:
    return Observed[T](source="simulation", error=error)


class QuietCluster:
    """The part of ``ClusterView`` that only guards ask."""

    world: World

    def tasks(self) -> Observed[tuple[RunningTask, ...]]:
        return seen(())

    def stores(self) -> Observed[tuple[Store, ...]]:
        return seen(tuple(Store(node=n, name="local", active=True) for n in self.world.nodes))

    def high_availability(self) -> Observed[HighAvailability]:
        return seen(HighAvailability(managed=(), maintenance=(), disarmed=False))

    def memory(self) -> Observed[Memory]:
        capacity = Capacity(total=16 * GIB, used=4 * GIB)
        guests = {f"vm:{g.vmid}": GIB for g in self.world.inventory.guests.values()}
        return seen(Memory(nodes=dict.fromkeys(self.world.nodes, capacity), guests=guests))


@dataclass(frozen=True)
class SimulatedCircumstances:
    """``Circumstances`` by declaration: each field is the answer; hosts not named are well."""

    at_work: Mapping[str, Observed[tuple[str, ...]]] = field(default_factory=dict)
    arrays: Mapping[str, Observed[StorageHealth]] = field(default_factory=dict)
    backup: Observed[NewestFile] = field(
        default_factory=lambda: seen(NewestFile(path="./etc-pve.tar", age_s=DAY_S))
    )
    supply: Observed[str] = field(default_factory=lambda: seen("OL CHRG"))
    machine: Observed[Here] = field(default_factory=lambda: seen(HERE))
    notes: Mapping[str, Observed[str]] = field(default_factory=dict)

    def here(self) -> Observed[Here]:
        return self.machine

    def work(self, hosts: Iterable[str]) -> Mapping[str, Observed[tuple[str, ...]]]:
        return {host: self.at_work.get(host, seen(())) for host in hosts}

    def storage(self, hosts: Iterable[str]) -> Mapping[str, Observed[StorageHealth]]:
        return {host: self.arrays.get(host, seen(SOUND)) for host in hosts}

    def newest_file(self, host: str, directory: str) -> Observed[NewestFile]:
        return self.backup

    def ups(self, host: str, name: str) -> Observed[str]:
        return self.supply

    def by_hand(self, hosts: Mapping[str, tuple[str, ...]]) -> Mapping[str, Observed[str]]:
        return {host: self.notes.get(host, seen(f"# {host}\n")) for host in hosts}


def circumstances_of(site: Site, **answers: object) -> Site:
    """The same site with other circumstances."""
    return replace(site, circumstances=SimulatedCircumstances(**answers))  # type: ignore[arg-type]
