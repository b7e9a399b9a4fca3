"""What a management controller shows: the resources of DMTF DSP8010 that power drills need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from blackstart.rack.power import PowerState, RestorePolicy

ROOT = "/redfish/v1"
Resource = dict[str, Any]


class PowerSwitch(Protocol):
    """What a management controller can do to its machine (`MachinePower` does it)."""

    name: str
    restore_policy: RestorePolicy
    swallow_next: bool

    @property
    def state(self) -> PowerState:
        """Whether the machine is on."""

    async def on(self) -> None:
        """Switch on."""

    async def off(self) -> None:
        """Cut the power."""

    async def cycle(self) -> None:
        """Cut the power and switch on again."""

    async def reset(self) -> None:
        """Reset the processor."""

    async def press(self) -> None:
        """Press the power button shortly."""

    async def off_for(self, seconds: float) -> None:
        """Cut the power, and switch on by itself after ``seconds``."""


class Resources:
    """The readable resources of one machine's management controller, as they are now."""

    def __init__(self, machine: PowerSwitch, resets: Sequence[str]) -> None:
        self._machine = machine
        self._resets = resets
        self.system_path = f"{ROOT}/Systems/{machine.name}"
        self.manager_path = f"{ROOT}/Managers/BMC"

    def resources(self) -> dict[str, Resource]:
        """Every resource, by its path."""
        systems, managers = f"{ROOT}/Systems", f"{ROOT}/Managers"
        return {
            "/redfish": {"v1": f"{ROOT}/"},
            ROOT: _root(),
            systems: _collection("ComputerSystem", systems, self.system_path),
            self.system_path: self.system(),
            managers: _collection("Manager", managers, self.manager_path),
            self.manager_path: self.manager(),
        }

    def system(self) -> Resource:
        """The machine as its management controller sees it."""
        actions = f"{self.system_path}/Actions"
        return {
            "@odata.id": self.system_path,
            "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem",
            "Id": self._machine.name,
            "Name": self._machine.name,
            "SystemType": "Virtual",
            "PowerState": self._machine.state,
            "PowerRestorePolicy": self._machine.restore_policy,
            "Status": {"State": "Enabled", "Health": "OK"},
            "Links": {"ManagedBy": [{"@odata.id": self.manager_path}]},
            "Actions": {
                "#ComputerSystem.Reset": {
                    "target": f"{actions}/ComputerSystem.Reset",
                    "ResetType@Redfish.AllowableValues": list(self._resets),
                },
                "Oem": {
                    "#Blackstart.TimedPowerOn": {
                        "target": f"{actions}/Oem/Blackstart.TimedPowerOn",
                    },
                },
            },
        }

    def manager(self) -> Resource:
        """The management controller itself."""
        return {
            "@odata.id": self.manager_path,
            "@odata.type": "#Manager.v1_19_0.Manager",
            "Id": "BMC",
            "Name": f"Management controller of {self._machine.name}",
            "ManagerType": "BMC",
            "PowerState": "On",
            "Status": {"State": "Enabled", "Health": "OK"},
            "Links": {"ManagerForServers": [{"@odata.id": self.system_path}]},
            "Actions": {
                "Oem": {
                    "#Blackstart.SwallowNextPowerCommand": {
                        "target": f"{self.manager_path}/Actions/Oem"
                        "/Blackstart.SwallowNextPowerCommand",
                    },
                },
            },
        }


def _root() -> Resource:
    return {
        "@odata.id": f"{ROOT}/",
        "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot",
        "Id": "RootService",
        "Name": "Root Service",
        "RedfishVersion": "1.17.0",
        "Product": "blackstart rack",
        "Vendor": "blackstart",
        "Systems": {"@odata.id": f"{ROOT}/Systems"},
        "Managers": {"@odata.id": f"{ROOT}/Managers"},
        "Links": {},
    }


def _collection(kind: str, path: str, member: str) -> Resource:
    return {
        "@odata.id": path,
        "@odata.type": f"#{kind}Collection.{kind}Collection",
        "Name": f"{kind} Collection",
        "Members@odata.count": 1,
        "Members": [{"@odata.id": member}],
    }
