"""What every fault is: plan, inject, prove active, revert, prove reverted.

The plan is data and is on disk before anything is touched, so that another process
can undo it: krkn stores undo as source code and counts a swallowed failure as done;
both are the traps avoided here.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import ConfigDict, TypeAdapter

from blackstart.drivers.base import Site
from blackstart.model.deadman import DeadMan
from blackstart.model.inventory import FaultName, Inventory
from blackstart.model.undo import Action


class Reversibility(StrEnum):
    """How a fault ends."""

    REVERSIBLE = "reversible"
    SELF_HEALING = "self-healing"
    IRREVERSIBLE = "irreversible"


@dataclass(frozen=True, slots=True)
class Plan:
    """The undo record: what will be done to what, and what leads back.

    ``blast_radius`` names everything expected to go down, ``nodes_down`` the nodes among it
    that will boot; ``consents`` who must have opted in (the target, when empty);
    ``parameters`` and ``prior`` are plain data; ``rescue`` are commands for a person, safe to
    run at any time. ``undo`` are the actions that lead back, run on ``undo_host`` in this
    order; ``deadman`` runs them when nobody else does. ``off_s`` are the seconds for which a
    fault that ends by itself holds its targets down on purpose: no budget counts them;
    ``later_s`` are more of them for single subjects (``node/nas1``). ``unheard_s`` are the
    seconds for which the fault may keep its target from hearing the harness: a lease is never
    shorter. ``needs`` names what must answer (``dhcp/lan``) before a fault that follows another
    one begins.
    """

    # What another version wrote more than this one knows may belong to the undo.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    fault: FaultName
    target: str
    reversibility: Reversibility
    blast_radius: tuple[str, ...]
    rescue: tuple[str, ...]
    needs_out_of_band: bool = False
    nodes_down: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    prior: Mapping[str, Any] = field(default_factory=dict)
    undo: tuple[Action, ...] = ()
    undo_host: str | None = None
    deadman: DeadMan | None = None
    off_s: float = 0.0
    later_s: Mapping[str, float] = field(default_factory=dict)
    unheard_s: float = 0.0
    needs: tuple[str, ...] = ()


PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
"""Plans as the journal keeps them; raises ``pydantic.ValidationError`` on anything else."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether something really happened, and how that was seen."""

    holds: bool
    detail: str


def by_hand(inventory: Inventory, host: str, command: str) -> str:
    """The line with which a person runs a command on a host, whether or not we are alive."""
    words = shlex.quote(command)
    if inventory.rack is not None:
        return f"blackstart rack ssh {host} -- {words}"
    node, access = inventory.nodes.get(host), inventory.ssh_of(host)
    address = node.address if node else inventory.guests[host].address
    if access is None:
        return f"{command}  # on the console of {host} ({address})"
    return f"ssh {access.user}@{address} {words}"


class Reverter(Protocol):
    """What leads back from a fault, also for a process that did not cause it."""

    def revert(self, site: Site, plan: Plan) -> None:
        """Undo our own change and nothing else. Safe to repeat."""

    def prove_reverted(self, site: Site, plan: Plan) -> Proof:
        """Whether the target is as it was before."""


class Fault(Reverter, Protocol):
    """A fault family applied to one target. Every method is bounded in time."""

    @property
    def name(self) -> FaultName:
        """The name under which a target consents to it."""

    @property
    def target(self) -> str:
        """The inventory's name of what it breaks."""

    def plan(self, site: Site) -> Plan:
        """Read what is needed to undo; touches nothing. Raises ``DriverError``."""

    def inject(self, site: Site, plan: Plan) -> None:
        """Break it. Raises ``DriverError`` when the command was refused."""

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """Whether it bit: a command that was accepted proves nothing."""


@runtime_checkable
class Lasting(Protocol):
    """A fault that somebody else may undo before its time: asked once more when it is over."""

    def prove_lasting(self, site: Site, plan: Plan) -> Proof:
        """Whether it still is as it was injected. Raises ``DriverError``."""
