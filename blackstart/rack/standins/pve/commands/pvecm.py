"""``pvecm``: the cluster as corosync sees it."""

from __future__ import annotations

import argparse
import subprocess
import sys

from ..replication.corosync import CONFIGURATION, QUORUMTOOL, read_configuration
from .guestcommand import FAILED

NO_CLUSTER = (
    "Error: Corosync config '/etc/pve/corosync.conf' does not exist - "
    "is this node part of a cluster?"
)
ASK_TIMEOUT_S = 5
_TABLE = "Membership information"


def main(arguments: list[str]) -> int:
    """Entry point of ``pvecm``."""
    parser = argparse.ArgumentParser(prog="pvecm")
    parser.add_argument("command", choices=("status", "nodes"))
    command = parser.parse_args(arguments).command
    configuration = read_configuration(CONFIGURATION)
    if configuration is None:
        print(NO_CLUSTER, file=sys.stderr)
        return FAILED
    try:
        answer = subprocess.run(
            [QUORUMTOOL, "-s"], capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"Cannot initialize CMAP service: {error}", file=sys.stderr)
        return FAILED
    if _TABLE not in answer.stdout:
        print(answer.stderr.strip() or "Cannot initialize CMAP service", file=sys.stderr)
        return FAILED
    if command == "status":
        print("Cluster information\n-------------------")
        print(f"Name:             {configuration.name}")
        print(f"Config Version:   {configuration.version}")
        print("Transport:        knet\nSecure auth:      on\n")
        print(answer.stdout.strip())
    else:
        print(f"\n{_TABLE}{answer.stdout.partition(_TABLE)[2].rstrip()}")
    return 0
