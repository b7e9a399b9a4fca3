"""``boot-resources/``: boot images, and their import."""

from __future__ import annotations

from typing import Any

from .. import API_ROOT
from ..errors import missing
from ..images import ImageSync
from ..routing import Call, Endpoint, text
from ..store import Record, by_id


def _list(call: Call) -> Any:
    return [_shown(each) for each in call.maas.store.snapshot()["boot_resources"]]


def _shown(resource: Record) -> dict[str, Any]:
    return {
        "id": resource["id"],
        "type": "Synced",
        "name": resource["name"],
        "architecture": resource["architecture"],
        "resource_uri": f"{API_ROOT}boot-resources/{resource['id']}/",
        "last_deployed": None,
        "platform": "generic",
        "subarches": resource["subarches"],
        "supported_platforms": "generic",
    }


def _read(call: Call) -> Any:
    resource = by_id(call.maas.store.snapshot(), "boot_resources", call.number("id"))
    if resource is None:
        raise missing("BootResource")
    sets = {
        version: _set(call.maas.images, resource, version) for version in sorted(resource["sets"])
    }
    return {**_shown(resource), "sets": sets}


def _set(images: ImageSync, resource: Record, version: str) -> dict[str, Any]:
    held = resource["sets"][version]
    return {
        "version": version,
        "label": held["label"],
        "size": sum(file["size"] for file in held["files"].values()),
        "complete": images.complete(resource, version),
        "files": {name: _file(images, name, file) for name, file in held["files"].items()},
    }


def _file(images: ImageSync, name: str, file: Record) -> dict[str, Any]:
    return {
        "filename": name,
        "filetype": file["filetype"],
        "sha256": file["sha256"],
        "filename_on_disk": file["sha256"][:7],
        "size": file["size"],
        "complete": images.has(file),
    }


def _is_importing(call: Call) -> Any:
    return call.maas.images.running


def _import(call: Call) -> Any:
    call.maas.images.start()
    return text("Import of boot resources started")


def _stop_import(call: Call) -> Any:
    call.maas.images.stop()
    return text("Import of boot resources is being stopped")


ENDPOINTS = (
    Endpoint("GET", "boot-resources/", _list),
    Endpoint("GET", "boot-resources/{id}/", _read),
    Endpoint("GET", "boot-resources/", _is_importing, "is_importing"),
    Endpoint("GET", "boot-resources/op-is_importing", _is_importing),
    Endpoint("POST", "boot-resources/", _import, "import", admin=True),
    Endpoint("POST", "boot-resources/", _stop_import, "stop_import", admin=True),
)
