"""Memory runs short on a hypervisor or in a guest: until the kernel kills a guest, or a share.

An owner's DHCP server went down because its hypervisor had no memory left and the kernel chose
the biggest process, a whole virtual machine. So the first fault goes on until the kernel's OOM
killer has taken a *guest*, and its own record of that is the proof; that our own writer was
killed would prove nothing. The second holds a share of memory for a time and kills nobody.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected
from blackstart.faults.base import Plan, Proof, by_hand
from blackstart.faults.memory_look import (
    LOOK_TIMEOUT_S,
    Kill,
    look_at_kernel,
    look_at_memory,
    require_protected_sshd,
    starts_of_running,
)
from blackstart.faults.on_host import HostFault
from blackstart.model.changes import FILL_BOUND_S, Change, FillMemory
from blackstart.model.inventory import FaultName
from blackstart.model.undo import StartGuest

NAME = "memory"
BITE_BASE_S = 240.0
UNHEARD_S = 90.0
"""The kernel tries for long to go on before it kills: a hypervisor heard nobody for 37 s."""
SLOWEST_FILL_MIB_S = 64.0
"""Together the bound on filling: an emulated machine took 107 s for 1.5 GiB and the kill."""
LEAST_SEEN = 0.8
"""Of what is held, so much must be missing from MemAvailable: other processes go on meanwhile."""


class _Filling(HostFault):
    """What both have in common: a tmpfs of so many MiB, and an sshd that must survive it."""

    @abstractmethod
    def mib(self, site: Site) -> int:
        """How much to write. Raises ``DriverError``."""

    def changes(self, site: Site) -> tuple[Change, ...]:
        """One tmpfs and its writer."""
        require_protected_sshd(site, self.target)
        return (FillMemory(name=NAME, mib=self.mib(site)),)

    def plan(self, site: Site) -> Plan:
        """As for every fault on a host; swap, which is filled as well and slowly, is noted.

        Raises ``Rejected`` when the OOM killer might take the host's sshd.
        """
        plan = super().plan(site)
        swap = look_at_memory(site, self.target).swap_mib
        if not swap:
            return plan
        note = f"# {self.target} has {swap} MiB of free swap: filled as well, and all is slow then"
        parameters = {**plan.parameters, "swap_mib": swap}
        return replace(plan, parameters=parameters, rescue=(*plan.rescue, note))


@dataclass(frozen=True)
class MemoryUntilOom(_Filling):
    """Fill a hypervisor until its kernel kills a guest."""

    target: str
    name: FaultName = "memory"

    def mib(self, site: Site) -> int:
        """All of it: the kernel acts before that is reached."""
        memory = look_at_memory(site, self.target)
        return memory.total_mib + memory.swap_mib

    def blast_radius(self, site: Site) -> tuple[str, ...]:
        """Whom the kernel chooses is not known before: any guest."""
        return (self.target, *site.inventory.guests_of(self.target))

    def prior(self, site: Site) -> Mapping[str, Any]:
        """The boot, and the kernel's last record before the fault."""
        kernel = look_at_kernel(site, self.target)
        return {"boot_id": kernel.boot_id, "newest": kernel.newest}

    def plan(self, site: Site) -> Plan:
        """The undo ends the writer, frees the memory and starts the guests that ran before.

        Such a guest has not come back by itself, and the plan says who starts it.
        Raises ``Rejected`` when no guest runs: nobody could be killed.
        """
        plan = super().plan(site)
        starts = starts_of_running(site, self.target)
        by_person = (by_hand(site.inventory, self.target, start.command()) for start in starts)
        return replace(
            plan,
            undo=(*plan.undo, *starts),
            rescue=(*plan.rescue, *by_person),
            parameters={**plan.parameters, "started_by": "the harness, not by themselves"},
            unheard_s=UNHEARD_S,
        )

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """The kernel's own OOM record, newer than the plan, names a guest, and that is down."""
        (fill,) = plan.parameters["changes"]
        bound_s = _bound_s(int(fill["mib"]))
        last = f"the kernel of {self.target} killed nothing within {bound_s:.0f} s"

        def look() -> Proof | None:
            nonlocal last
            try:
                kernel = look_at_kernel(site, self.target)
                if kernel.boot_id != plan.prior["boot_id"]:
                    return Proof(False, f"{self.target} has booted anew")
                kills = [kill for kill in kernel.kills if kill.number > plan.prior["newest"]]
                taken = [kill for kill in kills if self._is_down(site, plan, kill)]
            except DriverError as error:  # short of memory, it may answer late
                site.runner.forget(self.target)
                last = f"{self.target} does not answer: {error}"
                return None
            if kills and not taken:
                last = f"the kernel of {self.target} killed {kills[0].task}, and no guest is down"
            return self._proof(site, taken) if taken else None

        return wait_for(site.clock, look, bound_s=bound_s) or Proof(False, last)

    def _is_down(self, site: Site, plan: Plan, kill: Kill) -> bool:
        """A container may lose one process and live on; only a guest that is down counts."""
        for start in plan.undo:
            if isinstance(start, StartGuest) and start.vmid == kill.vmid:
                status = f"{start.tool} status {start.vmid}"
                result = site.runner.run(self.target, status, timeout_s=LOOK_TIMEOUT_S)
                return result.ok and "status: stopped" in result.stdout
        return False

    def _proof(self, site: Site, taken: list[Kill]) -> Proof:
        names = {guest.vmid: name for name, guest in site.inventory.guests.items()}
        vmids = dict.fromkeys(kill.vmid for kill in taken if kill.vmid is not None)
        guests = ", ".join(names.get(vmid, f"guest {vmid}") for vmid in vmids)
        return Proof(
            True,
            f"the kernel of {self.target} killed {guests}, down until the harness starts it: "
            f"{taken[0].line}",
        )


