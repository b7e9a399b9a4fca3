"""The service behind port 8006: API, proxy to the other node, and the node's figures."""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl
from pathlib import Path

from aiohttp import web

from . import API_PORT, notify
from .collection import PERIOD_S, collect
from .errors import Died
from .forward import Forwarder
from .hoststats import CpuUsage
from .node import Node, this_node
from .server import make_app

EVERYWHERE = "0.0.0.0"  # noqa: S104  the vendor listens on every address too


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM."""
    node = this_node()
    parser = argparse.ArgumentParser(prog="pve daemon")
    parser.add_argument("--certificate", type=Path, default=node.layout.certificate(node.name))
    parser.add_argument("--key", type=Path, default=node.layout.key(node.name))
    parser.add_argument("--port", type=int, default=API_PORT)
    options = parser.parse_args(arguments)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate, options.key)
    asyncio.run(_serve(node, context, options.port))
    return 0


async def _serve(node: Node, context: ssl.SSLContext, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = make_app(node, Forwarder(node.layout.authority, port))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, EVERYWHERE, port, ssl_context=context).start()
    collector = asyncio.create_task(_collect_for_ever(node))
    notify.ready()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, collector], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await runner.cleanup()
    if collector.done():
        collector.result()  # it has failed: say why, systemd starts us anew
    collector.cancel()


async def _collect_for_ever(node: Node) -> None:
    cpu = CpuUsage()
    while True:
        try:
            await asyncio.to_thread(collect, node, cpu)
        except (OSError, Died) as error:
            print(f"figures could not be collected: {error}", flush=True)
        await asyncio.sleep(PERIOD_S)
