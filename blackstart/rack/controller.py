"""The rack's one background process: it holds the machines and their management controllers.

It runs inside the rack's network namespace, is started by ``rack up`` and ended
by ``rack down``. Machines are its children and die with it. Its own command
socket (a UNIX socket for root) is for ``rack``; everybody else uses Redfish.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from aiohttp import web

from blackstart.rack import redfish
from blackstart.rack.disks import seed_hash
from blackstart.rack.errors import MachineError
from blackstart.rack.home import CONTROLLER_SOCKET, Home
from blackstart.rack.image import Image
from blackstart.rack.power import MachinePower
from blackstart.rack.qemu_command import Boot
from blackstart.rack.topology import TOPOLOGIES

log = logging.getLogger("blackstart.rack.controller")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the controller is started with (JSON on its standard input)."""

    topology: str
    home: str
    image: str
    kvm: bool
    load: bool


class Controller:
    """All machines of a topology; ``build`` is that of the image they lie over."""

    def __init__(self, machines: Mapping[str, MachinePower], build: str, *, kvm: bool) -> None:
        self.machines = machines
        self.build = build
        self.kvm = kvm

    async def start(self, *, load: bool) -> None:
        """Switch all machines on; with ``load`` in the saved state, all going on at once."""
        machines = self.machines.values()
        await asyncio.gather(*(machine.on(load=load) for machine in machines))
        if load:
            await asyncio.gather(*(machine.resume() for machine in machines))

    async def stop(self) -> None:
        """Cut the power of all machines."""
        await asyncio.gather(*(machine.off() for machine in self.machines.values()))

    async def save(self) -> None:
        """Save the state of all machines as of one moment, then let them run on."""
        machines = self.machines.values()
        await asyncio.gather(*(machine.stop() for machine in machines))
        try:
            await asyncio.gather(*(machine.save() for machine in machines))
        finally:
            await asyncio.gather(*(machine.resume() for machine in machines))

    async def restore(self) -> None:
        """Back to the saved state, whatever the machines did since."""
        await self.stop()
        for machine in self.machines.values():
            machine.restore_policy = "AlwaysOn"
            machine.swallow_next = False
        await self.start(load=True)


def command_app(controller: Controller) -> web.Application:
    """The command socket: ``GET /`` and ``POST /save /restore /machines/NAME/VERB``."""

    async def show(_: web.Request) -> web.Response:
        machines = {
            name: {"power": machine.state, "pid": machine.pid}
            for name, machine in controller.machines.items()
        }
        return web.json_response(
            {"machines": machines, "kvm": controller.kvm, "build": controller.build}
        )

    async def act(request: web.Request) -> web.Response:
        verb = request.match_info["verb"]
        name = request.match_info.get("name")
        holder: object = controller if name is None else controller.machines[name]
        try:
            await getattr(holder, verb)()
        except MachineError as error:
            return web.json_response({"problem": error.problem}, status=409)
        return await show(request)

    app = web.Application()
    names = "|".join(controller.machines)
    app.add_routes(
        [
            web.get("/", show),
            web.post("/{verb:save|restore}", act),
            web.post(f"/machines/{{name:{names}}}/{{verb:on|off|cycle}}", act),
        ]
    )
    return app


async def serve(settings: Settings) -> None:
    """Switch the machines on and serve until SIGTERM."""
    topology = TOPOLOGIES[settings.topology]
    home = Home(Path(settings.home))
    image = Image(Path(settings.image))
    machines = {
        machine.name: MachinePower(
            machine, Boot(image, home, seed_hash(home.machine(machine.name).seed), settings.kvm)
        )
        for machine in topology.machines
    }
    controller = Controller(machines, image.build, kvm=settings.kvm)
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    runners = await redfish.serve(topology, controller.machines, home.secrets)
    try:
        await controller.start(load=settings.load)
        commands = web.AppRunner(command_app(controller), access_log=None)
        await commands.setup()
        runners.append(commands)
        CONTROLLER_SOCKET.unlink(missing_ok=True)
        await web.UnixSite(commands, str(CONTROLLER_SOCKET)).start()
        CONTROLLER_SOCKET.chmod(0o600)
        log.info("serving %s: %s", topology.name, asdict(settings))
        await ended.wait()
    finally:
        await controller.stop()
        for runner in runners:
            await runner.cleanup()
        CONTROLLER_SOCKET.unlink(missing_ok=True)


def main() -> None:
    """Entry of ``python -m blackstart.rack.controller``."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("qemu").setLevel(logging.CRITICAL)
    settings = Settings(**json.loads(sys.stdin.read()))
    try:
        asyncio.run(serve(settings))
    except MachineError as error:
        log.error("%s", error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
