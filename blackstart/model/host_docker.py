"""Containers of one Docker engine, and the definitions that would make them again."""

from __future__ import annotations

from typing import Literal

from blackstart.model.observed import Record


class EngineContainer(Record):
    """One container; what labels do not say is empty.

    ``files`` are the Compose files it was made from, ``one_off`` whether ``compose run`` made
    it, ``swarm`` whether an orchestrator starts it.
    """

    name: str
    state: str
    restart_policy: str
    project: str
    service: str
    files: tuple[str, ...]
    one_off: bool
    swarm: bool


class Definition(Record):
    """What the Compose files of a project define now: ``None`` when they cannot be read."""

    project: str
    services: tuple[str, ...] | None
    missing: tuple[str, ...]


class DockerFacts(Record):
    """``absent``: no such program; ``down``: it was not asked, because asking would start it."""

    engine: Literal["active", "down", "absent"]
    containers: tuple[EngineContainer, ...] = ()
    volumes: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
