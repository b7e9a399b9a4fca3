"""Stand-in for MAAS 3.6 in the rack's guest ``maas``, in front of a real dhcpd and BIND.

Not the real thing: the part of its API, services and image sync that drills meet, held to the
recorded exchanges of a genuine MAAS by the tests in ``tests/contract``. It runs inside the guest
as the package ``standins.maas``, on Python's standard library alone.
"""

VERSION = "3.6.5"
SUBVERSION = "17585-g.5a8ee1ce1"
API_PORT = 5443
"""TCP port of MAAS' own HTTPS (``maas config-tls enable``)."""
API_ROOT = "/MAAS/api/2.0/"
