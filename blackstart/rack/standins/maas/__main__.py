"""``python3 -m standins.maas PROGRAM ...``: the service and the commands of the stand-in.

Each program imports only what it needs: under emulation an import costs.
"""

from __future__ import annotations

import sys
from importlib import import_module

PROGRAMS = {
    "daemon": ".daemon",
    "import": ".importer",
    "maas": ".commands.maas",
    "reservation": ".commands.reservation",
}


def main() -> int:
    """Run the program named first; 2 when there is none of that name."""
    if len(sys.argv) < 2 or sys.argv[1] not in PROGRAMS:
        print(f"usage: python3 -m standins.maas {{{'|'.join(PROGRAMS)}}} ...", file=sys.stderr)
        return 2
    program = import_module(PROGRAMS[sys.argv[1]], __package__)
    status: int = program.main(sys.argv[2:])
    return status


if __name__ == "__main__":
    sys.exit(main())
