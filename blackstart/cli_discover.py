"""``blackstart discover``: a first inventory from the APIs alone. Asks, and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from blackstart.discover.addresses import reserved_by_mac
from blackstart.discover.document import MaasFound, inventory_text
from blackstart.discover.entrance import Entrance, maas_url, proxmox_entrance
from blackstart.discover.members import Access
from blackstart.drivers.maas import Maas
from blackstart.drivers.maas_api import MaasApi, parse_key
from blackstart.drivers.proxmox_api import ProxmoxApi, parse_token
from blackstart.drivers.proxmox_needs import remedy
from blackstart.drivers.proxmox_survey import survey
from blackstart.drivers.tls import compare_first
from blackstart.errors import (
    BlackstartError,
    DriverError,
    InventoryError,
    Rejected,
    Unproven,
    UsageError,
)
from blackstart.inventory_file import parse
from blackstart.model.parts import fingerprint as plain
from blackstart.model.survey import Survey
from blackstart.secrets import resolve

STDOUT = "-"
WHOAMI = "users/"


@dataclass(frozen=True, slots=True)
class _Server:
    """An API on the command line: where, the reference to its secret, what its certificate is."""

    url: str
    secret: str
    ca: Path | None
    fingerprint: str | None

    @property
    def authority(self) -> str | None:
        """The CA file as an inventory refers to it."""
        return f"file:{self.ca}" if self.ca is not None else None


@click.command()
@click.option("--proxmox", required=True, metavar="URL", help="Any node: https://192.0.2.11:8006.")
@click.option("--token", required=True, metavar="REF", help="Its API token: env:NAME, file:/path.")
@click.option("--ca", metavar="FILE", help="The CA of its certificate.")
@click.option("--fingerprint", metavar="SHA256", help="The one certificate that is accepted.")
@click.option("--maas", metavar="URL", help="MAAS: https://192.0.2.53:5443/MAAS.")
@click.option("--key", metavar="REF", help="Its API key: env:NAME, file:/path.")
@click.option("--maas-ca", metavar="FILE", help="The CA of MAAS' certificate.")
@click.option("--maas-fingerprint", metavar="SHA256", help="The one that is accepted of MAAS.")
@click.option("-o", "output", default=STDOUT, metavar="FILE", help="Write into this new file.")
def discover(output: str, **given: str | None) -> None:
    """Write an inventory of nodes, guests and addresses, as the APIs show them.

    Nothing in it may be broken, and comments say where a person must decide. A guest whose
    address nobody knows is left out, with the reason. No file is overwritten.

    \b
      export PVE_TOKEN='blackstart@pve!look=...'
      blackstart discover --proxmox https://192.0.2.11:8006 --token env:PVE_TOKEN \\
          --fingerprint AB:CD:... -o inventory/home.yaml

    Exit code 0: it is written; 1: an API refuses, with the command that mends it; 2: the
    command line is not right, or the file is there already; 3: an API does not answer.
    """
    file = _new(output)
    proxmox = _server(given, "proxmox", "token", "")
    maas = _server(given, "maas", "key", "maas-") if given["maas"] or given["key"] else None
    entrance = proxmox_entrance(proxmox.url)
    try:
        text = _written(proxmox, entrance, maas)
    except Rejected as error:
        # Elsewhere what refuses is only unproven; here it is what stands in the way.
        raise BlackstartError(str(error)) from None
    _check(text)
    if file is None:
        click.echo(text, nl=False)
        return
    _write(file, text)
    click.echo(f"{file}: written; next: blackstart doctor --inventory {file}", err=True)


def _written(proxmox: _Server, entrance: Entrance, maas: _Server | None) -> str:
    """The inventory as the APIs show it. Raises ``DriverError``."""
    seen = _survey(proxmox, entrance)
    access = Access(entrance, proxmox.secret, proxmox.authority, proxmox.fingerprint)
    taken_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return inventory_text(seen, access, _maas(maas) if maas else None, taken_at)


def _new(output: str) -> Path | None:
    """The file to write, or none for standard output. Raises ``UsageError`` for one that is."""
    if output == STDOUT:
        return None
    file = Path(output)
    if os.path.lexists(file):
        raise UsageError(f"{file} is there already and is not overwritten; name another with -o")
    if not file.parent.is_dir():
        raise UsageError(f"there is no directory {file.parent}; make it first")
    return file


def _server(given: dict[str, str | None], url: str, secret: str, prefix: str) -> _Server:
    """One API's options. Raises ``UsageError`` for one that lacks its other half."""
    where, reference = given[url], given[secret]
    if where is None or reference is None:
        raise UsageError(f"--{url} and --{secret} belong together; give both or neither")
    option = f"{prefix}fingerprint"
    ca, pinned = given[f"{prefix}ca".replace("-", "_")], given[option.replace("-", "_")]
    if ca is not None and pinned is not None:
        raise UsageError(f"--{prefix}ca and --{option}: give one of the two, or neither")
    authority = Path(ca).expanduser().absolute() if ca is not None else None
    if authority is not None and not authority.is_file():
        raise UsageError(f"--{prefix}ca: there is no file {authority}")
    try:
        return _Server(where, reference, authority, plain(pinned) if pinned else None)
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from None


