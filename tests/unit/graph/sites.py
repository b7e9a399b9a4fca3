"""Sites of any size for the boot graph, and ways to make each of them another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from blackstart.graph.build import boot_graph
from blackstart.graph.inputs import BootInputs, HostNames
from blackstart.model.boot_graph import BootGraph
from blackstart.model.circumstances import HighAvailability
from blackstart.model.facts import ClusterFacts, GuestFacts, Observed, SiteFacts, unread
from blackstart.model.host_boot import FstabLine
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import StoreDefinition

FIRST = ("maas", "dns2", "docker1", "k3s1", "k3s2", "k3s3", "vault")
NOFAIL = "defaults,_netdev,nofail,x-systemd.device-timeout=10"
PLAIN = "defaults,_netdev"
NAS, NAS_NAME = "10.0.0.20", "nas1.lab.test"


def seen(value: Any, source: str = "read") -> Observed[Any]:
    return Observed[Any](value=value, source=source)


def lost(source: str = "read", error: str = "no answer") -> Observed[Any]:
    return Observed[Any](source=source, error=error)


def names_of(count: int) -> tuple[str, ...]:
    return (*FIRST, *(f"app{number}" for number in range(1, 100)))[:count]


def node_of(number: int, nodes: int) -> str:
    return f"pve{number % nodes + 1}"


def document(count: int, nodes: int, **changes: Any) -> dict[str, Any]:
    """An inventory of so many guests on so many hypervisors, and a NAS."""
    names = names_of(count)
    address = {name: f"10.0.0.{50 + number}" for number, name in enumerate(names)}
    servers = [name for name in ("maas", "dns2") if name in names]
    whole: dict[str, Any] = {
        "site": "lab",
        "domain": "lab.test",
        "proxmox": {"token": "env:TOKEN"},
        "nodes": {
            f"pve{number}": {"address": f"10.0.0.{10 + number}", "api": "proxmox"}
            for number in range(1, nodes + 1)
        }
        | {"nas1": {"address": NAS, "role": "nas"}},
        "guests": {
            name: {
                "vmid": 100 + number,
                "kind": "qemu",
                "node": node_of(number, nodes),
                "address": address[name],
                "mac": f"bc:24:11:00:00:{number:02x}",
                "ssh": name == "docker1",
            }
            for number, name in enumerate(names)
        },
        "dns": {
            "servers": {name: {"address": address[name], "guest": name} for name in servers},
            "names": {NAS_NAME: {"addresses": [NAS]}},
        },
        "dhcp": {"maas": {"address": address["maas"], "interface": "eno1", "guest": "maas"}},
        "services": {
            name: {"tcp": f"{address[name]}:443", "guest": name}
            for name in names
            if name.startswith("app")
        },
        "mounts": {
            f"{host}-vms": {
                **{"host": host, "path": "/mnt/nas/vms"},
                **{"server": "nas1", "export": "/export/vms"},
            }
            for host in (f"pve{number}" for number in range(1, nodes + 1))
        },
        "never_down": {"household-dns": {"any_of": [f"dns/{name}" for name in servers]}},
    }
    if "docker1" in names:
        whole["compose"] = {
            "web": {
                **{"guest": "docker1", "directory": "/opt/web"},
                **{"services": ["web"], "sentinel": "/opt/web/data"},
            }
        }
    if "k3s3" in names:
        servers = ["k3s1", "k3s2", "k3s3"]
        whole["k3s"] = {"servers": servers, "token": "env:T", "ca": "file:/etc/ca.pem"}
    return {**whole, **changes}


def config(name: str, number: int, **changes: str) -> dict[str, str]:
    """A guest's configuration: its turn as listed, its volume on the local store."""
    found = {
        "net0": "virtio=BC:24:11:00:00:00,bridge=vmbr0",
        "scsi0": f"local:{100 + number}/vm-{100 + number}-disk-0.raw,size=8G",
        "startup": f"order={number + 1}" + (",up=30" if name == "maas" else ""),
    }
    if name not in ("maas", "dns2"):
        found["ipconfig0"] = "ip=dhcp"
    return found | changes


def guest_facts(name: str, number: int, node: str, **changes: Any) -> GuestFacts:
    path = f"api GET nodes/{node}/qemu/{100 + number}"
    found = {
        "node": seen(node, "api GET cluster/resources"),
        "status": seen("running", f"{path}/status/current"),
        "onboot": seen(True, f"{path}/config"),
        "config": seen(config(name, number), f"{path}/config"),
        "booted": seen(True),
        "interfaces": seen({}),
    }
    return GuestFacts(**{**found, **changes})


