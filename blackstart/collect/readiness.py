"""``Readiness`` of a site: everything that only checks ask, side by side and bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from blackstart.collect.configuration_copy import look_at_copy
from blackstart.collect.host_files import look_at_files
from blackstart.drivers.base import CommandRunner, PowerControl
from blackstart.drivers.bounded import gather
from blackstart.drivers.triage import Triage
from blackstart.errors import DriverError, Rejected
from blackstart.model.guest_volumes import opened
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Observed
from blackstart.model.proxmox_facts import ProxmoxFacts, nothing_of
from blackstart.model.readiness import ControllerFacts, HostFiles, Readiness

WORKERS = 16
GATHER_S = 42.0
GRACE_S = 1.0
FILES_S = 15.0


@dataclass(frozen=True, slots=True)
class ReadinessCollector:
    """Asks the API, the controllers and the hosts; ``proxmox`` where there is one."""

    inventory: Inventory
    runner: CommandRunner
    power: PowerControl
    proxmox: Callable[[], ProxmoxFacts] | None = None
    triage: Triage = field(default_factory=Triage)

    def __call__(self) -> Readiness:
        """All of it now; what does not answer is an error in its facts."""
        calls: dict[str, Callable[[], Any]] = {}
        if self.proxmox is not None:
            calls["proxmox"] = self.proxmox
        declared = self.inventory.backups.etc_pve
        if declared is not None:
            calls["copy"] = partial(look_at_copy, self.runner, declared)
        hosts = [name for name in self.inventory.nodes if self.power.supports(name)]
        calls |= {f"controller {host}": partial(self._controller, host) for host in hosts}
        bound_s = self.triage.bound(GATHER_S) + GRACE_S
        found: dict[str, Any] = dict(gather(calls, workers=WORKERS, timeout_s=bound_s))
        late = {
            key: str(answer) for key, answer in found.items() if isinstance(answer, DriverError)
        }
        proxmox = found.get("proxmox")
        if "proxmox" in late:
            proxmox = nothing_of("the token", 0.0, "api", late["proxmox"])
        return Readiness(
            proxmox=proxmox,
            controllers={
                host: _silent(host, late[key]) if key in late else found[key]
                for host in hosts
                for key in [f"controller {host}"]
            },
            configuration_copy=Observed(source="ssh", error=late["copy"])
            if "copy" in late
            else found.get("copy"),
            files=self._files(proxmox) if proxmox is not None and proxmox.guests.known else {},
        )

    def _controller(self, host: str) -> ControllerFacts:
        source = f"redfish {host}"
        try:
            state = self.power.state(host)
            answers = Observed(source=f"{source}: power is {state}", value=True)
        except Rejected as error:
            answers = Observed(source=f"{source}: {error}", value=False)
        except DriverError as error:
            return _silent(host, str(error))
        try:
            policy = Observed(source=source, value=self.power.restore_policy(host))
        except DriverError as error:
            policy = Observed(source=source, error=str(error))
        return ControllerFacts(answers=answers, restore_policy=policy)

    def _files(self, proxmox: ProxmoxFacts) -> dict[str, Observed[HostFiles]]:
        wanted: dict[str, set[str]] = {
            name: set() for name, node in self.inventory.nodes.items() if node.api == "proxmox"
        }
        for row in proxmox.guests.value or ():
            plan = proxmox.plans.get(row.path)
            config = plan.config.value if plan else None
            if row.node in wanted:
                wanted[row.node] |= {it.volid for it in opened(config or {}) if it.is_path}
        asked = gather(
            {
                host: partial(look_at_files, self.runner, host, paths)
                for host, paths in wanted.items()
            },
            workers=WORKERS,
            timeout_s=self.triage.bound(FILES_S),
        )
        return {
            host: Observed(source=f"ssh {host}", error=str(answer))
            if isinstance(answer, DriverError)
            else answer
            for host, answer in asked.items()
        }


def _silent(host: str, why: str) -> ControllerFacts:
    source = f"redfish {host}"
    return ControllerFacts(
        answers=Observed(source=source, error=why),
        restore_policy=Observed(source=source, error=why),
    )
