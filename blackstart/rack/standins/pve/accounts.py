"""Users, API tokens, roles and access lists: ``user.cfg`` and the secrets in ``priv``.

``user.cfg`` has the vendor's format (``user:``, ``token:``, ``acl:`` and ``role:``
lines, fields separated by colons). Secrets are stored as hashes only:
``priv/shadow.cfg`` for passwords, ``priv/token.cfg`` for tokens.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = "root@pam"
_AUDIT = "Datastore.Audit Mapping.Audit Pool.Audit SDN.Audit Sys.Audit VM.Audit VM.GuestAgent.Audit"
_VM_USER = (
    "VM.Audit VM.Backup VM.Config.CDROM VM.Config.Cloudinit VM.Console VM.GuestAgent.Audit "
    "VM.GuestAgent.FileRead VM.GuestAgent.FileSystemMgmt VM.GuestAgent.FileWrite VM.PowerMgmt"
)
_EVERYTHING = (
    f"{_AUDIT} {_VM_USER} Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate "
    "Group.Allocate Mapping.Modify Mapping.Use Permissions.Modify Pool.Allocate Realm.Allocate "
    "Realm.AllocateUser SDN.Allocate SDN.Use Sys.AccessNetwork Sys.Console Sys.Incoming "
    "Sys.Modify Sys.PowerMgmt Sys.Syslog User.Modify VM.Allocate VM.Clone VM.Config.CPU "
    "VM.Config.Disk VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options "
    "VM.GuestAgent.Unrestricted VM.Migrate VM.Replicate VM.Snapshot VM.Snapshot.Rollback"
)
ROLES: Mapping[str, frozenset[str]] = {
    "Administrator": frozenset(_EVERYTHING.split()),
    "PVEAuditor": frozenset(_AUDIT.split()),
    "PVEVMUser": frozenset(_VM_USER.split()),
    "NoAccess": frozenset(),
}
_SCRYPT = {"n": 2**12, "r": 8, "p": 1}  # a tenth of a second under emulation


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One role for one user or token on one path."""

    path: str
    subject: str
    role: str
    propagate: bool


@dataclass(frozen=True, slots=True)
class Accounts:
    """Everything that ``user.cfg`` says."""

    users: Mapping[str, bool] = field(default_factory=dict)
    tokens: Mapping[str, bool] = field(default_factory=dict)
    rules: tuple[AccessRule, ...] = ()
    roles: Mapping[str, frozenset[str]] = field(default_factory=lambda: dict(ROLES))

    def privileges(self, subject: str, path: str) -> frozenset[str]:
        """What a user or token may do on a path; a separated token never more than its user."""
        user, bang, _ = subject.partition("!")
        own = ROLES["Administrator"] if user == ROOT else self._granted(user, path)
        if bang and self.tokens.get(subject, True):
            return own & self._granted(subject, path)
        return own

    def paths(self) -> list[str]:
        """Every path that a rule names, and the vendor's own top ones."""
        top = ("/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms")
        return sorted({*top, *(rule.path for rule in self.rules)})

    def _granted(self, subject: str, path: str) -> frozenset[str]:
        granted: frozenset[str] = frozenset()
        for prefix in _prefixes(path):
            roles = [
                rule.role
                for rule in self.rules
                if rule.subject == subject
                and rule.path == prefix
                and (rule.propagate or prefix == path)
            ]
            if roles:  # a rule further down replaces those above it
                granted = frozenset().union(*(self.roles.get(r, frozenset()) for r in roles))
                if "NoAccess" in roles:
                    granted = frozenset()
        return granted


def parse_accounts(text: str) -> Accounts:
    """Read ``user.cfg``; lines of other kinds (groups, pools) are not looked at."""
    users: dict[str, bool] = {}
    tokens: dict[str, bool] = {}
    rules: list[AccessRule] = []
    roles = dict(ROLES)
    for line in text.splitlines():
        kind, *fields = line.split(":")
        if kind == "user":
            users[fields[0]] = fields[1] == "1"
        elif kind == "token":
            tokens[fields[0]] = fields[2] == "1"
        elif kind == "role":
            roles[fields[0]] = frozenset(re.split(r"[,; ]+", fields[1]))
        elif kind == "acl":
            propagate, path, subjects, names = fields[:4]
            rules += [
                AccessRule(path, subject, name, propagate == "1")
                for subject in subjects.split(",")
                for name in names.split(",")
            ]
    return Accounts(users, tokens, tuple(rules), roles)


class AccountFiles:
    """The files below ``/etc/pve``, read anew for each question."""

    def __init__(self, etc_pve: Path) -> None:
        self._etc_pve = etc_pve

    def accounts(self) -> Accounts:
        """What ``user.cfg`` says now; without the file there is root only."""
        return parse_accounts(_text(self._etc_pve / "user.cfg"))

    def password_matches(self, user: str, password: str) -> bool:
        """Whether the user exists, is enabled and has this password."""
        if not self.accounts().users.get(user, user == ROOT):
            return False
        return _matches(_secrets(self._etc_pve / "priv" / "shadow.cfg").get(user), password)

    def token_matches(self, token: str, value: str) -> bool:
        """Whether the token exists, its user is enabled, and this is its value."""
        accounts = self.accounts()
        user = token.partition("!")[0]
        if token not in accounts.tokens or not accounts.users.get(user, user == ROOT):
            return False
        return _matches(_secrets(self._etc_pve / "priv" / "token.cfg").get(token), value)


def hashed_password(password: str, salt: bytes) -> str:
    """A line's hash for ``priv/shadow.cfg``."""
    digest = hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
    return f"scrypt${salt.hex()}${digest.hex()}"


def hashed_token(value: str) -> str:
    """A line's hash for ``priv/token.cfg``; a token is random, so it needs no salt."""
    return f"sha256${hashlib.sha256(value.encode()).hexdigest()}"


def _matches(stored: str | None, given: str) -> bool:
    if stored is None:
        return False
    kind, *parts = stored.split("$")
    if kind == "scrypt":
        expected = hashed_password(given, bytes.fromhex(parts[0]))
    else:
        expected = hashed_token(given)
    return hmac.compare_digest(expected, stored)


def _secrets(path: Path) -> dict[str, str]:
    pairs = (line.split(" ", 1) for line in _text(path).splitlines() if " " in line)
    return {name: secret.strip() for name, secret in pairs}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _prefixes(path: str) -> Iterator[str]:
    yield "/"
    parts = [part for part in path.split("/") if part]
    for count in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:count])
