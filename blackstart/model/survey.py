"""What the APIs alone show of a site, before anybody has declared anything of it."""

from __future__ import annotations

from typing import Literal

from blackstart.model.facts import GuestFacts
from blackstart.model.observed import Observed, Record


class NodeSeen(Record):
    """A member of the cluster. ``address`` is the one that the cluster itself uses.

    ``fingerprint`` (SHA-256, as the API writes it) is that of its API's certificate; ``local``
    says that it was this node that answered.
    """

    name: str
    address: str | None
    online: bool
    local: bool
    fingerprint: str | None


class GuestSeen(Record):
    """A guest as the cluster lists it, and its facts as its node gives them."""

    vmid: int
    kind: Literal["qemu", "lxc"]
    name: str
    node: str
    facts: GuestFacts


class StoreSeen(Record):
    """A store's definition: its kind, where its content really lies, and on which nodes it is."""

    name: str
    kind: str
    place: str
    nodes: tuple[str, ...]
    enabled: bool


class BackupJob(Record):
    """A backup job: what it covers, when and where to."""

    name: str
    covers: str
    schedule: str
    store: str
    enabled: bool


class Survey(Record):
    """All of it. ``name`` is the cluster's, or that of a node without one.

    ``managed`` maps guests of high availability (``vm:100``) to their requested state,
    ``uncovered`` are the vmids that no backup job covers, ``templates`` those of templates.
    """

    name: str
    version: str
    nodes: tuple[NodeSeen, ...]
    guests: tuple[GuestSeen, ...]
    templates: tuple[int, ...]
    domain: Observed[str]
    stores: Observed[tuple[StoreSeen, ...]]
    backup_jobs: Observed[tuple[BackupJob, ...]]
    uncovered: Observed[tuple[int, ...]]
    managed: Observed[dict[str, str]]
