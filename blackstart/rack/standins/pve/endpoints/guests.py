"""Guests of both kinds: lists, status, and switching them on and off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..accounts import ROOT
from ..configkeys import GuestKind
from ..errors import BadParameters, Died
from ..guests import Guest
from ..guestviews import current, entry
from ..parameters import BOOLEAN, COUNT, NODE, STRING, VMID, Parameter, choice
from ..power import Work, reboot, shutdown, start, stop, task_kind, vitals_of
from ..routing import Call, Endpoint, Handler, Permission
from ..runtime import STOPPED

_AUDIT = Permission("/vms/{vmid}", ("VM.Audit",))
_POWER = Permission("/vms/{vmid}", ("VM.PowerMgmt",))
_GUEST = {"node": NODE, "vmid": VMID}


def _list(kind: GuestKind, call: Call) -> list[dict[str, Any]]:
    vitals = call.node.runtime.vitals()
    return [
        entry(guest, config, vitals.get(guest.vmid, STOPPED))
        for guest, config in call.node.guests.configs(call.node.name, kind)
        if call.identity.may(f"/vms/{guest.vmid}", "VM.Audit")
    ]


def _current(kind: GuestKind, call: Call) -> dict[str, Any]:
    guest = called_guest(kind, call)
    config = call.node.guests.config(guest)
    return current(guest, config, vitals_of(call.node, guest))


def _start(kind: GuestKind, call: Call) -> str:
    call.node.membership().require_quorum()
    guest = called_guest(kind, call)
    return _spawn(call, guest, "start", start(call.node, guest, skip_lock=_skip_lock(call)))


def _stop(kind: GuestKind, call: Call) -> str:
    guest = called_guest(kind, call)
    return _spawn(call, guest, "stop", stop(call.node, guest, skip_lock=_skip_lock(call)))


def _shutdown(kind: GuestKind, call: Call) -> str:
    guest = called_guest(kind, call)
    work = shutdown(
        call.node,
        guest,
        timeout_s=_timeout_s(call),
        force=call.flag("forceStop"),
        skip_lock=_skip_lock(call),
    )
    return _spawn(call, guest, "shutdown", work)


def _reboot(kind: GuestKind, call: Call) -> str:
    guest = called_guest(kind, call)
    if not vitals_of(call.node, guest).running:
        raise Died(f"VM {guest.vmid} not running")
    return _spawn(call, guest, "reboot", reboot(call.node, guest, timeout_s=_timeout_s(call)))


def called_guest(kind: GuestKind, call: Call) -> Guest:
    """The guest that a call is about."""
    return call.node.guests.local(call.number("vmid"), kind)


def _spawn(call: Call, guest: Guest, verb: str, work: Work) -> str:
    kind = task_kind(guest, verb)
    return call.node.tasks.spawn(kind, str(guest.vmid), call.identity.subject, work)


def _skip_lock(call: Call) -> bool:
    if call.flag("skiplock") and call.identity.subject != ROOT:
        raise BadParameters({"skiplock": "Only root may use this option."})
    return call.flag("skiplock")


def _timeout_s(call: Call) -> int | None:
    return call.number("timeout") if "timeout" in call.values else None


_QEMU_PARAMETERS: dict[str, dict[str, Parameter]] = {
    "start": {
        "force-cpu": STRING,
        "machine": STRING,
        "migratedfrom": NODE.maybe(),
        "migration_network": STRING,
        "migration_type": choice("secure", "insecure"),
        "nets-host-mtu": Parameter(optional=True, pattern=r"net\d+=\d+(,net\d+=\d+)*"),
        "skiplock": BOOLEAN,
        "stateuri": Parameter(optional=True, longest=128),
        "targetstorage": STRING,
        "timeout": COUNT,
        "with-conntrack-state": BOOLEAN,
    },
    "stop": {
        "keepActive": BOOLEAN,
        "migratedfrom": NODE.maybe(),
        "overrule-shutdown": BOOLEAN,
        "skiplock": BOOLEAN,
        "timeout": COUNT,
    },
    "shutdown": {
        "forceStop": BOOLEAN,
        "keepActive": BOOLEAN,
        "skiplock": BOOLEAN,
        "timeout": COUNT,
    },
    "reboot": {"timeout": COUNT},
}
_LXC_PARAMETERS: dict[str, dict[str, Parameter]] = {
    "start": {"debug": BOOLEAN, "skiplock": BOOLEAN},
    "stop": {"overrule-shutdown": BOOLEAN, "skiplock": BOOLEAN},
    "shutdown": {"forceStop": BOOLEAN, "timeout": COUNT},
    "reboot": {"timeout": COUNT},
}
_PARAMETERS = {"qemu": _QEMU_PARAMETERS, "lxc": _LXC_PARAMETERS}
_VERBS = {"start": _start, "stop": _stop, "shutdown": _shutdown, "reboot": _reboot}


def _endpoints(kind: GuestKind) -> Iterator[Endpoint]:
    root = f"/nodes/{{node}}/{kind}"
    full: dict[str, Parameter] = {"full": BOOLEAN} if kind == "qemu" else {}
    yield Endpoint("GET", root, partial(_list, kind), {"node": NODE} | full)
    status = f"{root}/{{vmid}}/status"
    yield Endpoint("GET", f"{status}/current", partial(_current, kind), _GUEST, _AUDIT)
    for verb, action in _VERBS.items():
        handler: Handler = partial(action, kind)
        parameters = _GUEST | _PARAMETERS[kind][verb]
        yield Endpoint("POST", f"{status}/{verb}", handler, parameters, _POWER)


ENDPOINTS = (*_endpoints("qemu"), *_endpoints("lxc"))
