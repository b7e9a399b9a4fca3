"""What a guest's configuration at the hypervisor says of the address of one of its cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from blackstart.model.observed import Record

_CARD = re.compile(r"net([0-9]+)")
_MAC = re.compile(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")


class Configured(Record):
    """How a card gets its IPv4 address: ``static`` has it here, ``dhcp`` asks for it.

    ``inside`` says that the guest alone knows: no cloud-init, or ``ip=manual``. ``key`` is the
    entry that says so, ``None`` when no card of the guest has the MAC.
    """

    mode: Literal["static", "dhcp", "inside", "no such card"]
    address: str | None = None
    key: str | None = None


def configured(kind: Literal["qemu", "lxc"], config: Mapping[str, str], mac: str) -> Configured:
    """The card with this MAC, from a configuration as the Proxmox VE API gives it.

    ``ipconfigN`` of cloud-init belongs to ``netN``, and without one cloud-init asks DHCP
    (qm(1), Cloud-Init); a container has both in ``netN`` (pct.conf(5)).
    """
    for key, value in config.items():
        found = _CARD.fullmatch(key)
        if found is None or mac not in map(str.lower, _properties(value).values()):
            continue
        if kind == "lxc":
            return _from(_properties(value).get("ip"), key)
        cloud = f"ipconfig{found[1]}"
        if cloud in config:
            return _from(_properties(config[cloud]).get("ip"), cloud)
        drives = any("cloudinit" in text for name, text in config.items() if name != "name")
        return Configured(mode="dhcp" if drives else "inside", key=key)
    return Configured(mode="no such card")


def cards(config: Mapping[str, str]) -> tuple[str, ...]:
    """MACs of all cards, in the order of their numbers, in lower case."""
    found: dict[int, str] = {}
    for key, value in config.items():
        card = _CARD.fullmatch(key)
        macs = [text.lower() for text in _properties(value).values() if _MAC.fullmatch(text)]
        if card and macs:
            found[int(card[1])] = macs[0]
    return tuple(found[number] for number in sorted(found))


def bridged(config: Mapping[str, str]) -> dict[str, tuple[str, int | None]]:
    """The bridge of each card and the VLAN that it is tagged with there (``tag=``)."""
    found = {}
    for key, value in sorted(config.items()):
        parts = _properties(value)
        if _CARD.fullmatch(key) and "bridge" in parts:
            tag = parts.get("tag", "")
            found[key] = (parts["bridge"], int(tag) if tag.isdigit() else None)
    return found


def _properties(text: str) -> dict[str, str]:
    """``virtio=BC:24:…,bridge=vmbr0``, by key."""
    pairs = (part.partition("=") for part in text.split(","))
    return {key: value for key, _, value in pairs}


def _from(ip: str | None, key: str) -> Configured:
    if ip == "dhcp":
        return Configured(mode="dhcp", key=key)
    if ip is None or not ip[:1].isdigit():
        return Configured(mode="inside", key=key)
    return Configured(mode="static", address=ip.partition("/")[0], key=key)
