"""A guest's configuration file: ``/etc/pve/nodes/NODE/qemu-server/VMID.conf`` and LXC's.

``key: value`` lines, the description as ``#`` lines on top, then sections:
``[PENDING]`` for changes that wait for the next start, and one per snapshot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote

from .configkeys import KEYS, GuestKind
from .errors import Died
from .parameters import Value, convert, find
from .propertystring import Startup, parse, parse_startup

PENDING = "PENDING"
_DRIVES = ("ide", "sata", "scsi", "virtio", "efidisk", "tpmstate", "rootfs", "mp")
_FORCED = "!"  # a pending deletion that also destroys an unused volume


@dataclass(frozen=True, slots=True)
class Drive:
    """A volume that a configuration refers to, and under which key."""

    key: str
    volume: str
    properties: Mapping[str, str]

    @property
    def cdrom(self) -> bool:
        """Whether it is a removable medium; a cloud-init drive is one too."""
        return self.properties.get("media") == "cdrom"

    @property
    def cloud_init(self) -> bool:
        """Whether the vendor generates its content anew at each start."""
        return self.cdrom and "cloudinit" in self.volume


@dataclass(frozen=True, slots=True)
class GuestConfig:
    """A parsed configuration; values are the text as it stands in the file."""

    kind: GuestKind
    values: Mapping[str, str]
    pending: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    snapshots: str = ""

    @property
    def deletions(self) -> frozenset[str]:
        """Keys that the next start will remove."""
        listed = self.pending.get("delete", "")
        return frozenset(key.removeprefix(_FORCED) for key in listed.split(",") if key)

    @property
    def name(self) -> str | None:
        """The guest's name, which LXC calls its host name."""
        return self.values.get("name" if self.kind == "qemu" else "hostname")

    @property
    def on_boot(self) -> bool:
        """Whether the guest is started with its node."""
        return self.values.get("onboot") == "1"

    @property
    def startup(self) -> Startup:
        """Order and delays; raises ``Died`` when they cannot be read."""
        return parse_startup(self.values.get("startup", ""))

    @property
    def agent(self) -> bool:
        """Whether a guest agent is configured."""
        return parse(self.values.get("agent", "0"), "enabled").get("enabled") == "1"

    def memory_bytes(self) -> int:
        """Configured memory; the vendor's default is 512 MiB."""
        text = parse(self.values.get("memory", "512"), "current").get("current", "512")
        return int(text) * 2**20

    def drives(self) -> Iterator[Drive]:
        """Every volume in use, in the order of the keys; ``none`` is no volume."""
        for key in sorted(self.values):
            if key.rstrip("0123456789") not in _DRIVES:
                continue
            properties = parse(self.values[key], "file")
            volume = properties.pop("file", properties.pop("volume", "none"))
            if volume not in ("none", "cdrom"):
                yield Drive(key, volume, properties)

    def bridges(self) -> Iterator[str]:
        """The bridge of each network device."""
        for key in sorted(self.values):
            if key.startswith("net") and key[3:].isdigit():
                bridge = parse(self.values[key], "model").get("bridge")
                if bridge:
                    yield bridge

    def typed(self, values: Mapping[str, str]) -> dict[str, Value]:
        """Values as the API gives them: integers and booleans as numbers, the rest as text."""
        return {key: self._typed(key, text) for key, text in values.items()}

    def _typed(self, key: str, text: str) -> Value:
        parameter = find(KEYS[self.kind], key)
        if parameter is None or parameter.kind == "string":
            return text
        try:
            return convert(parameter, text)
        except Died:
            return text  # a line edited by hand is shown as it stands

    def with_pending_applied(self) -> GuestConfig:
        """The configuration that the next start will use."""
        kept = {key: text for key, text in self.values.items() if key not in self.deletions}
        changes = {key: text for key, text in self.pending.items() if key != "delete"}
        return replace(self, values={**kept, **changes}, pending={})


def parse_config(kind: GuestKind, raw: bytes) -> GuestConfig:
    """Read a configuration file."""
    sections: dict[str, dict[str, str]] = {"": {}, PENDING: {}}
    description: list[str] = []
    snapshots: list[str] = []
    section = ""
    for line in raw.decode(errors="replace").splitlines():
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        if section not in sections:
            snapshots.append(line)
        elif line.startswith("#"):
            description.append(unquote(line[1:]))
        else:
            key, colon, text = line.partition(":")
            if colon and key:
                sections[section][key] = text.strip()
    if description:
        sections[""]["description"] = "\n".join(description)
    return GuestConfig(
        kind=kind,
        values=sections[""],
        pending=sections[PENDING],
        digest=hashlib.sha1(raw, usedforsecurity=False).hexdigest(),
        snapshots="\n".join(snapshots),
    )


def format_config(config: GuestConfig) -> bytes:
    """The file's content; the vendor's own order (description, keys sorted, sections)."""
    lines = [
        "#" + quote(line, safe=" !\"#$&'()*+,-./;<=>?@[\\]^_`{|}~")
        for line in config.values.get("description", "").splitlines()
    ]
    lines += _key_lines({k: v for k, v in config.values.items() if k != "description"})
    if config.pending:
        lines += ["", f"[{PENDING}]", *_key_lines(config.pending)]
    if config.snapshots:
        lines += ["", config.snapshots]
    return ("\n".join(lines) + "\n").encode()


def _key_lines(values: Mapping[str, str]) -> list[str]:
    return [f"{key}: {values[key]}" for key in sorted(values)]
