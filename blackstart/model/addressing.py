"""Inventory parts: who gives addresses out, and who depends most on their staying."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from blackstart.model.parts import (
    Address,
    FileReference,
    Fingerprint,
    Hostname,
    Interface,
    Label,
    Part,
    Reference,
    endpoint,
    hostname,
)
from blackstart.model.quantities import Budget


class Maas(Part):
    """How the MAAS API is reached (version 3.5 to 3.7).

    ``url`` is ``https://ADDRESS[:PORT]/MAAS``, ``key`` refers to ``CONSUMER:TOKEN:SECRET`` as
    ``maas apikey`` prints it, ``guest`` is the guest that MAAS runs in. What a key must be
    allowed to see stands in ``docs/maas.md``. Its certificate is held against ``ca``, or must be
    the one with ``fingerprint`` (SHA-256).
    """

    url: str
    key: Reference
    ca: FileReference | None = None
    fingerprint: Fingerprint | None = None
    guest: Label | None = None


def _server(text: str) -> str:
    return endpoint(text) if ":" in text else hostname(text)


def _any_server(servers: tuple[str, ...]) -> tuple[str, ...]:
    if not servers:
        raise ValueError("a cluster has at least one server; write them as [k3s-1, k3s-2]")
    return servers


Server = Annotated[str, AfterValidator(_server)]


class DhcpServer(Part):
    """A DHCP server, asked as a new client asks, on an interface of this very machine.

    ``address`` is the one under which it offers (its server identifier); budget in seconds.
    ``lease`` allows a drill to really take a lease, have it renewed, and give it back.
    """

    address: Address
    interface: Interface
    guest: str | None = None
    budget: Budget = 120.0
    lease: bool = False


class VirtualAddress(Part):
    """An address that moves between machines by itself, and is the same wherever it is.

    ``held_by`` names the nodes and guests on whose cards it stands, one's at a time (VRRP:
    RFC 5798). Without it the address is on nobody's card for sure, as one of MetalLB is, and it
    is only never compared as part of a machine.
    """

    address: Address
    held_by: tuple[Hostname, ...] = ()


class K3s(Part):
    """A k3s cluster: its servers, each a guest (then port 6443) or an endpoint.

    ``token`` refers to a bearer token that may list nodes, ``ca`` to the cluster's own CA
    (``/var/lib/rancher/k3s/server/tls/server-ca.crt``).
    """

    servers: Annotated[tuple[Server, ...], AfterValidator(_any_server)]
    token: Reference
    ca: FileReference