def fstab(
    options: str = NOFAIL, server: str = NAS, *more: tuple[str, str, str, str]
) -> Observed[tuple[FstabLine, ...]]:
    """An fstab whose line 7 mounts the NAS, and more lines after it."""
    lines = [
        ("UUID=1111", "/", "ext4", "errors=remount-ro"),
        (f"{server}:/export/vms", "/mnt/nas/vms", "nfs", options),
        *more,
    ]
    return seen(
        tuple(
            FstabLine(
                **{"file": "/etc/fstab", "line": 6 + turn, "spec": spec},
                **{"path": path, "fstype": kind, "options": tuple(words.split(","))},
            )
            for turn, (spec, path, kind, words) in enumerate(lines)
        ),
        "ssh: /etc/fstab",
    )


STORES = (
    StoreDefinition(name="local", kind="dir", path="/var/lib/vz"),
    StoreDefinition(name="nas-vms", kind="dir", path="/mnt/nas/vms", shared=True),
)


def inputs(count: int = 3, nodes: int = 2, **changes: Any) -> BootInputs:
    """A site that is well: mounts by address and nofail, everything onboot, all of it seen."""
    inventory = Inventory.model_validate(document(count, nodes, **changes))
    names = list(inventory.guests)
    hosts = list(inventory.nodes)
    hypervisors = tuple(name for name in hosts if name != "nas1")
    servers = inventory.dns.servers.values() if inventory.dns else ()
    resolvers = tuple(str(server.address) for server in servers)
    return BootInputs(
        inventory=inventory,
        facts=SiteFacts(
            taken_at=0.0,
            guests={
                name: guest_facts(name, number, inventory.guests[name].node)
                for number, name in enumerate(names)
            },
            names={
                f"{server}/{NAS_NAME}": seen((NAS,), f"dns {server}: {NAS_NAME}")
                for server in (inventory.dns.servers if inventory.dns else {})
            },
            cluster=ClusterFacts(
                quorate=seen(True),
                online=seen(hypervisors, "api GET cluster/status"),
                votes=seen(nodes + 1, "corosync-quorumtool -s"),
                quorum=seen((nodes + 1) // 2 + 1, "corosync-quorumtool -s"),
            ),
        ),
        fstab={host: fstab() if host != "nas1" else seen((), "ssh: /etc/fstab") for host in hosts},
        stores=seen(STORES, "api GET storage"),
        names={
            host: HostNames(
                table=seen({}, f"ssh {host}: /etc/hosts"),
                resolvers=seen(resolvers, f"ssh {host}: /etc/resolv.conf"),
            )
            for host in hosts
        },
        high_availability=seen(
            HighAvailability(managed=(), maintenance=(), disarmed=False),
            "api GET cluster/ha/status/current",
        ),
    )


def with_fstab(given: BootInputs, **hosts: Observed[Any] | None) -> BootInputs:
    """The same with another fstab on some hosts; ``None``: nobody looked."""
    found: dict[str, Any] = {**given.fstab, **hosts}
    return replace(given, fstab={name: line for name, line in found.items() if line is not None})


def with_guest(given: BootInputs, name: str, **facts: Any) -> BootInputs:
    """The same with other facts of one guest; ``startup="order=2"`` and such are its config."""
    guest = given.facts.guests[name]
    keys = {key: value for key, value in facts.items() if not isinstance(value, Observed)}
    known: Mapping[str, str] = guest.config.value or {}
    changed = {key: value for key, value in facts.items() if isinstance(value, Observed)}
    if keys:
        changed["config"] = seen({**known, **keys}, guest.config.source)
    guests = {**given.facts.guests, name: guest.model_copy(update=changed)}
    return replace(given, facts=given.facts.model_copy(update={"guests": guests}))


def unreadable(given: BootInputs, name: str) -> BootInputs:
    """The same with a guest of whom nothing could be read."""
    guests = {**given.facts.guests, name: unread(GuestFacts, "api", "403 Permission denied")}
    return replace(given, facts=given.facts.model_copy(update={"guests": guests}))


def by_name(given: BootInputs, *hosts: str, options: str = PLAIN) -> BootInputs:
    """The incident: these hosts mount the NAS by its name, and wait for it."""
    return with_fstab(given, **{host: fstab(options, NAS_NAME) for host in hosts})


def graph(given: BootInputs) -> BootGraph:
    return boot_graph(given)
