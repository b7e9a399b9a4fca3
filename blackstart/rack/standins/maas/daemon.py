"""The process of ``snap.maas.pebble``: the API, the configuration of dhcpd, the image sync."""

from __future__ import annotations

import signal
import ssl
import threading
from types import FrameType

from ..pve import notify
from . import API_PORT, VERSION
from .dhcpd import DhcpServer
from .images import ImageSync
from .layout import Layout
from .oauth import Gatekeeper
from .routing import Maas
from .server import Api, Server
from .store import Store
from .units import Systemd

EVERYWHERE = "0.0.0.0"  # noqa: S104  MAAS listens on every address too


def main(_arguments: list[str]) -> int:
    """Serve until SIGTERM."""
    layout = Layout()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(layout.certificate, layout.key)
    store, units = Store(layout.state), Systemd()
    maas = Maas(store, units, DhcpServer(layout.dhcpd_conf, units), ImageSync(store, layout))
    server = Server((EVERYWHERE, API_PORT), Api(maas, Gatekeeper()), context)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # From another thread: shutdown() waits for the loop that this handler interrupts.
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    notify.ready()
    print(f"regiond: [info] MAAS {VERSION} (stand-in) listens on {API_PORT}", flush=True)
    # A power cut may have come between the state and what follows from it.
    maas.dhcp.follow(store)
    server.serve_forever()
    server.server_close()
    maas.images.close()
    return 0
