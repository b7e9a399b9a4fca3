"""One hypervisor as the stand-in knows it: everything a call or a command needs."""

from __future__ import annotations

from dataclasses import dataclass

from .broadcast import Broadcast
from .guests import Guests
from .layout import GUEST_PROGRAM, Layout
from .members import Membership, read_membership
from .runtime import GuestRuntime, ProgramRuntime
from .storage import Storage
from .tasks import Tasks


@dataclass(frozen=True, slots=True)
class Node:
    """The parts of a node; ``name`` is the node's own."""

    layout: Layout
    runtime: GuestRuntime
    guests: Guests
    storage: Storage
    tasks: Tasks
    broadcast: Broadcast

    @property
    def name(self) -> str:
        """The node's name."""
        return self.layout.node

    def membership(self) -> Membership:
        """The cluster as this node sees it now."""
        return read_membership(self.layout.members, self.name)


def make_node(layout: Layout, runtime: GuestRuntime) -> Node:
    """Put the parts of a node together."""
    broadcast = Broadcast(layout)
    return Node(
        layout=layout,
        runtime=runtime,
        guests=Guests(layout),
        storage=Storage(layout),
        tasks=Tasks(layout.task_logs, layout.node, broadcast.announce_tasks),
        broadcast=broadcast,
    )


def this_node() -> Node:
    """The node that this process runs on, with its real guests."""
    return make_node(Layout.here(), ProgramRuntime(GUEST_PROGRAM))
