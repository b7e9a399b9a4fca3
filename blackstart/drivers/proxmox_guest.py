"""All facts of one guest, each from the node that the guest is on."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from blackstart.drivers import proxmox_answers as answers
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_seeing import ONE_CLUSTER
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable
from blackstart.model.facts import GuestFacts, Observed, unread

RESOURCES = "cluster/resources"
# What is said of a guest whose agent does not answer, or that is off (qemu-server, Agent.pm,
# QMPClient.pm): a fact about the guest, not a failure to ask.
_SILENT_INSIDE = re.compile(r"^500 .*(is not running|'guest-[a-z-]+' failed - got timeout)$")

T = TypeVar("T")


class Listed(Protocol):
    """What says which guest is meant; ``node`` is where it is thought to be."""

    @property
    def kind(self) -> Literal["qemu", "lxc"]:
        """A virtual machine or a container."""

    @property
    def vmid(self) -> int:
        """Its number, the only one in the cluster."""

    @property
    def node(self) -> str:
        """The node that is asked when the cluster does not show the guest."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a guest is. ``seen`` is false when only the inventory says so."""

    node: str
    path: str
    seen: bool


class _Cluster:
    """One look at ``cluster/resources``: nodes' states and guests' places, or why not."""

    def __init__(self, api: ProxmoxApi) -> None:
        resources = answers.records(api.get(RESOURCES), RESOURCES)
        with answers.understood(RESOURCES):
            self.nodes = answers.node_states(resources)
            self.places = answers.placements(resources)


class GuestReader:
    """Reads guests for one snapshot: the cluster is asked once, a dead node not again."""

    def __init__(self, api: ProxmoxApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._cluster: _Cluster | DriverError | None = None
        self._silent: dict[str, DriverError] = {}

    def place(self, guest: Listed) -> Place:
        """Its node as the cluster shows it, else the declared one.

        Raises ``Unreachable`` when that node is offline, and what asking raised.
        """
        cluster = self._look()
        shown = cluster.places.get((guest.kind, guest.vmid))
        node = shown or guest.node
        state = cluster.nodes.get(node)
        if state == "offline":
            raise Unreachable(
                f"{node} is offline; what the cluster still shows of its guests is old"
            )
        if state is None:
            raise Rejected(
                f"{RESOURCES} names no node {node}: the token may not see it (Sys.Audit on "
                f"/nodes/{node}), or it is in no cluster with those that answer; {ONE_CLUSTER}"
            )
        return Place(node, f"nodes/{node}/{guest.kind}/{guest.vmid}", shown is not None)

    def read(self, guest: Listed) -> GuestFacts:
        """Facts of one guest; each that could not be read says why."""
        try:
            place = self.place(guest)
        except DriverError as error:
            return unread(GuestFacts, f"api GET {RESOURCES}", str(error))
        status = self._observe(place, "status/current", _status)
        config = self._observe(place, "config", lambda answer: answers.record(answer, "config"))
        booted, interfaces = self._inside(place, guest, status)
        return GuestFacts(
            node=self._node(place, guest, status),
            status=status,
            onboot=_derived(config, answers.starts_on_boot),
            config=_derived(config, answers.config_strings),
            booted=booted,
            interfaces=interfaces,
        )

    def _look(self) -> _Cluster:
        with self._lock:
            if self._cluster is None:
                try:
                    self._cluster = _Cluster(self._api)
                except DriverError as error:
                    self._cluster = error
            if isinstance(self._cluster, DriverError):
                raise self._cluster
            return self._cluster

    def _observe(self, place: Place, what: str, read: Callable[[Any], T]) -> Observed[T]:
        path = f"{place.path}/{what}"
        source = f"api GET {path}"
        try:
            for subject in (place.node, place.path):
                if subject in self._silent:
                    raise self._silent[subject]
            answer = self._api.get(path)
            with answers.understood(what):
                return Observed(source=source, value=read(answer))
        except Unreachable as error:
            self._silent[place.node] = error
            return Observed(source=source, error=str(error))
        except TimedOut as error:
            self._silent[place.path] = error  # one guest's hung monitor says nothing of the node
            return Observed(source=source, error=str(error))
        except DriverError as error:
            return Observed(source=source, error=str(error))

    def _inside(
        self, place: Place, guest: Listed, status: Observed[str]
    ) -> tuple[Observed[bool], Observed[dict[str, tuple[str, ...]]]]:
        """Whether it has booted, and its addresses: both from what answers inside the guest.

        Asked by GET, so that a token which may only look can prove it too: the agent's
        ``ping`` is a POST.
        """
        if guest.kind == "qemu":
            seen = self._observe(place, "agent/network-get-interfaces", answers.agent_interfaces)
            return _answered(seen), seen
        seen = self._observe(place, "interfaces", answers.container_interfaces)
        if status.value == "stopped":
            return Observed[bool](source=status.source, value=False), seen
        return _derived(seen, lambda macs: any(macs.values())), seen

    def _node(self, place: Place, guest: Listed, status: Observed[str]) -> Observed[str]:
        if place.seen:
            return Observed[str](source=f"api GET {RESOURCES}", value=place.node)
        if status.known:
            return Observed[str](source=status.source, value=place.node)
        return Observed[str](
            source=f"api GET {RESOURCES}",
            error=f"{guest.kind} {guest.vmid} is not in the answer: "
            "it does not exist, or the token may not see it",
        )


def _status(answer: object) -> str:
    status = answers.record(answer, "status/current").get("status")
    if status not in ("running", "stopped"):
        raise Rejected(f"status/current says {status!r}")
    return str(status)


def _answered(seen: Observed[dict[str, tuple[str, ...]]]) -> Observed[bool]:
    """An agent that answers has booted; one that is known not to run has not."""
    if seen.known:
        return Observed[bool](source=seen.source, value=True)
    if seen.error is not None and _SILENT_INSIDE.match(seen.error):
        return Observed[bool](source=f"{seen.source}: {seen.error}", value=False)
    return Observed[bool](source=seen.source, error=seen.error)


def _derived(seen: Observed[Any], read: Callable[[Any], T]) -> Observed[T]:
    if not seen.known:
        return Observed(source=seen.source, error=seen.error)
    return Observed(source=seen.source, value=read(seen.value))
