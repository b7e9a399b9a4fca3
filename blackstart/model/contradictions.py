"""Contradictions in an inventory: parts that are right alone and wrong together.

Pure functions over the document as written, as in ``blackstart.model.references``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from blackstart.model.document import Document, Path, Problem, Rule, entries, section, text


def _sentinels(document: Document) -> Iterator[Problem]:
    for name, project in entries(document, "compose"):
        directory, sentinel = text(project, "directory"), text(project, "sentinel")
        if directory is None or sentinel is None:
            continue
        root, file = posixpath.normpath(directory), posixpath.normpath(sentinel)
        if not root.startswith("/") or root.strip("/") == "":
            what = f"directory '{directory}' is no absolute path of a project"
            yield Problem(("compose", name, "directory"), what, "write it as /opt/project")
        elif not file.startswith(f"{root}/"):
            what = f"sentinel '{sentinel}' is not below '{root}'"
            remedy = "name a file in a volume of the project"
            yield Problem(("compose", name, "sentinel"), what, remedy)


def _readable_projects(document: Document) -> Iterator[Problem]:
    guests = section(document, "guests")
    for name, project in entries(document, "compose"):
        guest = text(project, "guest")
        if guest is None or guest not in guests:
            continue
        if section(guests, guest).get("ssh") is not True:
            what = f"containers are read over ssh, and guest '{guest}' has no `ssh: true`"
            remedy = f"add it to guest '{guest}'"
            yield Problem(("compose", name, "guest"), what, remedy, also=("guests", guest))


def _services(document: Document) -> Iterator[Problem]:
    for name, service in entries(document, "services"):
        if ("http" in service) == ("tcp" in service):
            what = f"service '{name}' must be asked in one way"
            yield Problem(("services", name), what, "give it either `http` or `tcp`")


def _secure_shells(document: Document) -> Iterator[Problem]:
    """sshd locks an address out that connects and does not log in (probes.tcp)."""
    logins = [body for _, body in entries(document, "nodes")]
    ports = {section(body, "ssh").get("port", 22) for body in (document, *logins)}
    for name, service in entries(document, "services"):
        port = (text(service, "tcp") or "").rpartition(":")[2]
        if port.isdecimal() and int(port) in {22, *ports}:
            what = f"port {port} is a secure shell's, and bare connections lock us out of it"
            yield Problem(("services", name, "tcp"), what, "name another port of this service")


def _urls(document: Document) -> Iterator[Problem]:
    for name, node in entries(document, "nodes"):
        url = text(section(node, "out_of_band"), "url")
        if url is not None:
            yield from _url(("nodes", name, "out_of_band", "url"), url, ("https",))
    for name, service in entries(document, "services"):
        url = text(service, "http")
        if url is not None:
            yield from _url(("services", name, "http"), url, ("http", "https"))
    url = text(section(document, "maas"), "url")
    if url is not None:
        yield from _url(("maas", "url"), url, ("http", "https"))
        yield from _maas_url(url, section(document, "maas"))


def _maas_url(url: str, maas: Document) -> Iterator[Problem]:
    """MAAS serves its API below ``/MAAS/api/2.0``; a CA verifies nothing without TLS."""
    if not url.rstrip("/").endswith("/MAAS"):
        what = "the URL of MAAS must end with /MAAS"
        yield Problem(("maas", "url"), what, "write it as https://192.0.2.53:5443/MAAS")
    for key in ("ca", "fingerprint"):
        if url.startswith("http:") and key in maas:
            what = (
                f"`{key}` verifies nothing on an http:// URL, over which the key travels readable"
            )
            remedy = "write https://, or remove it"
            yield Problem(("maas", key), what, remedy, also=("maas", "url"))


def _url(path: Path, url: str, schemes: tuple[str, ...]) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        yield Problem(path, "the URL cannot be read", f"write it as {schemes[-1]}://192.0.2.10")
        return
    if "@" in parts.netloc:
        yield Problem(path, "a login stands in the URL", "remove it; secrets are references")
    elif not sound:
        what = f"the URL must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        yield Problem(path, what, f"write it as {schemes[-1]}://192.0.2.10")


def _trust(document: Document) -> Iterator[Problem]:
    """A certificate is held against a CA or is a certain one: of two, nobody knows which counts."""
    one = "keep one of the two"
    for name in ("proxmox", "maas"):
        access = section(document, name)
        if "ca" in access and "fingerprint" in access:
            what = f"{name} has both `ca` and `fingerprint`"
            yield Problem((name, "fingerprint"), what, one, also=(name, "ca"))
    for name, node in entries(document, "nodes"):
        path: Path = ("nodes", name, "fingerprint")
        if "fingerprint" not in node:
            continue
        if node.get("api") != "proxmox":
            what = f"`fingerprint` is of a node's API, and node '{name}' has none"
            yield Problem(path, what, "add `api: proxmox`, or remove it")
        elif "ca" in section(document, "proxmox"):
            what = f"node '{name}' has a `fingerprint`, and proxmox has `ca`"
            yield Problem(path, what, one, also=("proxmox", "ca"))


def _closed(document: Document) -> Iterator[Problem]:
    """What is read or put back by ssh needs it: ``ssh: none`` says that nobody logs in."""
    everywhere = document.get("ssh") == "none"
    closed = {
        name
        for name, node in entries(document, "nodes")
        if node.get("ssh", "none" if everywhere else None) == "none"
    }
    for name, guest in entries(document, "guests"):
        if guest.get("ssh") is True and everywhere:
            what = f"guest '{name}' has `ssh: true`, and `ssh: none` says that nobody logs in"
            yield Problem(("guests", name, "ssh"), what, "declare `ssh:`, or remove it")
        if section(guest, "may_break") and text(guest, "node") in closed:
            what = f"'{name}' may be broken, and its node has `ssh: none`: nobody could put it back"
            yield Problem(("guests", name, "may_break"), what, "declare `ssh:`, or remove it")
    for name in closed:
        if section(document, "nodes", name, "may_break"):
            what = f"'{name}' may be broken and has `ssh: none`: nobody could put it back"
            yield Problem(("nodes", name, "may_break"), what, "declare `ssh:`, or remove it")
    places: list[Path] = [("mounts", name) for name, _ in entries(document, "mounts")]
    for place in (*places, ("backups", "etc_pve"), ("ups",)):
        host = text(section(document, *map(str, place)), "host")
        if host in closed:
            what = f"this is read over ssh, and node '{host}' has `ssh: none`"
            yield Problem((*place, "host"), what, "declare `ssh:` for it, or remove this")


def _needed_sections(document: Document) -> Iterator[Problem]:
    for name, node in entries(document, "nodes"):
        if node.get("api") == "proxmox" and "proxmox" not in document:
            what = f"node '{name}' has the Proxmox API and nothing says how to log in"
            yield Problem(("nodes", name, "api"), what, "add `proxmox:` with its `token`")
    if "rack" not in document:
        for path in _rack_references(document, ()):
            what = "rack: references exist in the embedded rack only"
            yield Problem(path, what, "write env:NAME or file:/path")


def _rack_references(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, str) and value.startswith("rack:"):
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _rack_references(item, (*path, key))


RULES: tuple[Rule, ...] = (
    _sentinels,
    _readable_projects,
    _services,
    _secure_shells,
    _urls,
    _trust,
    _closed,
    _needed_sections,
)
