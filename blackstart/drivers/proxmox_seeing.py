"""What the API may show: of this cluster alone, to this token; what it may not, with the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from blackstart.drivers import proxmox_answers as answers
from blackstart.drivers.proxmox_answers import Json
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.errors import DriverError, Rejected
from blackstart.model.observed import Observed
from blackstart.model.proxmox_rights import grant

_FORBIDDEN = re.compile(r"403 Permission check failed \((/[^,]*), ([A-Za-z.|]+)\)")

STATUS = "cluster/status"
ONE_CLUSTER = (
    "all nodes of an inventory with `api: proxmox` are one cluster, so give a node that stands "
    "alone an inventory of its own"
)

T = TypeVar("T")


def whole_cluster(api: ProxmoxApi) -> list[Json]:
    """``cluster/status``, which names every member. Raises ``DriverError``.

    A node that stands alone answers for itself only, and to each of two such nodes the other
    one is not there. Raises ``Rejected`` when a declared node is no member of what answers.
    """
    status = answers.records(api.get(STATUS), STATUS)
    members = {str(it.get("name")) for it in status if it.get("type") == "node"}
    strangers = sorted(set(api.nodes) - members)
    if members and strangers:
        raise Rejected(
            f"{', '.join(strangers)} in no cluster with {', '.join(sorted(members))} ({STATUS}); "
            f"{ONE_CLUSTER}"
        )
    return status


def rights_on(api: ProxmoxApi, path: str, *, below: bool = False) -> tuple[str, ...]:
    """The privileges that the token has on a path, or on all ``below`` it, too.

    Each comes with 1 when it propagates, else with 0. Raises ``DriverError``.
    """
    granted = answers.record(api.get("access/permissions", path=path), path).get(path)
    if not isinstance(granted, dict):
        return ()
    return tuple(sorted(name for name, down in granted.items() if not below or str(down) == "1"))


def must_see(api: ProxmoxApi, path: str, privilege: str) -> None:
    """Raises ``Rejected``, naming the grant, when the token may not see all of a filtered list."""
    if privilege not in rights_on(api, path, below=True):
        raise Rejected(
            f"the token may not see it: it needs {privilege} on {path} (PVEAuditor): "
            f"{grant(api.who, path, privilege)}"
        )


def observed(api: ProxmoxApi, source: str, ask: Callable[[], T]) -> Observed[T]:
    """What was asked, or why there is no answer; a refusal names the grant that would help.

    An answer of another shape than the vendor's schema gives is none.
    """
    try:
        with answers.understood(source):
            return Observed(source=source, value=ask())
    except DriverError as error:
        return Observed(source=source, error=_with_grant(api, str(error)))


def _with_grant(api: ProxmoxApi, words: str) -> str:
    forbidden = _FORBIDDEN.search(words)
    if forbidden is None:
        return words
    path, privileges = forbidden[1], forbidden[2].split("|")
    return f"{words}: {grant(api.who, path, privileges[0])}"
