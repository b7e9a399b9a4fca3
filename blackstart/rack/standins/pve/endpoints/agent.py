"""The guest's own view of itself: the QEMU guest agent, and LXC's interfaces."""

from __future__ import annotations

from typing import Any

from ..guestnetwork import agent_interfaces, container_interfaces, require_agent
from ..parameters import NODE, VMID
from ..power import vitals_of
from ..routing import Call, Endpoint, Permission
from .guests import called_guest

_GUEST = {"node": NODE, "vmid": VMID}
_AGENT = Permission("/vms/{vmid}", ("VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"))
_AUDIT = Permission("/vms/{vmid}", ("VM.Audit",))


def _ping(call: Call) -> dict[str, Any]:
    require_agent(call.node, called_guest("qemu", call))
    return {"result": {}}


def _interfaces(call: Call) -> dict[str, Any]:
    guest = called_guest("qemu", call)
    require_agent(call.node, guest)
    return {"result": agent_interfaces(call.node.runtime.interfaces(guest.vmid))}


def _container_interfaces(call: Call) -> list[dict[str, Any]] | None:
    guest = called_guest("lxc", call)
    call.node.guests.config(guest)
    if not vitals_of(call.node, guest).running:
        return None
    return container_interfaces(call.node.runtime.interfaces(guest.vmid))


_QEMU = "/nodes/{node}/qemu/{vmid}/agent"
ENDPOINTS = (
    Endpoint("POST", f"{_QEMU}/ping", _ping, _GUEST, _AGENT),
    Endpoint("GET", f"{_QEMU}/network-get-interfaces", _interfaces, _GUEST, _AGENT),
    Endpoint("GET", "/nodes/{node}/lxc/{vmid}/interfaces", _container_interfaces, _GUEST, _AUDIT),
)
