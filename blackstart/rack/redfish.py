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
from typing import Any, Protocol, get_args

from aiohttp import web

from blackstart.rack.errors import MachineError
from blackstart.rack.power import PowerState, RestorePolicy
from blackstart.rack.redfish_errors import RedfishError, rejected
from blackstart.rack.topology import Topology

USER = "blackstart"
PORT = 443
ROOT = "/redfish/v1"
LONGEST_OFF_S = 3600

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PowerSwitch(Protocol):
    """What a management controller can do to its machine (`MachinePower` does it)."""

    name: str
    restore_policy: RestorePolicy
    swallow_next: bool

    @property
    def state(self) -> PowerState:
        """Whether the machine is on."""

    async def on(self) -> None:
        """Switch on."""

    async def off(self) -> None:
        """Cut the power."""

    async def cycle(self) -> None:
        """Cut the power and switch on again."""

    async def reset(self) -> None:
        """Reset the processor."""

    async def press(self) -> None:
        """Press the power button shortly."""

    async def off_for(self, seconds: float) -> None:
        """Cut the power, and switch on by itself after ``seconds``."""


# ResetType (DSP8010, Resource.ResetType) -> the state it needs, what it does.
RESETS: dict[str, tuple[PowerState, Callable[[PowerSwitch], Awaitable[None]]]] = {
    "On": ("Off", lambda machine: machine.on()),
    "ForceOff": ("On", lambda machine: machine.off()),
    "ForceRestart": ("On", lambda machine: machine.reset()),
    "GracefulShutdown": ("On", lambda machine: machine.press()),
    "PowerCycle": ("On", lambda machine: machine.cycle()),
}


class ManagementController:
    """The resources of one machine's management controller."""

    def __init__(self, machine: PowerSwitch) -> None:
        self.machine = machine
        self.system = f"{ROOT}/Systems/{machine.name}"
        self.controller = f"{ROOT}/Managers/BMC"

    def resources(self) -> dict[str, dict[str, Any]]:
        """Every resource that can be read, by its path, as it is now."""
        return {
            "/redfish": {"v1": f"{ROOT}/"},
            ROOT: self._root(),
            f"{ROOT}/Systems": _collection("ComputerSystem", f"{ROOT}/Systems", self.system),
            self.system: self._system(),
            f"{ROOT}/Managers": _collection("Manager", f"{ROOT}/Managers", self.controller),
            self.controller: self._manager(),
        }

    def _root(self) -> dict[str, Any]:
        return {
            "@odata.id": f"{ROOT}/",
            "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot",
            "Id": "RootService",
            "Name": "Root Service",
            "RedfishVersion": "1.17.0",
            "Product": "blackstart rack",
            "Vendor": "blackstart",
            "Systems": {"@odata.id": f"{ROOT}/Systems"},
            "Managers": {"@odata.id": f"{ROOT}/Managers"},
            "Links": {},
        }

    def _system(self) -> dict[str, Any]:
        actions = f"{self.system}/Actions"
        return {
            "@odata.id": self.system,
            "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem",
            "Id": self.machine.name,
            "Name": self.machine.name,
            "SystemType": "Virtual",
            "PowerState": self.machine.state,
            "PowerRestorePolicy": self.machine.restore_policy,
            "Status": {"State": "Enabled", "Health": "OK"},
            "Links": {"ManagedBy": [{"@odata.id": self.controller}]},
            "Actions": {
                "#ComputerSystem.Reset": {
                    "target": f"{actions}/ComputerSystem.Reset",
                    "ResetType@Redfish.AllowableValues": list(RESETS),
                },
                "Oem": {
                    "#Blackstart.TimedPowerOn": {
                        "target": f"{actions}/Oem/Blackstart.TimedPowerOn",
                    },
                },
            },
        }

    def _manager(self) -> dict[str, Any]:
        return {
            "@odata.id": self.controller,
            "@odata.type": "#Manager.v1_19_0.Manager",
            "Id": "BMC",
            "Name": f"Management controller of {self.machine.name}",
            "ManagerType": "BMC",
            "PowerState": "On",
            "Status": {"State": "Enabled", "Health": "OK"},
            "Links": {"ManagerForServers": [{"@odata.id": self.system}]},
            "Actions": {
                "Oem": {
                    "#Blackstart.SwallowNextPowerCommand": {
                        "target": f"{self.controller}/Actions/Oem"
                        "/Blackstart.SwallowNextPowerCommand",
                    },
                },
            },
        }

    async def show(self, request: web.Request) -> web.Response:
        """GET of any resource."""
        path = request.path.rstrip("/")
        resource = self.resources().get(path)
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
        return web.json_response(self._system())

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


def _collection(kind: str, path: str, member: str) -> dict[str, Any]:
    return {
        "@odata.id": path,
        "@odata.type": f"#{kind}Collection.{kind}Collection",
        "Name": f"{kind} Collection",
        "Members@odata.count": 1,
        "Members": [{"@odata.id": member}],
    }


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
    app.add_routes(
        [
            web.patch(controller.system, controller.change),
            web.post(f"{controller.system}/Actions/ComputerSystem.Reset", controller.reset),
            web.post(
                f"{controller.system}/Actions/Oem/Blackstart.TimedPowerOn",
                controller.timed_power_on,
            ),
            web.post(
                f"{controller.controller}/Actions/Oem/Blackstart.SwallowNextPowerCommand",
                controller.swallow_next,
            ),
            web.get("/{path:.*}", controller.show),
        ]
    )
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
