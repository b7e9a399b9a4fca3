"""``/nodes/NODE/storage``: the stores as this node can use them."""

from __future__ import annotations

from typing import Any

from ..access import Identity
from ..errors import BadParameters
from ..parameters import BOOLEAN, NODE, STORAGE, STRING, VMID, choice
from ..routing import Call, Endpoint, Permission
from ..sections import Section
from ..storage import KINDS, Volume

_PRIVILEGES = ("Datastore.Audit", "Datastore.AllocateSpace")
_READ = Permission("/storage/{storage}", _PRIVILEGES)


def _list(call: Call) -> list[dict[str, Any]]:
    wanted = set(call.text("content").replace(",", " ").split())
    shown = []
    for section in call.node.storage.declared():
        if not call.identity.may(f"/storage/{section.name}", *_PRIVILEGES):
            continue
        if call.text("storage", section.name) != section.name:
            continue
        if call.flag("enabled") and section.switch("disable"):
            continue
        if wanted and not wanted & set(section.words("content")):
            continue
        shown.append({"storage": section.name} | _state(call, section))
    return shown


def _status(call: Call) -> dict[str, Any]:
    for section in call.node.storage.declared():
        if section.name == call.text("storage"):
            return _state(call, section)
    raise BadParameters({"storage": "No such storage."})


def _content(call: Call) -> list[dict[str, Any]]:
    return [
        _volume(volume)
        for volume in call.node.storage.volumes(call.text("storage"))
        if call.text("content", volume.content) == volume.content
        and call.values.get("vmid", volume.vmid) == volume.vmid
        and _may_see(call.identity, call.text("storage"), volume)
    ]


def _may_see(identity: Identity, store: str, volume: Volume) -> bool:
    """The vendor's rule (PVE::Storage, check_volume_access): who may not is shown less."""
    path, guest = f"/storage/{store}", f"/vms/{volume.vmid}"
    if identity.may(path, "Datastore.Allocate"):
        return True
    if volume.content in ("iso", "vztmpl"):
        return identity.may(path, *_PRIVILEGES)
    if volume.vmid is None:
        return False
    if volume.content == "backup":
        return identity.may(path, "Datastore.AllocateSpace") and identity.may(guest, "VM.Backup")
    return identity.may(path, "Datastore.Audit") and identity.may(guest, "VM.Config.Disk")


def _definitions(call: Call) -> list[dict[str, Any]]:
    return [
        definition
        for definition in call.node.storage.definitions()
        if call.identity.may(f"/storage/{definition['storage']}", *_PRIVILEGES)
        and call.text("type", definition["type"]) == definition["type"]
    ]


def _state(call: Call, section: Section) -> dict[str, Any]:
    usage = call.node.storage.usage(section)
    state: dict[str, Any] = {
        "type": section.kind,
        "content": ",".join(section.words("content")),
        "enabled": int(not section.switch("disable")),
        "shared": int(section.switch("shared")),
        "active": int(usage is not None),
        "total": usage.total if usage else 0,
        "used": usage.used if usage else 0,
        "avail": usage.available if usage else 0,
    }
    return state | ({"used_fraction": usage.used / usage.total} if usage else {})


def _volume(volume: Volume) -> dict[str, Any]:
    view: dict[str, Any] = {
        "volid": volume.volid,
        "content": volume.content,
        "format": volume.form,
        "size": volume.size,
        "ctime": volume.ctime,
    }
    if volume.vmid is not None:
        view["vmid"] = volume.vmid
    if volume.content in ("images", "rootdir"):
        view |= {"used": volume.used, "parent": None}
    if volume.content == "backup":
        view["subtype"] = volume.volid.split("vzdump-")[1].partition("-")[0]
    return view


_STORE = {"node": NODE, "storage": STORAGE}
ENDPOINTS = (
    Endpoint("GET", "/storage", _definitions, {"type": choice(*KINDS)}),
    Endpoint(
        "GET",
        "/nodes/{node}/storage",
        _list,
        {
            "node": NODE,
            "content": STRING,
            "enabled": BOOLEAN,
            "format": BOOLEAN,
            "storage": STORAGE.maybe(),
            "target": NODE.maybe(),
        },
    ),
    Endpoint("GET", "/nodes/{node}/storage/{storage}/status", _status, _STORE, _READ),
    Endpoint(
        "GET",
        "/nodes/{node}/storage/{storage}/content",
        _content,
        _STORE | {"content": STRING, "vmid": VMID.maybe()},
        _READ,
    ),
)