def _survey(server: _Server, entrance: Entrance) -> Survey:
    token = parse_token(resolve(server.secret, None).get_secret_value())
    pins = {entrance.host: server.fingerprint} if server.fingerprint else {}
    api = ProxmoxApi(
        {entrance.host: entrance.host},
        token=token,
        ca=server.ca,
        port=entrance.port,
        fingerprints=pins,
    )
    try:
        with _answering(entrance.host, entrance.port, api.who):
            return survey(api)
    finally:
        api.close()


@contextmanager
def _answering(host: str, port: int, who: str = "") -> Iterator[None]:
    """Errors of an API with what mends them.

    Raises ``Unproven`` when it does not answer and ``Rejected`` when it refuses.
    """
    try:
        yield
    except Rejected as error:
        fix = remedy(who, str(error)) if who else ""
        raise Rejected(f"{error}; {fix}" if fix else str(error)) from error
    except DriverError as error:
        fix = compare_first(host, port, str(error))
        raise Unproven(f"{error}; {fix}" if fix else str(error)) from error


def _maas(server: _Server) -> MaasFound:
    """What MAAS adds. Raises as ``_answering`` does."""
    url = maas_url(server.url)
    parts = urlsplit(url)
    if parts.scheme == "http" and (server.ca or server.fingerprint):
        raise UsageError("--maas: an http:// URL has no certificate; write https://")
    key = parse_key(resolve(server.secret, None).get_secret_value())
    host, port = str(parts.hostname), parts.port or 443
    api = MaasApi(url, key=key, ca=server.ca, fingerprint=server.fingerprint)
    try:
        with _answering(host, port):
            api.get(WHOAMI, op="whoami")
        facts = Maas(api).observe()
    finally:
        api.close()
    section = {"url": url, "key": server.secret}
    section |= {"ca": server.authority} if server.authority else {}
    section |= {"fingerprint": server.fingerprint} if server.fingerprint else {}
    remarks = ["over http:// anybody on the network can read the key"] * (parts.scheme == "http")
    held = facts.reservations
    if held.value is None:
        remarks.append(f"what MAAS reserves is not known: {held.error}")
    return MaasFound(section, host, reserved_by_mac(held.value or ()), tuple(remarks))


def _check(text: str) -> None:
    """What is written passes ``blackstart inventory check``. Raises ``Unproven``."""
    try:
        parse(text, "what was found")
    except InventoryError as error:
        raise Unproven(f"what was found makes no inventory: {error}") from error


def _write(file: Path, text: str) -> None:
    """A new file, never over another. Raises ``UsageError``."""
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise UsageError(f"{file} is there already and is not overwritten") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error
