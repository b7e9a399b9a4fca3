"""Changing a guest's configuration, with what the vendor refuses and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .access import Identity
from .configkeys import KEYS, GuestKind, privilege_for
from .errors import BadParameters, Died
from .guestconfig import GuestConfig, parse_config
from .guests import Guest, require_unlocked
from .node import Node
from .parameters import Value, find
from .power import vitals_of

_AT_ONCE: Mapping[GuestKind, frozenset[str]] = {
    "qemu": frozenset(
        (
            "autostart",
            "description",
            "hookscript",
            "lock",
            "name",
            "onboot",
            "protection",
            "shares",
            "startup",
            "tags",
            "template",
        )
    ),
    "lxc": frozenset(
        (
            "cores",
            "cpulimit",
            "cpuunits",
            "description",
            "hookscript",
            "lock",
            "memory",
            "onboot",
            "protection",
            "startup",
            "swap",
            "tags",
        )
    ),
}
"""Keys that a running guest takes over at once; all others wait for its next start."""


@dataclass(frozen=True, slots=True)
class Change:
    """New values, keys to delete, and pending changes to take back."""

    values: Mapping[str, str]
    delete: tuple[str, ...] = ()
    revert: tuple[str, ...] = ()
    digest: str = ""
    skip_lock: bool = False

    @classmethod
    def from_parameters(cls, kind: GuestKind, given: Mapping[str, Value]) -> Change:
        """Read a request; raises ``BadParameters`` for a key that cannot be deleted."""
        delete = _words(str(given.get("delete", "")))
        for key in delete:
            if find(KEYS[kind], key) is None:
                raise BadParameters({"delete": f"unknown option '{key}'"})
        return cls(
            values={key: str(value) for key, value in given.items() if find(KEYS[kind], key)},
            delete=delete,
            revert=_words(str(given.get("revert", ""))),
            digest=str(given.get("digest", "")),
            skip_lock=bool(given.get("skiplock", 0)),
        )


def require_privileges(identity: Identity, guest: Guest, change: Change) -> None:
    """Raise ``Forbidden`` unless the caller may change every one of the keys."""
    for key in (*change.values, *change.delete, *change.revert):
        identity.require(f"/vms/{guest.vmid}", privilege_for(key))


def change_config(node: Node, guest: Guest, change: Change) -> None:
    """Write the change; raises ``Died`` for a lock, a stale digest, a missing volume."""
    if not (change.values or change.delete or change.revert):
        raise BadParameters({"config": "no options specified"})
    with node.guests.locked(guest):
        config = node.guests.config(guest)
        if change.digest and change.digest != config.digest:
            raise Died("checksum mismatch (file change by other user?)")
        if not change.skip_lock:
            require_unlocked(guest, config)
        _require_new_volumes(node, guest, change)
        config = _without_pending(config, change.revert)
        if vitals_of(node, guest).running:
            changed = _split(config, change)
        else:
            changed = _applied(config, change.values, change.delete)
        node.guests.write(guest, changed)


def _split(config: GuestConfig, change: Change) -> GuestConfig:
    """Apply at once what a running guest takes over, and note the rest as pending."""
    at_once = _AT_ONCE[config.kind]
    now = {key: text for key, text in change.values.items() if key in at_once}
    later = {key: text for key, text in change.values.items() if key not in at_once}
    gone_now = tuple(key for key in change.delete if key in at_once)
    gone_later = {key for key in change.delete if key not in at_once}
    config = _applied(config, now, gone_now)
    pending = {k: v for k, v in config.pending.items() if k not in gone_later | {"delete"}}
    deletions = (config.deletions | gone_later) - set(later)
    if deletions:
        pending["delete"] = ",".join(sorted(deletions))
    return replace(config, pending=pending | later)


def _applied(
    config: GuestConfig, values: Mapping[str, str], delete: tuple[str, ...]
) -> GuestConfig:
    kept = {key: text for key, text in config.values.items() if key not in delete}
    replaced = {drive.key: drive.volume for drive in config.drives()}
    after = replace(config, values={**kept, **values})
    in_use = {drive.volume for drive in after.drives()}
    unused = dict(after.values)
    for key, volume in replaced.items():
        if (key in delete or key in values) and volume not in in_use:
            unused[_free_unused_key(unused)] = volume  # detached, never destroyed
    return replace(after, values=unused)


def _free_unused_key(values: Mapping[str, str]) -> str:
    return next(f"unused{n}" for n in range(len(values) + 1) if f"unused{n}" not in values)


def _without_pending(config: GuestConfig, keys: tuple[str, ...]) -> GuestConfig:
    deletions = config.deletions - set(keys)
    pending = {k: v for k, v in config.pending.items() if k not in (*keys, "delete")}
    if deletions:
        pending["delete"] = ",".join(sorted(deletions))
    return replace(config, pending=pending)


def _require_new_volumes(node: Node, guest: Guest, change: Change) -> None:
    raw = "".join(f"{key}: {text}\n" for key, text in change.values.items())
    for drive in parse_config(guest.kind, raw.encode()).drives():
        if drive.volume.startswith("/"):
            continue
        store, _, volume = drive.volume.partition(":")
        node.storage.activate(store)
        if volume.replace(".", "").isdigit():
            raise Died("this stand-in does not allocate volumes")
        if not drive.cloud_init and volume != "cloudinit":
            node.storage.require_volume(drive.volume)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").replace(";", " ").split())
