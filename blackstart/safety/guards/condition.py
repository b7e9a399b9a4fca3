"""What state the site is in: well, unlocked, and without somebody else's undo on it."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.model.drift_mark import MARK, look_for
from blackstart.model.subjects import guest_behind, mounts_asked
from blackstart.safety.guards.base import Pass, Request, Said

LOOK_S = 10.0


class Healthy:
    """The site must be well now; a guest that is ill alone is no reason to reboot its host."""

    name = "healthy"

    def refuse(self, request: Request) -> Said:
        """Refuse when a declared host, guest or mount is down, or cannot be seen."""
        ill_hosts = [
            f"{name} does not answer ({facts.boot_id.error})"
            for name, facts in request.facts.hosts.items()
            if not facts.boot_id.known
        ]
        ill_guests = list(self._ill_guests(request))
        unseen_hosts = set(request.site.inventory.nodes) - set(request.facts.hosts)
        ill_hosts += [f"{name} was not looked at" for name in sorted(unseen_hosts)]
        ill_hosts += self._ill_mounts(request)
        if ill_hosts:
            return "the site is not healthy: " + "; ".join(ill_hosts + ill_guests)
        if len(ill_guests) == 1:
            return (
                f"{ill_guests[0]}: look at that guest first (its console, its logs); "
                "rebooting the hypervisor would take down every healthy one too"
            )
        if ill_guests:
            return "the site is not healthy: " + "; ".join(ill_guests)
        return None

    def _ill_mounts(self, request: Request) -> Iterable[str]:
        for name, mount in mounts_asked(request.site.inventory).items():
            seen = request.facts.mounts.get(name)
            where = f"mount {name} ({mount.path} on {mount.host})"
            if seen is None or seen.value is None:
                yield f"{where} cannot be seen ({seen.error if seen else 'no facts'})"
            elif not seen.value:
                yield f"{where} is not mounted"
            elif not all(item.answers for item in seen.value):
                yield f"{where} does not answer"

    def _ill_guests(self, request: Request) -> Iterable[str]:
        for name, guest in request.site.inventory.guests.items():
            if not guest.running:
                continue
            facts = request.facts.guests.get(name)
            if facts is None or not facts.status.known:
                error = facts.status.error if facts is not None else "no facts"
                yield f"guest {name} cannot be seen ({error})"
            elif facts.status.value != "running":
                yield f"guest {name} is {facts.status.value}"
            elif facts.booted.value is None:
                yield (
                    f"guest {name} runs, and nobody can see whether it has booted "
                    f"({facts.booted.error or 'no answer'}); a virtual machine is seen by its "
                    "agent (qemu-guest-agent, and `agent: 1`)"
                )
            elif not facts.booted.value:
                yield f"guest {name} runs but has not booted"


class GuestsUnlocked:
    """No guest that goes down carries a lock: it would not start again (qm(1): ``lock``)."""

    name = "guest-locks"

    def refuse(self, request: Request) -> Said:
        """Refuse for a lock in the configuration of a guest in the blast radius."""
        guests = request.site.inventory.guests
        falling = [name for name in guests if name in request.falling]
        locked: list[str] = []
        for name in falling:
            facts = request.facts.guests.get(name)
            if facts is None or facts.config.value is None:
                error = facts.config.error if facts is not None else "no facts"
                return f"whether guest {name} is locked cannot be seen ({error})"
            lock = facts.config.value.get("lock")
            if lock:
                tool = "qm" if guests[name].kind == "qemu" else "pct"
                unlock = f"{tool} unlock {guests[name].vmid} on {guests[name].node}"
                locked.append(f"guest {name} is locked ({lock}): {unlock}")
        if locked:
            return f"{'; '.join(locked)}; but only when nothing works on it any more"
        return Pass(f"{len(falling)} guests looked at, none is locked")


class NoLeftovers:
    """No dead-man of another drill waits on a host that is touched: it would undo ours."""

    name = "leftovers"

    def refuse(self, request: Request) -> Said:
        """Refuse when a host that the fault or its undo touches has a dead-man's traces."""
        hosts = dict.fromkeys((*request.touched, request.plan.undo_host))
        found = [
            f"{host}: {', '.join(traces)}"
            for host in hosts
            if host is not None and (traces := request.site.deadmen.traces(host))
        ]
        if found:
            return (
                f"left by another drill on {'; '.join(found)}; "
                "run: blackstart recover, from where that drill ran"
            )
        return Pass(f"no dead-man on {', '.join(host for host in hosts if host) or 'any host'}")


class NoDrift:
    """No incident's drift is applied to the rack: what it does would be taken for the fault's."""

    name = "drift"

    def refuse(self, request: Request) -> Said:
        """Refuse while the mark of a replay is on the rack; no other site can have one."""
        inventory = request.site.inventory
        if inventory.rack is None:
            return None
        keeper = [*inventory.nodes][-1]
        seen = request.site.runner.run(keeper, look_for(MARK), timeout_s=LOOK_S)
        if not seen.ok:
            return f"whether a drift is applied cannot be seen ({keeper}: {seen.stderr.strip()})"
        if seen.stdout.strip():
            return (
                f"the drift {seen.stdout.strip()} is applied, by a replay that runs or was killed; "
                "wait for its end, or run: blackstart rack reset"
            )
        return Pass(f"no mark of a drift on {keeper}")


class NeverDownSurvives:
    """What must never go down is not wholly within the blast radius."""

    name = "never-down"

    def refuse(self, request: Request) -> Said:
        """Refuse when a fault would take every member of a group; a cold start takes all."""
        groups = request.site.inventory.never_down
        lost = [name for name, group in groups.items() if self._all_fall(request, group.any_of)]
        if not lost:
            return Pass(f"{len(groups)} declared, each keeps a member") if groups else None
        named = "; ".join(f"{name} ({', '.join(groups[name].any_of)})" for name in lost)
        if request.plan.fault == "cold-start":
            return Pass(f"a cold start takes it down on purpose: {named}")
        return (
            f"nothing would be left of what must never go down: {named}; "
            "move a member of it elsewhere, or declare another one"
        )

    def _all_fall(self, request: Request, members: Iterable[str]) -> bool:
        return all(self._falls(request, member) for member in members)

    def _falls(self, request: Request, full_name: str) -> bool:
        inventory, falling = request.site.inventory, request.falling
        if full_name in request.plan.blast_radius:
            return True
        kind, _, name = full_name.partition("/")
        if kind == "mount":
            mount = inventory.mounts[name]
            return bool({mount.host, mount.server} & falling)
        if kind == "node":
            return name in falling
        return guest_behind(inventory, full_name) in falling
