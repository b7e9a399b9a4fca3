"""``python3 -m k3s CONFIGURATION``: serve until killed; exit 1 when this is no member."""

from __future__ import annotations

import sys
from pathlib import Path

from .access import Accounts
from .cluster import Configuration, NotStarted, await_address
from .members import Members
from .server import Server


def main(path: str) -> int:
    """Serve for ever; 1, with the reason on stderr, when this server may not start."""
    configuration = Configuration.read(Path(path))
    try:
        await_address(configuration)
    except NotStarted as error:
        print(f'level=fatal msg="starting kubernetes: {error}"', file=sys.stderr)
        return 1
    members = Members(configuration)
    members.watch()
    with Server(configuration, members, Accounts.read(configuration)) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
