"""A guest's configuration: reading it, changing it, and what waits for the next start."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..configchange import Change, change_config, require_privileges
from ..configkeys import KEYS, GuestKind
from ..errors import Died
from ..parameters import BOOLEAN, NODE, STRING, VMID, Parameter
from ..routing import Call, Endpoint, Permission
from ..tasks import Task
from .guests import called_guest

_AUDIT = Permission("/vms/{vmid}", ("VM.Audit",))
_ASPECTS: dict[GuestKind, tuple[str, ...]] = {
    "qemu": ("Disk", "CDROM", "CPU", "Memory", "Network", "HWType", "Options", "Cloudinit"),
    "lxc": ("Disk", "CPU", "Memory", "Network", "Options"),
}
_GUEST = {"node": NODE, "vmid": VMID}
_REQUEST = {"delete": STRING, "digest": STRING, "revert": STRING}
_QEMU_REQUEST = {
    "force": Parameter("boolean", optional=True, requires="delete"),
    "skiplock": BOOLEAN,
}


def _read(kind: GuestKind, call: Call) -> dict[str, Any]:
    snapshot = call.text("snapshot")
    config = call.node.guests.config(called_guest(kind, call))
    if snapshot:
        raise Died(f"snapshot '{snapshot}' does not exist")
    shown = config if call.flag("current") else config.with_pending_applied()
    return config.typed(shown.values) | {"digest": config.digest}


def _pending(kind: GuestKind, call: Call) -> list[dict[str, Any]]:
    config = call.node.guests.config(called_guest(kind, call))
    values = config.typed(config.values) | {"digest": config.digest}
    waiting = {key: text for key, text in config.pending.items() if key != "delete"}
    rows: dict[str, dict[str, Any]] = {k: {"key": k, "value": v} for k, v in values.items()}
    for key, value in config.typed(waiting).items():
        rows.setdefault(key, {"key": key})["pending"] = value
    for key in config.deletions:
        rows.setdefault(key, {"key": key})["delete"] = 1
    return list(rows.values())


def _change(kind: GuestKind, call: Call) -> None:
    change = Change.from_parameters(kind, call.values)
    guest = called_guest(kind, call)
    require_privileges(call.identity, guest, change)
    change_config(call.node, guest, change)


def _change_as_task(call: Call) -> str:
    change = Change.from_parameters("qemu", call.values)
    guest = called_guest("qemu", call)
    require_privileges(call.identity, guest, change)

    def work(_task: Task) -> None:
        change_config(call.node, guest, change)

    subject = call.identity.subject
    return call.node.tasks.spawn("qmconfig", str(guest.vmid), subject, work)


def _change_permission(kind: GuestKind) -> Permission:
    return Permission("/vms/{vmid}", tuple(f"VM.Config.{each}" for each in _ASPECTS[kind]))


def _endpoints(kind: GuestKind) -> Iterator[Endpoint]:
    root = f"/nodes/{{node}}/{kind}/{{vmid}}"
    reading = _GUEST | {"current": BOOLEAN, "snapshot": Parameter(optional=True, longest=40)}
    yield Endpoint("GET", f"{root}/config", partial(_read, kind), reading, _AUDIT)
    yield Endpoint("GET", f"{root}/pending", partial(_pending, kind), _GUEST, _AUDIT)
    changing = {**_GUEST, **KEYS[kind], **_REQUEST}
    if kind == "qemu":
        changing |= _QEMU_REQUEST
    permission = _change_permission(kind)
    yield Endpoint("PUT", f"{root}/config", partial(_change, kind), changing, permission)
    if kind == "qemu":
        changing = changing | {
            "background_delay": Parameter("integer", optional=True, minimum=1, maximum=30),
            "import-working-storage": Parameter(optional=True, form="storage"),
        }
        yield Endpoint("POST", f"{root}/config", _change_as_task, changing, permission)


ENDPOINTS = (*_endpoints("qemu"), *_endpoints("lxc"))
