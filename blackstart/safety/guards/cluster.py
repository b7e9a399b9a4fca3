"""What the rest of the cluster would do: keep its quorum, take guests in, fence."""

from __future__ import annotations

from blackstart.model.circumstances import HighAvailability, Managed, Memory
from blackstart.model.facts import ClusterFacts
from blackstart.model.inventory import FaultName
from blackstart.safety.guards.base import Pass, Request, Said, unseen

# A node that shuts down in order closes its watchdog; what a guest or a share does is no
# matter of the node's. Every other fault, and one that is not known here, may fence.
CANNOT_FENCE: frozenset[FaultName] = frozenset(
    {
        *("reboot", "nas-stop", "nas-block", "nas-stale"),
        *("guest-stop", "guest-reboot", "lease-renewal"),
    }
)
STAYS = frozenset({"stopped", "disabled", "ignored", "error"})
"""States of managed guests that are not started elsewhere (ha-manager(1))."""
GIB = 1 << 30


class QuorumSurvives:
    """Taking hypervisors away must not cost the others their quorum."""

    name = "quorum"

    def refuse(self, request: Request) -> Said:
        """Refuse when the cluster is not quorate, or a node is away already."""
        nodes = request.site.inventory.nodes
        members = {name for name, node in nodes.items() if node.api == "proxmox"}
        lost = set(request.members_down)
        if len(members) < 2 or not lost:
            return None
        if request.plan.fault == "cold-start":
            return None  # there is no survivor whose quorum could be lost
        return self._of(request.facts.cluster, members, lost)

    def _of(self, cluster: ClusterFacts | None, members: set[str], lost: set[str]) -> Said:
        if cluster is None:
            return "whether the cluster has quorum cannot be seen"
        for seen in (cluster.quorate, cluster.online):
            if not seen.known:
                return unseen("whether the cluster has quorum", seen)
        if not cluster.quorate.value:
            return "the cluster has no quorum now"
        away = members - set(cluster.online.value or ())
        if away:
            return f"{', '.join(sorted(away))} is away already"
        return self._votes(cluster, lost)

    def _votes(self, cluster: ClusterFacts, lost: set[str]) -> Said:
        if not cluster.votes.known or not cluster.quorum.known:
            return f"the cluster's votes cannot be seen ({cluster.votes.error})"
        left, needed = (cluster.votes.value or 0) - len(lost), cluster.quorum.value or 0
        if left >= needed:
            return Pass(f"{left} votes stay and {needed} are needed")
        return (
            f"{left} votes would be left without {', '.join(sorted(lost))} and {needed} are "
            "needed; add a quorum device or another node"
        )


class SurvivorsHaveMemory:
    """Guests that start elsewhere when their node is lost find memory there."""

    name = "survivor-memory"

    def refuse(self, request: Request) -> Said:
        """Refuse when a guest that would fail over fits on no surviving node."""
        down = set(request.members_down)
        if not down:
            return Pass("no Proxmox node goes down")
        ha = request.site.cluster.high_availability()
        if ha.value is None:
            return unseen("which guests fail over", ha)
        moving = tuple(
            item for item in ha.value.managed if item.node in down and item.state not in STAYS
        )
        if not moving:
            return Pass("no guest fails over")
        if request.plan.fault == "cold-start":
            return Pass("no node is left to fail over to")
        memory = request.site.cluster.memory()
        if memory.value is None:
            return unseen("memory of the surviving nodes", memory)
        return self._fit(moving, memory.value, down)

    def _fit(self, moving: tuple[Managed, ...], memory: Memory, down: set[str]) -> Said:
        """The largest first, each onto the node with most left: what a scheduler does at best."""
        unknown = [item.sid for item in moving if item.sid not in memory.guests]
        if unknown:
            return f"how much memory {', '.join(unknown)} may take cannot be seen (VM.Audit)"
        free = {node: it.free for node, it in memory.nodes.items() if node not in down}
        for item in sorted(moving, key=lambda item: -memory.guests[item.sid]):
            needed = memory.guests[item.sid]
            best = max(free, key=lambda node: free[node], default=None)
            if best is None or free[best] < needed:
                left = f"{best} has {free[best] / GIB:.1f}" if best else "no node has any"
                return (
                    f"{item.sid} would fail over with {needed / GIB:.1f} GiB and {left} GiB left; "
                    "stop something there, or take the guest out of HA for the drill"
                )
            free[best] -= needed
        return Pass(f"{len(moving)} guests fail over and fit")


class NotFenced:
    """High availability does not answer our fault by fencing: a node that resets itself."""

    name = "ha-fencing"

    def refuse(self, request: Request) -> Said:
        """Refuse a fault that may fence while guests are managed and the node is not spared."""
        nodes, plan = request.site.inventory.nodes, request.plan
        hit = {name for name in request.touched if nodes[name].api == "proxmox"}
        if plan.fault in CANNOT_FENCE or not hit:
            return Pass(f"{plan.fault} of {plan.target} fences nobody")
        ha = request.site.cluster.high_availability()
        if ha.value is None:
            return unseen("whether high availability is armed", ha)
        return self._of(ha.value, hit, plan.fault)

    def _of(self, ha: HighAvailability, hit: set[str], fault: FaultName) -> Said:
        if not ha.managed:
            return Pass("high availability manages no guest")
        if ha.disarmed:
            return Pass("high availability is disarmed")
        spared = set(ha.maintenance)
        if hit <= spared:
            return Pass(f"{', '.join(sorted(hit))} in maintenance")
        node = min(hit - spared)
        return (
            f"high availability manages {len(ha.managed)} guests and is armed: it may answer "
            f"{fault} by fencing {node}; run: ha-manager crm-command node-maintenance "
            f"enable {node}, and disable it afterwards"
        )
