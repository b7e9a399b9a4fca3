"""What a k3s cluster is now: its nodes, and each of its servers by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from blackstart.drivers.base import CertificateLook, K3sApi
from blackstart.drivers.bounded import gather
from blackstart.errors import DriverError
from blackstart.model.k3s_facts import K3sFacts, K3sServer
from blackstart.model.observed import Observed

T = TypeVar("T")

SOURCE = "api k3s"


def look_at_k3s(api: K3sApi, certificates: CertificateLook, *, timeout_s: float) -> K3sFacts:
    """Facts of a cluster. A server that is away hides itself only, as long as another answers.

    The servers are asked at the same time and waited for at most ``timeout_s`` seconds.
    """
    looks = {name: partial(_server, api, certificates, name) for name in api.servers}
    seen = gather(looks, workers=len(looks), timeout_s=timeout_s)
    return K3sFacts(
        version=_observed(f"{SOURCE} GET /version/", api.version),
        nodes=_observed(f"{SOURCE} GET /api/v1/nodes", api.nodes),
        servers={
            name: _unseen(api, name, answer) if isinstance(answer, DriverError) else answer
            for name, answer in seen.items()
        },
    )


def nothing_of_k3s(api: K3sApi, error: str) -> K3sFacts:
    """The facts when there was no time for any."""
    return K3sFacts(
        version=Observed(source=SOURCE, error=error),
        nodes=Observed(source=SOURCE, error=error),
        servers={name: _unseen(api, name, error) for name in api.servers},
    )


def _server(api: K3sApi, certificates: CertificateLook, name: str) -> K3sServer:
    address, port = api.servers[name]
    certificate = certificates.look(address, port, api.ca)
    return K3sServer(
        address=address,
        failing=_observed(f"{SOURCE} {name} GET /readyz", partial(api.failing, name)),
        carried=certificate.addresses,
        verified=certificate.verified,
    )


def _unseen(api: K3sApi, name: str, why: object) -> K3sServer:
    source, error = f"{SOURCE} {name}", str(why)
    return K3sServer(
        address=api.servers[name][0],
        failing=Observed(source=source, error=error),
        carried=Observed(source=source, error=error),
        verified=Observed(source=source, error=error),
    )


def _observed(source: str, ask: Callable[[], T]) -> Observed[T]:
    try:
        return Observed(source=source, value=ask())
    except DriverError as error:
        return Observed(source=source, error=str(error))
