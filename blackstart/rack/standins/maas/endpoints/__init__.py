"""The endpoints by subject, put together."""

from __future__ import annotations

from ..routing import Router
from . import dns, general, images, interfaces, ipaddresses, nodes, reservedips, subnets


def make_router() -> Router:
    """All endpoints that the stand-in has."""
    return Router(
        [
            *general.ENDPOINTS,
            *nodes.ENDPOINTS,
            *interfaces.ENDPOINTS,
            *subnets.ENDPOINTS,
            *reservedips.ENDPOINTS,
            *ipaddresses.ENDPOINTS,
            *dns.ENDPOINTS,
            *images.ENDPOINTS,
        ]
    )
