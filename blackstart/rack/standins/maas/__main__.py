"""``python3 -m standins.maas PROGRAM ...``: the service and the commands of the stand-in."""

from __future__ import annotations

import sys

from ..pve.programs import run

PROGRAMS = {
    "daemon": ".daemon",
    "import": ".importer",
    "maas": ".commands.maas",
    "reservation": ".commands.reservation",
}

if __name__ == "__main__":
    sys.exit(run(str(__package__), PROGRAMS))
