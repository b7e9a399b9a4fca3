"""``/access`` and ``/version``."""

from __future__ import annotations

from typing import Any

from .. import RELEASE, REPOSITORY_ID, VERSION
from ..parameters import STRING, Parameter
from ..routing import Call, Endpoint


def _version(_call: Call) -> dict[str, str]:
    return {"version": VERSION, "release": RELEASE, "repoid": REPOSITORY_ID}


def _ticket(call: Call) -> dict[str, Any]:
    user = call.text("username")
    realm = call.text("realm")
    if realm and "@" not in user:
        user = f"{user}@{realm}"
    ticket, csrf = call.gatekeeper.login(user, call.text("password"))
    answer: dict[str, Any] = {
        "username": user,
        "ticket": ticket,
        "CSRFPreventionToken": csrf,
        "cap": {},
    }
    cluster = call.node.membership().cluster
    return answer | ({"clustername": cluster.name} if cluster else {})


def _permissions(call: Call) -> dict[str, dict[str, int]]:
    accounts, subject = call.identity.accounts, call.identity.subject
    asked = call.text("path")
    paths = [asked] if asked else accounts.paths()
    granted = {path: accounts.privileges(subject, path) for path in paths}
    return {path: dict.fromkeys(sorted(names), 1) for path, names in granted.items() if names}


_LOGIN = {
    "username": Parameter(longest=64),
    "password": Parameter(),
    "realm": Parameter(optional=True, longest=32),
    "new-format": Parameter("boolean", optional=True),
    "otp": STRING,
    "path": Parameter(optional=True, longest=64, requires="privs"),
    "privs": Parameter(optional=True, longest=64, requires="path"),
    "tfa-challenge": STRING,
}
ENDPOINTS = (
    Endpoint("GET", "/version", _version),
    Endpoint("POST", "/access/ticket", _ticket, _LOGIN, open_to_all=True),
    Endpoint("GET", "/access/permissions", _permissions, {"path": STRING, "userid": STRING}),
)
