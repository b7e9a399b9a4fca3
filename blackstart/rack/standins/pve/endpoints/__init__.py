"""The endpoints by subject, put together."""

from __future__ import annotations

from ..routing import Router
from . import access, agent, cluster, configuration, guests, nodes, storage, tasks


def make_router() -> Router:
    """All endpoints that the stand-in has."""
    return Router(
        [
            *access.ENDPOINTS,
            *cluster.ENDPOINTS,
            *nodes.ENDPOINTS,
            *guests.ENDPOINTS,
            *configuration.ENDPOINTS,
            *agent.ENDPOINTS,
            *storage.ENDPOINTS,
            *tasks.ENDPOINTS,
        ]
    )
