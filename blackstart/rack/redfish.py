"""A machine's management controller: Redfish over HTTPS, as DMTF DSP0266 describes it.

Only what power drills need, in the standard's own shapes, plus two things of
our own under ``Oem``: a power-on that the controller itself holds the time of
(so that it happens although the client is gone), and a fault switch that
swallows the next power command, answered as if it had worked.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from aiohttp import web

from blackstart.rack.errors import MachineError
from blackstart.rack.power import PowerState, RestorePolicy
from blackstart.rack.redfish_errors import RedfishError, rejected
from blackstart.rack.redfish_resources import ROOT, PowerSwitch, Resources
from blackstart.rack.topology import Topology

USER = "blackstart"
PORT = 443
LONGEST_OFF_S = 3600

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


# ResetType (DSP8010, Resource.ResetType) -> the state it needs, what it does.
RESETS: dict[str, tuple[PowerState, Callable[[PowerSwitch], Awaitable[None]]]] = {
    "On": ("Off", lambda machine: machine.on()),
    "ForceOff": ("On", lambda machine: machine.off()),
    "ForceRestart": ("On", lambda machine: machine.reset()),
    "GracefulShutdown": ("On", lambda machine: machine.press()),
    "PowerCycle": ("On", lambda machine: machine.cycle()),
}


class ManagementController:
    """The requests to one machine's management controller."""

    def __init__(self, machine: PowerSwitch) -> None:
        self.machine = machine
        self.shown = Resources(machine, tuple(RESETS))

    async def show(self, request: web.Request) -> web.Response:
        """GET of any resource."""
        path = request.path.rstrip("/")
        resource = self.shown.resources().get(path)
        if resource is None:
            raise RedfishError(404, "ResourceMissingAtURI", f"there is no resource {path}")
        return web.json_response(resource, headers={"OData-Version": "4.0"})

    async def change(self, request: web.Request) -> web.Response:
        """PATCH of the system: its power-restore policy, the one thing that is writable."""
        body = await _body(request)
        unknown = sorted(set(body) - {"PowerRestorePolicy"})
        if unknown or not body:
            raise RedfishError(400, "PropertyUnknown", f"cannot write {', '.join(unknown) or '{}'}")
        policy = body["PowerRestorePolicy"]
        if policy not in get_args(RestorePolicy):
            raise RedfishError(400, "PropertyValueNotInList", f"no such policy: {policy}")
        self.machine.restore_policy = policy
        return web.json_response(self.shown.system())

    async def reset(self, request: web.Request) -> web.Response:
        """ComputerSystem.Reset."""
        body = await _body(request)
        kind = body.get("ResetType")
        if kind is None:
            raise RedfishError(400, "ActionParameterMissing", "ResetType is missing")
        if kind not in RESETS:
            raise RedfishError(400, "ActionParameterValueNotInList", f"no such ResetType: {kind}")
        needed, act = RESETS[kind]
        return await self._command(kind, needed, act)

    async def timed_power_on(self, request: web.Request) -> web.Response:
        """Blackstart.TimedPowerOn: off now, on again after ``Seconds`` (1 to 3600)."""
        seconds = (await _body(request)).get("Seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise RedfishError(400, "ActionParameterMissing", "Seconds is missing or no number")
        if not 1 <= seconds <= LONGEST_OFF_S:
            raise RedfishError(
                400, "ActionParameterValueOutOfRange", f"Seconds is 1 to {LONGEST_OFF_S}"
            )
        return await self._command(
            "TimedPowerOn", "On", lambda machine: machine.off_for(float(seconds))
        )

    async def swallow_next(self, _: web.Request) -> web.Response:
        """Blackstart.SwallowNextPowerCommand: the next one is answered, and not done."""
        self.machine.swallow_next = True
        return web.Response(status=204)

    async def _command(
        self, kind: str, needed: PowerState, act: Callable[[PowerSwitch], Awaitable[None]]
    ) -> web.Response:
        if self.machine.state != needed:
            raise RedfishError(
                409,
                "PowerStateConflict",
                f"{kind} needs the power {needed}; it is {self.machine.state}",
                resolution="Read PowerState before the action.",
            )
        if self.machine.swallow_next:
            self.machine.swallow_next = False
            log.info("%s: %s swallowed", self.machine.name, kind)
            return web.Response(status=204)
        log.info("%s: %s", self.machine.name, kind)
        try:
            await act(self.machine)
        except MachineError as error:
            raise RedfishError(500, "InternalError", error.problem) from error
        return web.Response(status=204)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise RedfishError(400, "MalformedJSON", "the body is not JSON") from error
    if not isinstance(body, dict):
        raise RedfishError(400, "MalformedJSON", "the body is not a JSON object")
    return body


def application(machine: PowerSwitch, password: str) -> web.Application:
    """The web application of one machine's management controller."""
    controller = ManagementController(machine)
    expected = f"{USER}:{password}".encode()

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        public = request.path.rstrip("/") in ("/redfish", ROOT)  # DSP0266: no authentication
        kind, _, coded = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(coded, validate=True) if kind.lower() == "basic" else b""
        except binascii.Error:
            given = b""
        if not public and not hmac.compare_digest(given, expected):
            raise RedfishError(401, "NoValidSession", "user name and password are needed")
        return await handler(request)

    app = web.Application(middlewares=[rejected, authenticate])
    actions = f"{controller.shown.system_path}/Actions"
    faults = f"{controller.shown.manager_path}/Actions/Oem"
    app.router.add_patch(controller.shown.system_path, controller.change)
    app.router.add_post(f"{actions}/ComputerSystem.Reset", controller.reset)
    app.router.add_post(f"{actions}/Oem/Blackstart.TimedPowerOn", controller.timed_power_on)
    app.router.add_post(f"{faults}/Blackstart.SwallowNextPowerCommand", controller.swallow_next)
    app.router.add_get("/{path:.*}", controller.show)
    return app


async def serve(
    topology: Topology, machines: Mapping[str, PowerSwitch], secrets: Path
) -> list[web.AppRunner]:
    """Serve every machine's management controller at its own address, port 443."""
    password = (secrets / "bmc-password").read_text("utf-8")
    runners = []
    for machine in topology.machines:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        name = f"{machine.name}-bmc"
        tls.load_cert_chain(secrets / f"{name}.crt", secrets / f"{name}.key")
        runner = web.AppRunner(application(machines[machine.name], password), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, str(machine.bmc_address), PORT, ssl_context=tls).start()
        runners.append(runner)
    return runners
