"""Contacts of the doctor that a test chooses, and a site for them."""

from __future__ import annotations

from typing import Any

from blackstart.doctor.contacts import Contacts
from blackstart.drivers.base import CommandRunner
from blackstart.drivers.ssh import SshRunner
from blackstart.errors import DriverError
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Observed
from blackstart.model.reach import Reach

MAC = {"vmid": 101, "kind": "qemu", "node": "pve1", "mac": "bc:24:11:00:00:01"}


def declared(**parts: Any) -> Inventory:
    """A site with one node, and what a test adds."""
    node = {"address": "127.0.0.1", "api": "proxmox"}
    proxmox = {"token": "env:PVE_TOKEN"}
    whole = {"site": "lab", "domain": "lab.test", "proxmox": proxmox, "nodes": {"pve1": node}}
    return Inventory.model_validate({**whole, **parts})


class NoPower:
    """No management controller anywhere, or one that answers as told."""

    def __init__(self, told: str | DriverError | None = None) -> None:
        self._told = told

    def supports(self, host: str) -> bool:
        return self._told is not None

    def state(self, host: str) -> Any:
        if isinstance(self._told, DriverError):
            raise self._told
        return self._told


class Names:
    """A name server that answers as told."""

    def __init__(self, answer: Observed[tuple[str, ...]] | None = None) -> None:
        self._answer = answer
        self.asked: list[tuple[str, str]] = []

    def ask(self, at: str, name: str) -> Observed[tuple[str, ...]]:
        self.asked.append((at, name))
        assert self._answer is not None
        return self._answer

    def pointers(self, at: str, address: str) -> Observed[tuple[str, ...]]:
        raise AssertionError("nobody asks for pointers")


def contacts(inventory: Inventory, runner: CommandRunner | None = None, **parts: Any) -> Contacts:
    """Contacts that a test chooses; the others are not there."""
    told: Any = {"power": NoPower(), "names": Names(), "proxmox": None, "maas": None, "k3s": None}
    return Contacts(inventory=inventory, runner=runner or SshRunner({}), **{**told, **parts})


def only(found: tuple[Reach, ...]) -> Reach:
    (one,) = found
    return one
