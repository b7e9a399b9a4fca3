"""A MAAS stand-in on loopback: its files in a directory, its services a dictionary."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blackstart.rack.standins.maas.client import Client
from blackstart.rack.standins.maas.dhcpd import DhcpServer, configuration
from blackstart.rack.standins.maas.images import ImageSync
from blackstart.rack.standins.maas.imagesync import Parameters
from blackstart.rack.standins.maas.layout import Layout
from blackstart.rack.standins.maas.oauth import Gatekeeper
from blackstart.rack.standins.maas.routing import Maas
from blackstart.rack.standins.maas.server import Api, Server
from blackstart.rack.standins.maas.store import State, Store
from blackstart.rack.standins.maas.units import DHCPD, NAMED, PEBBLE, UnitState
from tests.unit.drivers.tls_server import Authority

LOOPBACK = "127.0.0.1"
RUNNING = UnitState("active", "running", "Fri 2026-11-20 14:03:00 UTC")
STOPPED = UnitState("inactive", "dead", "Fri 2026-11-20 14:03:00 UTC")
IMPORTER = (sys.executable, "-m", "blackstart.rack.standins.maas", "import")
QUICK = Parameters(resources=24, mib_each=1, memory_share=0.0, sync_s=0.2, hold_s=0.0)
END_S = 30.0


@dataclass
class FakeUnits:
    """The guest's services: how each is, and what was restarted. ``refusal`` is why not."""

    states_of: dict[str, UnitState] = field(
        default_factory=lambda: dict.fromkeys((PEBBLE, DHCPD, NAMED), RUNNING)
    )
    restarted: list[str] = field(default_factory=list)
    refusal: str = ""

    def states(self, *units: str) -> Mapping[str, UnitState]:
        return {unit: self.states_of[unit] for unit in units if unit in self.states_of}

    def restart(self, unit: str) -> str:
        self.restarted.append(unit)
        return self.refusal


@dataclass
class StandIn:
    """One that serves. ``clock`` is what it takes for the time, in seconds."""

    maas: Maas
    units: FakeUnits
    layout: Layout
    ca: Path
    port: int
    shift_s: float = 0.0

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self.port}/MAAS"

    @property
    def state(self) -> State:
        return self.maas.store.snapshot()

    def on_disk(self) -> State:
        """The state as the next process would read it."""
        return Store(self.layout.state).snapshot()

    def clock(self) -> float:
        return time.time() + self.shift_s

    def client(self, user: int = 0, /, **changes: str) -> Client:
        """As a user calls it; ``changes`` replace parts of their key."""
        key = {**self.state["users"][user]["keys"][0], **changes}
        trust = ssl.create_default_context(cafile=str(self.ca))
        return Client(LOOPBACK, **key, trust=trust, port=self.port)

    def until_imported(self) -> None:
        """Wait for the end of an import, and of what follows from it."""
        deadline = time.monotonic() + END_S
        reader = self.maas.images._reader
        assert reader is not None
        reader.join(END_S)
        assert time.monotonic() < deadline


@contextmanager
def standing_in(
    directory: Path, state: State, importer: Sequence[str] = IMPORTER
) -> Iterator[StandIn]:
    """Serve a state over TLS on loopback, from threads of this process."""
    layout = Layout(directory / "maas")
    layout.images.mkdir(parents=True)
    layout.state.write_text(json.dumps(state))
    layout.dhcpd_conf.write_text(configuration(state))
    layout.image_sync.write_text(QUICK.text())
    authority = Authority.make(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue(directory, LOOPBACK))
    units, store = FakeUnits(), Store(layout.state)
    maas = Maas(
        store, units, DhcpServer(layout.dhcpd_conf, units), ImageSync(store, layout, importer)
    )
    found = StandIn(maas, units, layout, authority.ca, 0)
    gatekeeper = Gatekeeper(found.clock)
    server = Server((LOOPBACK, 0), Api(maas, gatekeeper), context)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
        maas.images.close()


def write_images(layout: Layout, state: State) -> None:
    """Put every file that the state calls complete on disk."""
    for resource in state["boot_resources"]:
        for held in resource["sets"].values():
            for file in held["files"].values():
                if file["complete"]:
                    (layout.images / file["on_disk"]).write_bytes(b"x" * file["size"])


def image_sets(client: Client) -> dict[int, dict[str, Any]]:
    """The sets of every boot resource by its id, as the API shows them."""
    listed = client.call("GET", "boot-resources/")
    return {
        each["id"]: client.call("GET", f"boot-resources/{each['id']}/")["sets"] for each in listed
    }
