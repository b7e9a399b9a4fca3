"""Restart a service of a node or guest: does everybody who needs it find it again?

The proof is the unit's invocation id (systemd.exec(5): new at every start): a restart that
was accepted and did nothing leaves it as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected
from blackstart.faults.base import Plan, Proof, Reversibility
from blackstart.faults.on_host import LOOK_TIMEOUT_S, HostFault
from blackstart.model.changes import Change, RestartUnit
from blackstart.model.inventory import FaultName

DHCP = ("maas-dhcpd.service", "isc-dhcp-server.service", "kea-dhcp4-server.service")
DNS = ("named.service", "bind9.service")
MAAS = ("snap.maas.pebble.service", "snap.maas.supervisor.service", "maas-regiond.service")
DOCKER = ("docker.service", "snap.docker.dockerd.service")
COROSYNC = ("corosync.service",)
LIBVIRT = ("virtqemud.service", "libvirtd.service")
"""Names of one service over products and years, the newest first. From MAAS 3 on a snap has
one unit for all of MAAS, its DHCP and DNS parts included (``snap.maas.pebble``)."""

BITE_S = 90.0
"""Stopping may take as long as ``DefaultTimeoutStopSec`` (systemd-system.conf(5))."""


@dataclass(frozen=True)
class ServiceRestart(HostFault):
    """Restart the first of ``units`` that is active on ``target``."""

    target: str
    units: tuple[str, ...]
    name: FaultName = "service-restart"
    reversibility: Reversibility = field(default=Reversibility.SELF_HEALING, init=False)

    def changes(self, site: Site) -> tuple[Change, ...]:
        """One restart. Raises ``Rejected`` when none of the units is active."""
        return (RestartUnit(unit=first_active(site, self.target, self.units)),)

    def blast_radius(self, site: Site) -> tuple[str, ...]:
        """What the target serves; the target itself stays up."""
        return (self.target,)

    def prior(self, site: Site) -> Mapping[str, Any]:
        """The unit and its invocation."""
        unit = first_active(site, self.target, self.units)
        return {"unit": unit, "invocation": invocation(site, self.target, unit)}

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """Another invocation id, within 90 s."""
        unit, before = str(plan.prior["unit"]), str(plan.prior["invocation"])
        last = "no answer"

        def look() -> Proof | None:
            nonlocal last
            try:
                now = invocation(site, self.target, unit)
            except DriverError as error:
                site.runner.forget(self.target)
                last = str(error)
                return None
            last = f"{unit} still has the invocation {before}"
            return None if now == before else Proof(True, f"{unit}: {before} became {now}")

        proof = wait_for(site.clock, look, bound_s=BITE_S)
        return proof or Proof(False, f"{self.target}: not restarted within {BITE_S:.0f} s: {last}")


def first_active(site: Site, host: str, units: tuple[str, ...]) -> str:
    """The first unit that is active on a host. Raises ``Rejected`` when none is."""
    for unit in units:
        active = RestartUnit(unit=unit).possible()
        if site.runner.run(host, active, timeout_s=LOOK_TIMEOUT_S).ok:
            return unit
    raise Rejected(f"{host}: none of these is active: {', '.join(units)}")


def invocation(site: Site, host: str, unit: str) -> str:
    """The id of a unit's last start. Raises ``Rejected`` while it has none."""
    command = f"systemctl show --property=InvocationID --value '{unit}'"
    result = site.runner.run(host, command, timeout_s=LOOK_TIMEOUT_S)
    found = result.stdout.strip()
    if not result.ok or not found:
        raise Rejected(f"{host}: {unit} shows no invocation id: {result.stderr.strip()}")
    return found


def restart_service(host: str, *units: str) -> ServiceRestart:
    """Restart a service on a node or guest: the first of ``units`` that is active there."""
    if not units:
        raise ValueError("name at least one unit, such as docker.service")
    return ServiceRestart(host, units)
