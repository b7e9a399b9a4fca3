"""Who is asking: tickets, CSRF tokens and API tokens.

The vendor signs tickets with a key that all nodes share, so a ticket from one
node is good on the other; here the key is ``priv/authkey.key`` and the
signature an HMAC.
"""

from __future__ import annotations

import base64
import hmac
import re
import time
from dataclasses import dataclass
from pathlib import Path

from .accounts import AccountFiles, Accounts
from .errors import Died, Forbidden, Unauthorized

TICKET_LIFETIME_S = 2 * 3600
CLOCK_TOLERANCE_S = 300
COOKIE = "PVEAuthCookie"
CSRF_HEADER = "CSRFPreventionToken"
BAD_TICKET = "Authentication failed!"
_TICKET = re.compile(r"PVE:(?P<user>[^:\s]+):(?P<time>[0-9A-F]{8})::(?P<signature>.+)")
_CSRF = re.compile(r"(?P<time>[0-9A-F]{8}):(?P<signature>.+)")
_TOKEN = re.compile(r"PVEAPIToken[= ](?P<token>[^\s:=]+@[^\s:=!]+![^\s:=]+)=(?P<value>\S+)")


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, or one of its tokens (``root@pam!name``), with its privileges."""

    subject: str
    accounts: Accounts

    def may(self, path: str, *privileges: str) -> bool:
        """Whether it has any of the privileges on the path."""
        return bool(self.accounts.privileges(self.subject, path) & set(privileges))

    def require(self, path: str, *privileges: str) -> None:
        """Raise ``Forbidden`` unless it has any of the privileges on the path."""
        if not self.may(path, *privileges):
            raise Forbidden(f"{path}, {'|'.join(privileges)}")

    def owns(self, user: str) -> bool:
        """Whether a task of ``user`` is its own."""
        return self.subject == user


class Gatekeeper:
    """Checks credentials against the files below ``/etc/pve``."""

    def __init__(self, etc_pve: Path) -> None:
        self._files = AccountFiles(etc_pve)
        self._key_file = etc_pve / "priv" / "authkey.key"

    def login(self, user: str, password: str) -> tuple[str, str]:
        """A ticket and its CSRF token; raises ``Unauthorized``. A valid ticket renews itself."""
        if not self._files.password_matches(user, password) and not self._renews(user, password):
            raise Unauthorized("authentication failure", has_body=True)
        now = f"{int(time.time()):08X}"
        ticket = f"PVE:{user}:{now}::{self._sign('ticket', user, now)}"
        return ticket, f"{now}:{self._sign('csrf', user, now)}"

    def by_token(self, header: str) -> Identity:
        """Who an ``Authorization`` header is; raises ``Unauthorized``."""
        match = _TOKEN.search(header)
        if not match or not self._files.token_matches(match["token"], match["value"]):
            raise Unauthorized(BAD_TICKET)
        return Identity(match["token"], self._files.accounts())

    def by_ticket(self, ticket: str) -> Identity:
        """Who a cookie is; raises ``Unauthorized``."""
        match = _TICKET.fullmatch(ticket)
        if not match or not self._is_signed("ticket", match["user"], match):
            raise Unauthorized(BAD_TICKET)
        return Identity(match["user"], self._files.accounts())

    def require_csrf(self, identity: Identity, token: str) -> None:
        """Raise ``Unauthorized`` unless a change by ticket carries its CSRF token."""
        match = _CSRF.fullmatch(token)
        if not match or not self._is_signed("csrf", identity.subject, match):
            raise Unauthorized("Permission denied - invalid csrf token")

    def _renews(self, user: str, ticket: str) -> bool:
        try:
            return self.by_ticket(ticket).subject == user
        except Unauthorized:
            return False

    def _is_signed(self, purpose: str, user: str, match: re.Match[str]) -> bool:
        age_s = time.time() - int(match["time"], 16)
        if not -CLOCK_TOLERANCE_S < age_s < TICKET_LIFETIME_S:
            return False
        expected = self._sign(purpose, user, match["time"])
        return hmac.compare_digest(expected.encode(), match["signature"].encode())

    def _sign(self, purpose: str, user: str, moment: str) -> str:
        try:
            key = self._key_file.read_bytes()
        except OSError as error:
            raise Died(f"unable to open '{self._key_file}' - {error.strerror}") from error
        digest = hmac.digest(key, f"{purpose}:{user}:{moment}".encode(), "sha256")
        return base64.b64encode(digest).decode()
