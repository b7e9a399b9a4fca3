"""The rack's own network: a namespace with one bridge, a tap per machine inside.

Nothing of it is connected to the host's network: no uplink, no forwarding.
"""

from __future__ import annotations

import os
from pathlib import Path

from blackstart.rack.command import run
from blackstart.rack.record import Process
from blackstart.rack.topology import Topology

NAMESPACE = "blackstart-rack"
HANDLE = Path("/run/netns") / NAMESPACE
BRIDGE = "br0"
TIMEOUT_S = 20.0
PRIVILEGES = {
    # Unprivileged ICMP probes (ping sockets): the kernel's default allows nobody.
    "ping_group_range": "0 2147483647",
    # A DHCP client's port, for a harness that sudo has dropped back to its caller.
    "ip_unprivileged_port_start": "68",
}
"""Settings of the namespace alone (ip(7), icmp(7))."""


def tap(machine: str) -> str:
    """The name of a machine's tap device (at most 15 characters)."""
    return f"tap-{machine}"[:15]


def exists() -> bool:
    """Whether the namespace is there."""
    return HANDLE.exists()


def create(topology: Topology) -> None:
    """Make the namespace with its bridge, addresses and taps.

    Raises `RackError` with ip(8)'s own words when it cannot.
    """
    run(["ip", "netns", "add", NAMESPACE], timeout=TIMEOUT_S)
    prefix = topology.network.prefixlen
    commands = [
        "link set lo up",
        f"link add {BRIDGE} address {topology.bridge_mac} "
        "type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        f"address add {topology.controller}/{prefix} dev {BRIDGE}",
    ]
    for machine in topology.machines:
        commands += [
            f"address add {machine.bmc_address}/{prefix} dev {BRIDGE}",
            f"tuntap add dev {tap(machine.name)} mode tap",
            f"link set {tap(machine.name)} master {BRIDGE} up",
        ]
    commands.append(f"link set {BRIDGE} up")
    run(["ip", "-n", NAMESPACE, "-batch", "-"], timeout=TIMEOUT_S, stdin="\n".join(commands) + "\n")
    for setting, value in PRIVILEGES.items():
        run(
            ["nsenter", f"--net={HANDLE}", "tee", f"/proc/sys/net/ipv4/{setting}"],
            timeout=TIMEOUT_S,
            stdin=f"{value}\n",
        )


def processes() -> list[Process]:
    """All processes inside the namespace, but for this one and its ancestors."""
    if not exists():
        return []
    listing = run(["ip", "netns", "pids", NAMESPACE], timeout=60)
    inside = {int(word) for word in listing.split()} - _own_line()
    return [process for pid in sorted(inside) if (process := Process.of(pid)) is not None]


def _own_line() -> set[int]:
    """The ids of this process and all its ancestors."""
    line, pid = set(), os.getpid()
    while pid > 0:
        line.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return line


def remove() -> None:
    """Remove the namespace and with it bridge and taps; nothing to do when it is gone."""
    if exists():
        run(["ip", "netns", "delete", NAMESPACE], timeout=TIMEOUT_S)
