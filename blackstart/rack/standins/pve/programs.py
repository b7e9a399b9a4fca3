"""``python3 -m PACKAGE PROGRAM ...``: one of the programs of a stand-in.

Each program imports only what it needs: under emulation an import costs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module


def run(package: str, programs: Mapping[str, str]) -> int:
    """Run the program named first, a module of the package; 2 when there is none of that name."""
    if len(sys.argv) < 2 or sys.argv[1] not in programs:
        print(f"usage: python3 -m {package} {{{'|'.join(programs)}}} ...", file=sys.stderr)
        return 2
    status: int = import_module(programs[sys.argv[1]], package).main(sys.argv[2:])
    return status