@dataclass(frozen=True)
class MemoryShare(_Filling):
    """Raise the memory in use on ``target`` to a share (0 to 1) of all it has, and hold it."""

    target: str
    share: float
    name: FaultName = "memory"

    def mib(self, site: Site) -> int:
        """What is missing to the share. Raises ``Rejected`` when it is in use already."""
        memory = look_at_memory(site, self.target)
        used_mib = memory.total_mib - memory.available_mib
        missing = round(self.share * memory.total_mib) - used_mib
        if missing < 1:
            raise Rejected(
                f"{self.target}: {used_mib} of {memory.total_mib} MiB are in use already, "
                f"{self.share:.0%} or more"
            )
        return missing

    def blast_radius(self, site: Site) -> tuple[str, ...]:
        """Nothing goes down; the target gets slow."""
        return (self.target,)

    def prior(self, site: Site) -> Mapping[str, Any]:
        """What was available."""
        return {"available_mib": look_at_memory(site, self.target).available_mib}

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """MemAvailable has fallen by about as much as is held, within the bound."""
        (fill,) = plan.parameters["changes"]
        held_mib, before_mib = int(fill["mib"]), int(plan.prior["available_mib"])
        last = "no answer"

        def look() -> Proof | None:
            nonlocal last
            try:
                now_mib = look_at_memory(site, self.target).available_mib
            except DriverError as error:
                site.runner.forget(self.target)
                last = str(error)
                return None
            fell_mib = before_mib - now_mib
            last = f"of {held_mib} MiB that should be held, {fell_mib} are missing"
            said = (
                f"{self.target}: {before_mib} MiB were available, {now_mib} are; {self.share:.0%}"
            )
            return Proof(True, f"{said} in use") if fell_mib >= LEAST_SEEN * held_mib else None

        proof = wait_for(site.clock, look, bound_s=_bound_s(held_mib))
        return proof or Proof(False, f"{self.target}: {last}")


def _bound_s(mib: int) -> float:
    return min(BITE_BASE_S + mib / SLOWEST_FILL_MIB_S, float(FILL_BOUND_S))


def memory_until_oom(node: str) -> MemoryUntilOom:
    """Fill a hypervisor until the kernel kills one of its guests."""
    return MemoryUntilOom(node)


def memory_share(host: str, share: str) -> MemoryShare:
    """Hold ``share`` (as ``"80%"``) of a host's or guest's memory in use.

    Raises ``ValueError`` for a share that is none from 1% to 95%: what is left is for sshd.
    """
    match = re.fullmatch(r"(\d{1,2})%", share)
    if match is None or not 1 <= int(match[1]) <= 95:
        raise ValueError(f"{share!r} is no share; write it as 80%, from 1% to 95%")
    return MemoryShare(host, int(match[1]) / 100)
