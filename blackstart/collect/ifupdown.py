"""``/etc/network/interfaces`` and what it sources: interfaces(5), bridge-utils-interfaces(5).

Both spellings of an option (``bridge_ports`` of ifupdown, ``bridge-ports`` of ifupdown2) count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from blackstart.collect.numbered import Rows
from blackstart.model.host_network import GeneratedNetwork, Stanza

MAIN = "/etc/network/interfaces"
GENERATED = f"{MAIN}.d/sdn"
"""Written by the cluster for its software-defined networks (pvesdn(1))."""
_VLAN_NAME = re.compile(r"^(?:vlan(\d+)|[^.:]+\.(\d+))$")
_ALIAS = re.compile(r":.*$")
_YES = {"yes", "on", "1", "true"}
_PORTS = ("bridge-ports", "bond-slaves", "slaves", "ovs-ports", "ovs-bonds")
_NO_PORTS = {"none", "all"}
_PATTERNS = {"regex", "glob"}


_AT_BOOT = {"auto", "hotplug", "ovs"}


@dataclass(slots=True)
class _Interface:
    file: str
    line: int
    options: dict[str, str] = field(default_factory=dict)


def read_interfaces(files: Mapping[str, Rows]) -> tuple[Stanza, ...]:
    """What is declared, the loopback left out; nothing where ifupdown configures nothing."""
    declared: dict[str, _Interface] = {}
    classes: dict[str, set[str]] = {}
    current: _Interface | None = None
    for file, number, words in _statements(files):
        match words:
            case [kind, *names] if kind == "auto" or kind.startswith("allow-"):
                classes.setdefault(kind.removeprefix("allow-"), set()).update(names)
                current = None
            case ["iface", name, *_]:
                current = declared.setdefault(_ALIAS.sub("", name), _Interface(file, number))
            case [("source" | "source-directory" | "mapping" | "rename" | "template"), *_]:
                current = None
            case [option, *rest] if current is not None:
                current.options[option.replace("_", "-")] = " ".join(rest)
    # Ports of an OVS bridge are in a class of its name, and come up with it.
    auto = {
        name
        for kind, names in classes.items()
        if kind in _AT_BOOT or kind in declared
        for name in names
    }
    return tuple(
        _stanza(name, interface, name in auto or "/^.*$/" in auto)
        for name, interface in declared.items()
        if name != "lo"
    )


def read_generated(files: Mapping[str, Rows]) -> GeneratedNetwork:
    """Whether what the cluster generated is read at boot; ``none`` where it generated nothing."""
    if not files.get(GENERATED):
        return "none"
    return "read" if _is_sourced(files) else "not read"


def _statements(files: Mapping[str, Rows]) -> Iterator[tuple[str, int, list[str]]]:
    """Words of each logical line, with the number of its first; a backslash joins two."""
    sourced = _is_sourced(files)
    for file, rows in files.items():
        if file != MAIN and not (sourced and file.startswith(f"{MAIN}.d/")):
            continue
        begun, joined = 0, ""
        for number, text in rows:
            begun = begun or number
            if text.rstrip().endswith("\\"):
                joined += text.rstrip()[:-1] + " "
                continue
            words = (joined + text).split()
            if words and not words[0].startswith("#"):
                yield file, begun, words
            begun, joined = 0, ""


def _is_sourced(files: Mapping[str, Rows]) -> bool:
    return any(
        words[:1] in (["source"], ["source-directory"]) and "interfaces.d" in words[-1]
        for _, text in files.get(MAIN, ())
        if (words := text.split())
    )


def _stanza(name: str, interface: _Interface, auto: bool) -> Stanza:
    options = interface.options
    ports = [
        port
        for key in _PORTS
        for port in takewhile(lambda word: word not in _PATTERNS, options.get(key, "").split())
    ]
    # A port with access to one VLAN passes that alone, untagged.
    access = options.get("bridge-access", "")
    default = access or options.get("bridge-pvid", "")
    return Stanza(
        file=interface.file,
        line=interface.line,
        name=name,
        auto=auto,
        ports=tuple(port for port in ports if port not in _NO_PORTS),
        vlan_aware=options.get("bridge-vlan-aware", "").lower() in _YES,
        vlans=access or options.get("bridge-vids", ""),
        vlan_default=int(default) if default.isdigit() else None,
        vlan_id=_vlan_id(name, options),
        raw=options.get("vlan-raw-device", name.rpartition(".")[0]),
    )


def _vlan_id(name: str, options: Mapping[str, str]) -> int | None:
    given = options.get("vlan-id", "")
    if given.isdigit():
        return int(given)
    match = _VLAN_NAME.match(name)
    return int(match[1] or match[2]) if match else None
