"""The rack's own MAAS: its first state, with keys made up here."""

from __future__ import annotations

from blackstart.drivers.maas_api import Key
from blackstart.rack.seed import dhcp, dns
from blackstart.rack.standins.maas.first_state import Settings, first_state
from blackstart.rack.standins.maas.store import State
from blackstart.rack.topology import PVE

ADMINISTRATOR = Key("c1aaaaaaaaaaaaaaaa", "t1bbbbbbbbbbbbbbbb", "s1cccccccccccccccc")
ONLOOKER = Key("c2aaaaaaaaaaaaaaaa", "t2bbbbbbbbbbbbbbbb", "s2cccccccccccccccc")


def _text(key: Key) -> str:
    return f"{key.consumer}:{key.token}:{key.secret}"


SETTINGS = Settings(
    pool=dhcp.POOL,
    lease_s=dhcp.LEASE_S,
    names=dns.addresses(PVE),
    aliases=dns.aliases(PVE),
    administrators_key=_text(ADMINISTRATOR),
    onlookers_key=_text(ONLOOKER),
    omapi_secret="c2VjcmV0IG9mIGRoY3Bk",
)


def racks_state() -> State:
    """What MAAS knows when the rack is first built."""
    return first_state(PVE, SETTINGS)
