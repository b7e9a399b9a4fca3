"""Which grant would let an API token see what it does not (pveum(1)).

Lists of the Proxmox VE API are filtered and not refused, so what a token may see is asked
before an empty list is believed. What lies in a store is filtered by volume
(PVE::Storage, check_volume_access): an auditor sees ISO images only.
"""

from __future__ import annotations

PVE_AUDITOR = frozenset(
    {
        "Datastore.Audit",
        "Mapping.Audit",
        "Pool.Audit",
        "SDN.Audit",
        "Sys.Audit",
        "VM.Audit",
        "VM.GuestAgent.Audit",
    }
)
ROLE = "BlackstartLook"


def grant(who: str, path: str, *privileges: str) -> str:
    """The command that grants these privileges on a path to a user or token, and its user.

    A role further down replaces those above it, so ``PVEAuditor`` is always given along. A
    token has no more than its user, whatever it is given itself.
    """
    user, token, _ = who.partition("!")
    to = f"--users {user}" + (f" --tokens '{who}'" if token else "")
    more = sorted(set(privileges) - PVE_AUDITOR)
    if not more:
        return f"pveum acl modify {path} {to} --roles PVEAuditor"
    role = f"pveum role add {ROLE} --privs '{' '.join(more)}'"
    return f"{role}; pveum acl modify {path} {to} --roles PVEAuditor,{ROLE}"
