"""What the Proxmox VE API's answers mean: pure functions from its JSON to facts.

Field names and types are those of the vendor's schema (``apidoc.js`` of 9.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from blackstart.errors import Rejected
from blackstart.model.circumstances import Vitals

# Made anew by container engines and overlays inside the guest: not the guest's own address.
_INNER = re.compile(r"^(lo$|docker|br-[0-9a-f]{12}$|veth|cni|flannel|cali|kube|virbr|lxc|podman)")
_NEVER_KEPT = frozenset({"cipassword", "digest"})

Json = Mapping[str, Any]


def records(answer: object, what: str) -> list[Json]:
    """A list of objects. Raises ``Rejected`` when the answer is something else."""
    if not isinstance(answer, list) or not all(isinstance(item, Mapping) for item in answer):
        raise Rejected(f"{what}: expected a list of objects, got {type(answer).__name__}")
    return answer


def record(answer: object, what: str) -> Json:
    """One object. Raises ``Rejected`` when the answer is something else."""
    if not isinstance(answer, Mapping):
        raise Rejected(f"{what}: expected an object, got {type(answer).__name__}")
    return answer


@contextmanager
def understood(what: str) -> Iterator[None]:
    """What an answer lacks, or has of another type, is ``Rejected`` and no defect of ours.

    An agent's answer is written by whoever is root in its guest.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Rejected(f"{what}: the answer is not understood: {error!r}") from error


def node_states(resources: Iterable[Json]) -> dict[str, str]:
    """``online``, ``offline`` or ``unknown`` by node, from ``/cluster/resources``."""
    return {
        str(item["node"]): str(item.get("status", "unknown"))
        for item in resources
        if item.get("type") == "node" and "node" in item
    }


def placements(resources: Iterable[Json]) -> dict[tuple[str, int], str]:
    """The node of each guest by kind and vmid, from ``/cluster/resources``."""
    return {
        (str(item["type"]), int(item["vmid"])): str(item["node"])
        for item in resources
        if item.get("type") in ("qemu", "lxc") and "vmid" in item and "node" in item
    }


def vitals(status: Json, what: str) -> Vitals:
    """From ``status/current``; a guest that is off has neither uptime nor memory.

    Raises ``Rejected`` when a running guest shows none.
    """
    running = status.get("status") == "running"
    try:
        uptime_s, memory = float(status["uptime"]), int(status["mem"])
    except (KeyError, TypeError, ValueError) as error:
        if running:
            raise Rejected(f"{what}: a running guest without uptime or mem") from error
        uptime_s, memory = 0.0, 0
    return Vitals(running=running, uptime_s=uptime_s, memory=memory)


def config_strings(config: Json) -> dict[str, str]:
    """The configuration as text, as it stands in the guest's file.

    Left out are the cloud-init password (the API masks it; here it is not even kept) and
    ``digest``, which is of the file and not in it.
    """
    return {key: str(value) for key, value in sorted(config.items()) if key not in _NEVER_KEPT}


def starts_on_boot(config: Json) -> bool:
    """``onboot``; absent means no (qm.conf(5), pct.conf(5))."""
    return str(config.get("onboot", 0)) == "1"


def agent_interfaces(answer: object) -> dict[str, tuple[str, ...]]:
    """IPv4 addresses by MAC, from QEMU's ``agent/network-get-interfaces``."""
    outer = record(answer, "network-get-interfaces")
    return _addresses(records(outer.get("result"), "network-get-interfaces"))


def container_interfaces(answer: object) -> dict[str, tuple[str, ...]]:
    """IPv4 addresses by MAC, from ``lxc/VMID/interfaces``; a stopped container answers null."""
    return _addresses(records(answer or [], "interfaces"))


def _addresses(interfaces: Iterable[Json]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for interface in interfaces:
        mac = str(interface.get("hardware-address") or interface.get("hwaddr") or "").lower()
        if not mac or _INNER.match(str(interface.get("name", ""))):
            continue
        addresses = [
            str(item["ip-address"])
            for item in interface.get("ip-addresses") or ()
            if item.get("ip-address-type") in ("ipv4", "inet") and item.get("ip-address")
        ]
        if not addresses and interface.get("inet"):  # before 8.4 containers had only this one
            addresses = [str(interface["inet"]).split("/")[0]]
        found[mac] = tuple(sorted({*found.get(mac, ()), *addresses}))
    return found


def quorate(status: Iterable[Json]) -> bool | None:
    """Quorum from ``/cluster/status``; a node without a cluster has no one to ask: ``True``.

    ``None`` when there is neither a cluster nor a node in the answer.
    """
    entries = list(status)
    for item in entries:
        if item.get("type") == "cluster":
            return str(item.get("quorate", 0)) == "1" or item.get("quorate") is True
    return True if any(item.get("type") == "node" for item in entries) else None


def standalone(status: Iterable[Json]) -> bool | None:
    """Whether ``/cluster/status`` shows a node and no cluster; ``None`` when it shows neither."""
    kinds = {str(item.get("type")) for item in status}
    return None if not kinds & {"cluster", "node"} else "cluster" not in kinds


def online_nodes(status: Iterable[Json]) -> tuple[str, ...]:
    """Names of the nodes that are online, from ``/cluster/status``."""
    return tuple(
        sorted(
            str(item["name"])
            for item in status
            if item.get("type") == "node" and "name" in item and flag(item.get("online"))
        )
    )


def succeeded(exitstatus: str) -> bool:
    """Whether a task's exit status is a success: ``OK``, and ``WARNINGS: N`` is one as well."""
    return exitstatus == "OK" or exitstatus.startswith("WARNINGS:")


def flag(value: object) -> bool:
    """A switch of the vendor's: 1, ``"1"``, true, ``yes`` or ``on``; what is missing is off."""
    return value is True or str(value).lower() in ("1", "yes", "on", "true")


def number(value: object) -> int | None:
    """A whole number, at times given as text or as a float; ``None`` for what is none."""
    try:
        return None if value is None or isinstance(value, bool) else int(float(str(value)))
    except (ValueError, OverflowError):
        return None
