"""A node's certificates, clock, units and names: what the vendor's API shows of each.

The texts of certificates are Python's (``ssl``), which has no public way to read the file of
one that is no authority; it reads them for its own tests.
"""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import time
from _ssl import _test_decode_cert  # type: ignore[attr-defined, unused-ignore]
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import Died
from .layout import Layout

UNITS = (
    "corosync",
    "cron",
    "pve-cluster",
    "pvedaemon",
    "pveproxy",
    "pvestatd",
    "sshd",
    "systemd-journald",
    "systemd-timesyncd",
)
"""Of the units that the vendor lists, those that there can be here."""
_ASK_TIMEOUT_S = 10
_ASKED = ("Id", "Description", "LoadState", "ActiveState", "SubState", "UnitFileState")
Entry = dict[str, Any]


def certificates(layout: Layout) -> list[Entry]:
    """The cluster's authority and the node's own certificate, as far as they are there."""
    files = (layout.authority, layout.certificate(layout.node))
    return [_certificate(path) for path in files if path.exists()]


def _certificate(path: Path) -> Entry:
    pem = path.read_text()
    decoded: dict[str, Any] = _test_decode_cert(path)
    entry: Entry = {
        "filename": path.name,
        "fingerprint": fingerprint(pem),
        "subject": _name(decoded["subject"]),
        "issuer": _name(decoded["issuer"]),
        "notbefore": int(ssl.cert_time_to_seconds(decoded["notBefore"])),
        "notafter": int(ssl.cert_time_to_seconds(decoded["notAfter"])),
        "pem": pem,
    }
    names = [str(value) for _, value in decoded.get("subjectAltName", ())]
    return entry | ({"san": names} if names else {})


def fingerprint(pem: str) -> str:
    """SHA-256 of a certificate, in pairs of digits as the vendor shows it."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def _name(parts: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    return "".join(f"/{key}={value}" for part in parts for key, value in part)


def clock() -> Entry:
    """Now, by this machine's clock; ``localtime`` is the wall's, as if it were UTC."""
    now = int(time.time())
    here = time.localtime(now)
    return {"time": now, "localtime": now + here.tm_gmtoff, "timezone": _zone()}


def _zone() -> str:
    try:
        return Path("/etc/timezone").read_text().strip() or "UTC"
    except FileNotFoundError:
        return "UTC"


def units(layout: Layout) -> list[Entry]:
    """The units' states now and at the next boot, from one call of systemctl(1)."""
    try:
        answer = subprocess.run(
            [layout.systemctl, "show", f"--property={','.join(_ASKED)}", *UNITS],
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Died(f"unable to get the state of services - {error}") from error
    blocks = answer.strip().split("\n\n")
    return [_unit(name, block) for name, block in zip(UNITS, blocks, strict=False)]


def _unit(name: str, block: str) -> Entry:
    said = dict(_settings(block))
    missing = said.get("LoadState") == "not-found"
    return {
        "service": name,
        "name": name,
        "desc": said.get("Description", name),
        "state": said.get("SubState") or "unknown",
        "active-state": said.get("ActiveState") or "unknown",
        "unit-state": "not-found" if missing else said.get("UnitFileState") or "unknown",
    }


def _settings(block: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            yield key, value


def host_names(layout: Layout) -> Entry:
    """``/etc/hosts`` as it stands."""
    raw = layout.hosts.read_bytes()
    digest = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    return {"data": raw.decode(errors="replace"), "digest": digest}
