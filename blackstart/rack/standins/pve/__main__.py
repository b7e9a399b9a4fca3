"""``python3 -m pve PROGRAM ...``: the services and the commands of the stand-in."""

from __future__ import annotations

import sys

from .programs import run

PROGRAMS = {
    "daemon": ".daemon",
    "pmxcfs": ".replication.daemon",
    "guests": ".allguests",
    "qm": ".commands.qm",
    "pct": ".commands.pct",
    "pvesm": ".commands.pvesm",
    "pvecm": ".commands.pvecm",
    "pveversion": ".commands.pveversion",
}

if __name__ == "__main__":
    sys.exit(run(str(__package__), PROGRAMS))
