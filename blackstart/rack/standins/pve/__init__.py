"""Stand-in for Proxmox VE 9.1 on one hypervisor of the rack.

Not the real thing: the part of its API, command line and cluster file system
that drills meet, held to the vendor's schema and to recorded answers of the
genuine 9.1.7 by the tests in ``tests/contract``. It runs inside the machine on
Python's standard library and aiohttp alone.
"""

VERSION = "9.1.7"
RELEASE = "9.1"
REPOSITORY_ID = "ad92ef6082138bff"
API_PORT = 8006
"""TCP port of the vendor's HTTPS API."""
REPLICATION_PORT = 8016
"""TCP port on which the nodes' cluster file systems speak to each other (our own choice)."""
