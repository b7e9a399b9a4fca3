"""The drivers of everything that an inventory names, each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blackstart.drivers.base import CommandRunner, K3sApi, NameLookup, PowerControl
from blackstart.drivers.maas_api import MaasApi
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.model.inventory import Inventory


@dataclass(frozen=True, slots=True)
class ProxmoxContact:
    """The API of each node alone, and of whichever answers for the cluster."""

    apis: Mapping[str, ProxmoxApi]
    cluster: ProxmoxApi


@dataclass(frozen=True, slots=True)
class Contacts:
    """What is not declared is not there."""

    inventory: Inventory
    runner: CommandRunner
    power: PowerControl
    names: NameLookup
    proxmox: ProxmoxContact | None
    maas: MaasApi | None
    k3s: K3sApi | None
