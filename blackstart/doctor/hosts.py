"""Hosts by ssh: one login each, so that sshd takes nobody for an attacker."""

from __future__ import annotations

import shlex

from blackstart.collect.login import look_at_login
from blackstart.doctor.contacts import Contacts
from blackstart.doctor.state import failed, reached, wrong
from blackstart.drivers.ssh_connection import KeyRefused
from blackstart.errors import DriverError
from blackstart.model.inventory import Inventory, SshAccess
from blackstart.model.reach import Reach, State

LOGIN_S = 25.0
ROOT_SEES = "drills and some facts (arrays, pools, dhcpd.conf) need root"


def declared(inventory: Inventory) -> tuple[str, ...]:
    """Nodes, and guests into which somebody may log in."""
    return (*inventory.nodes, *(name for name, guest in inventory.guests.items() if guest.ssh))


def look(contacts: Contacts, host: str) -> tuple[Reach, ...]:
    """One host."""
    thing, access = f"ssh {host}", contacts.inventory.ssh_of(host)
    if access is None:
        said = (
            "`ssh: none`: what only the host shows is not seen; `ssh:` with a user and a key does"
        )
        return (Reach(thing=thing, state=State.CLOSED, said=said),)
    try:
        login = look_at_login(contacts.runner, host, timeout_s=LOGIN_S)
    except KeyRefused as error:
        return (failed(thing, error, _copy_id(contacts.inventory, host, access)),)
    except DriverError as error:
        return (failed(thing, error),)
    # A container has no kernel of its own, so its journal is nobody's fault.
    if not login.root and not login.journal and host in contacts.inventory.nodes:
        fix = f"usermod -aG systemd-journal {shlex.quote(access.user)}  # on {host}"
        return (wrong(thing, f"{access.user} may not read the kernel's journal", fix),)
    whom = "root" if login.root else f"{access.user}, who is not root: {ROOT_SEES}"
    return (reached(thing, f"as {whom}"),)


def _copy_id(inventory: Inventory, host: str, access: SshAccess) -> str:
    """How a key gets there, from somebody who may log in already."""
    address = (inventory.nodes.get(host) or inventory.guests[host]).address
    scheme, _, path = (access.key or "").partition(":")
    key = ["-i", path] if scheme == "file" else []
    port = ["-p", str(access.port)] if access.port != SshAccess().port else []
    return shlex.join(["ssh-copy-id", *key, *port, f"{access.user}@{address}"])
