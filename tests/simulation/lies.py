"""What a world can do wrong: each is something a real system once did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Interval = tuple[float, float]
"""From and until, in seconds since the world began."""


@dataclass
class Lies:
    """What this world does wrong; nothing, by default. Times in seconds since it began.

    ``swallowed``: kinds of changes that are accepted and do nothing; ``undo_fails``: kinds
    of actions, and how often each fails first; ``undo_swallowed``: those that report success
    and do nothing; ``partitions``: hosts that live on and that the harness cannot reach;
    ``mute_ssh``: hosts that answer ping and not ssh; ``node_moves``: nodes that come back
    with another address; ``wall_jumps``: (when, by how much); ``suspended``: (when, for how
    long) the harness's machine sleeps; ``deadman_idle``: dead-men that undo nothing;
    ``back_on_by``: ``timer``, ``command`` or ``nothing`` by controller; ``forgets_timer``:
    controllers that switch off and not on again; ``swallows``: those that do nothing;
    ``no_redeploy``: a site that does not redeploy lost containers at boot; ``blind``: subjects
    that nobody probes; ``maas_refuses``: reasons for which MAAS gives no fact, and when;
    ``gives_no_lease``: DHCP servers that from then on offer and acknowledge nothing;
    ``watched``: units that somebody starts again soon after they were stopped; ``purged``:
    guests whose host entry the next start of DHCP loses, and the address they get then;
    ``no_lease``: guests to whom DHCP gives nothing any more; ``import_kills``: an import of
    images for which the hypervisor has too little memory.
    """

    power_swallowed: bool = False
    swallows: frozenset[str] = frozenset()
    """Machines whose controller answers a cut for a time and does nothing."""
    forgets_timer: frozenset[str] = frozenset()
    """Machines whose controller cuts for a time and never switches on again."""
    back_on_by: dict[str, str] = field(default_factory=dict)
    """A machine's witness, ``timer`` unless named: ``command`` or ``nothing``."""
    reboot_swallowed: bool = False
    reboot_refused: bool = False
    never_returns: frozenset[str] = frozenset()
    never_answers: frozenset[str] = frozenset()
    moves: dict[str, str] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    never_settles: bool = False
    sentinel: str = "as it was"
    controller_state: str = "on"
    quorate: bool = True
    votes: int = 3
    not_onboot: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    config: dict[str, str] = field(default_factory=dict)
    swallowed: frozenset[str] = frozenset()
    undo_fails: dict[str, int] = field(default_factory=dict)
    undo_swallowed: frozenset[str] = frozenset()
    stays_down: frozenset[str] = frozenset()
    partitions: dict[str, Interval] = field(default_factory=dict)
    mute_ssh: dict[str, Interval] = field(default_factory=dict)
    node_moves: dict[str, str] = field(default_factory=dict)
    wall_jumps: tuple[tuple[float, float], ...] = ()
    suspended: tuple[float, float] | None = None
    guests_die: dict[str, float] = field(default_factory=dict)
    arm_refused: bool = False
    arm_swallowed: bool = False
    deadman_idle: bool = False
    no_redeploy: bool = False
    blind: frozenset[str] = frozenset()
    maas_refuses: dict[str, Interval] = field(default_factory=dict)
    gives_no_lease: dict[str, float] = field(default_factory=dict)
    watched: frozenset[str] = frozenset()
    guest_reboot_swallowed: bool = False
    guest_reboot_fails: bool = False
    purged: dict[str, str] = field(default_factory=dict)
    no_lease: frozenset[str] = frozenset()
    import_swallowed: bool = False
    import_kills: bool = False

    @classmethod
    def told(cls, document: Mapping[str, Any]) -> Lies:
        """From plain data, as a case's ``world.yaml`` has it. Raises ``ValueError``."""
        known = {item.name: item for item in fields(cls)}
        given: dict[str, Any] = {}
        for name, value in document.items():
            if name not in known:
                raise ValueError(f"no world can do {name!r}; known: {', '.join(sorted(known))}")
            is_set = isinstance(value, list) and "frozenset" in str(known[name].type)
            given[name] = frozenset(value) if is_set else value
        return cls(**given)
