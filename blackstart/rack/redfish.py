"""Redfish (placeholder until the next commit)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from blackstart.rack.power import MachinePower
from blackstart.rack.topology import Topology


async def serve(
    topology: Topology, machines: Mapping[str, MachinePower], secrets: Path
) -> list[web.AppRunner]:
    """Serve."""
    return []
