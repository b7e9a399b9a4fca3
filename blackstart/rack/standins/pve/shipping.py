"""What the stand-in puts onto a hypervisor, for whoever composes the machine's seed.

Runs on the host only; it reads this very package, so what is tested is shipped.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from blackstart.rack.topology import Topology

from .accounts import hashed_password, hashed_token

PACKAGE = Path(__file__).parent
INSTALL_ROOT = PurePosixPath("/usr/lib/blackstart-rack")
UNIT_DIRECTORY = PurePosixPath("/usr/lib/systemd/system")
COMMANDS = {
    "qm": "/usr/sbin/qm",
    "pct": "/usr/sbin/pct",
    "pvesm": "/usr/sbin/pvesm",
    "pvecm": "/usr/bin/pvecm",
    "pveversion": "/usr/bin/pveversion",
}
USER = "blackstart@pve"
FULL_TOKEN = f"{USER}!drill"
"""May do everything; its value is the secret ``pve-token``."""
BLIND_TOKEN = f"{USER}!blind"
"""May do nothing: its lists are empty, which proves nothing about what there is."""
_HOST_ONLY = {"shipping.py"}


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file of a machine, owned by root."""

    path: PurePosixPath
    content: bytes
    mode: int


def programs() -> tuple[Shipped, ...]:
    """Package, units and commands, with absolute paths."""
    return (*_package(), *shipped_units(PACKAGE), *shipped_commands("pve", COMMANDS))


def enabled_units() -> tuple[str, ...]:
    """Units that ``multi-user.target`` wants."""
    return wanted_units(PACKAGE)


def aliases() -> tuple[tuple[str, str], ...]:
    """Links for the vendor's services that one process of the stand-in replaces."""
    target = str(UNIT_DIRECTORY / "pveproxy.service")
    names = ("pvedaemon.service", "pvestatd.service")
    return tuple((f"/etc/systemd/system/{name}", target) for name in names)


def blind_token_value(secrets: Path) -> str:
    """The value of the token that may do nothing, which follows from the other's."""
    full = uuid.UUID((secrets / "pve-token").read_text().strip())
    return str(uuid.uuid5(full, "blind"))


def cluster_files(secrets: Path, topology: Topology) -> tuple[Shipped, ...]:
    """First content of ``/etc/pve`` that follows from the secrets; paths relative to it.

    The same on every hypervisor, byte for byte.
    """
    authkey = (secrets / "corosync-authkey").read_bytes()
    password = (secrets / "pve-root-password").read_text().strip()
    salt = hmac.digest(authkey, b"shadow.cfg", "sha256")[:16]
    full = hashed_token((secrets / "pve-token").read_text().strip())
    blind = hashed_token(blind_token_value(secrets))
    tokens = f"{FULL_TOKEN} {full}\n{BLIND_TOKEN} {blind}\n"
    shadow = f"root@pam {hashed_password(password, salt)}\n"
    texts = {
        "user.cfg": (_accounts(), 0o640),
        "priv/token.cfg": (tokens, 0o600),
        "priv/shadow.cfg": (shadow, 0o600),
        "priv/authkey.key": (hmac.digest(authkey, b"authkey.key", "sha256").hex(), 0o600),
        "pve-root-ca.pem": ((secrets / "ca.crt").read_text(), 0o640),
    }
    for machine in topology.machines:
        if machine.role == "hypervisor":
            for name, kind in (("pve-ssl.pem", "crt"), ("pve-ssl.key", "key")):
                content = (secrets / f"{machine.name}.{kind}").read_text()
                texts[f"nodes/{machine.name}/{name}"] = (content, 0o640)
    return tuple(
        Shipped(PurePosixPath(path), text.encode(), mode) for path, (text, mode) in texts.items()
    )


def _accounts() -> str:
    return (
        "user:root@pam:1:0:::::::\n"
        f"user:{USER}:1:0::::::\n"
        f"token:{FULL_TOKEN}:0:0::\n"
        f"token:{BLIND_TOKEN}:0:1::\n"
        f"acl:1:/:{USER}:Administrator:\n"
    )


def _package() -> Iterator[Shipped]:
    for source in sorted(PACKAGE.rglob("*.py")):
        if source.name not in _HOST_ONLY:
            path = INSTALL_ROOT / "pve" / source.relative_to(PACKAGE).as_posix()
            yield Shipped(path, source.read_bytes(), 0o644)


def shipped_units(package: Path) -> Iterator[Shipped]:
    """The units that lie beside a stand-in's code."""
    for source in sorted((package / "units").glob("*.service")):
        yield Shipped(UNIT_DIRECTORY / source.name, source.read_bytes(), 0o644)


def wanted_units(package: Path) -> tuple[str, ...]:
    """Their names."""
    return tuple(sorted(unit.name for unit in (package / "units").glob("*.service")))


def shipped_commands(module: str, commands: Mapping[str, str]) -> Iterator[Shipped]:
    """Programs of a stand-in as commands, by their paths."""
    for program, path in commands.items():
        run = f'exec /usr/bin/python3 -m {module} {program} "$@"'
        script = f"#!/bin/sh\nPYTHONPATH={INSTALL_ROOT} {run}\n"
        yield Shipped(PurePosixPath(path), script.encode(), 0o755)
