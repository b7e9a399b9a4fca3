"""The management controller, asked by OpenStack's own client (sushy) over real HTTPS."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
import sushy
from aiohttp import web
from sushy import auth, exceptions

from blackstart.rack import pki
from blackstart.rack.power import PowerState, RestorePolicy
from blackstart.rack.redfish import USER, application
from blackstart.rack.topology import Topology
from tests.unit.rack.small import SMALL

PASSWORD = "correct horse"
SYSTEM = "/redfish/v1/Systems/one"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


@dataclass
class RecordedMachine:
    """A machine that remembers which buttons were pressed."""

    name: str = "one"
    restore_policy: RestorePolicy = "AlwaysOn"
    swallow_next: bool = False
    state: PowerState = "On"
    pressed: list[str] = field(default_factory=list)

    async def on(self) -> None:
        self.pressed.append("on")
        self.state = "On"

    async def off(self) -> None:
        self.pressed.append("off")
        self.state = "Off"

    async def cycle(self) -> None:
        self.pressed.append("cycle")

    async def reset(self) -> None:
        self.pressed.append("reset")

    async def press(self) -> None:
        self.pressed.append("press")

    async def off_for(self, seconds: float) -> None:
        self.pressed.append(f"off for {seconds:g}")
        self.state = "Off"


@dataclass
class Served:
    """A management controller on a loopback port."""

    machine: RecordedMachine
    url: str
    ca: Path

    def client(self, password: str = PASSWORD) -> sushy.main.Sushy:
        basic = auth.BasicAuth(USER, password)
        return sushy.Sushy(
            self.url,
            auth=basic,
            verify=str(self.ca),
            server_side_retries=0,
            root_prefix="/redfish/v1/",
        )

    def request(self, method: str, path: str, **kwargs: object) -> requests.Response:
        return requests.request(
            method,
            self.url + path,
            auth=(USER, PASSWORD),
            verify=str(self.ca),
            timeout=10,
            **kwargs,
        )


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pki") / "secrets"
    topology: Topology = SMALL
    pki.fill(directory, topology)
    return directory


@pytest.fixture
def served(secrets: Path) -> Iterator[Served]:
    machine = RecordedMachine()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(secrets / "one-bmc.crt", secrets / "one-bmc.key")
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application(machine, PASSWORD))
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    loop.run_until_complete(site.start())
    port = runner.addresses[0][1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield Served(machine, f"https://127.0.0.1:{port}", secrets / "ca.crt")
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.run_until_complete(runner.cleanup())
    loop.close()


def test_sushy_finds_the_machine_and_its_power(served: Served) -> None:
    system = served.client().get_system(SYSTEM)
    assert system.identity == "one"
    assert system.power_state == sushy.PowerState.ON
    assert sushy.ResetType.FORCE_OFF in system.get_allowed_reset_system_values()
    assert [member.identity for member in served.client().get_system_collection().get_members()]


def test_sushy_finds_the_manager_of_the_machine(served: Served) -> None:
    managers = served.client().get_system(SYSTEM).managers
    assert [manager.identity for manager in managers] == ["BMC"]
    assert managers[0].manager_type == sushy.ManagerType.BMC


@pytest.mark.parametrize(
    ("before", "kind", "pressed"),
    [
        ("On", sushy.ResetType.FORCE_OFF, "off"),
        ("Off", sushy.ResetType.ON, "on"),
        ("On", sushy.ResetType.FORCE_RESTART, "reset"),
        ("On", sushy.ResetType.GRACEFUL_SHUTDOWN, "press"),
        ("On", sushy.ResetType.POWER_CYCLE, "cycle"),
    ],
)
def test_each_reset_presses_its_button(
    served: Served, before: PowerState, kind: sushy.ResetType, pressed: str
) -> None:
    served.machine.state = before
    served.client().get_system(SYSTEM).reset_system(kind)
    assert served.machine.pressed == [pressed]


@pytest.mark.parametrize(
    ("state", "kind"), [("On", "On"), ("Off", "ForceOff"), ("Off", "GracefulShutdown")]
)
def test_a_command_against_the_power_state_is_refused(
    served: Served, state: PowerState, kind: str
) -> None:
    served.machine.state = state
    answer = served.request("POST", RESET, json={"ResetType": kind})
    assert answer.status_code == 409
    details = answer.json()["error"]["@Message.ExtendedInfo"][0]
    assert details["MessageId"] == "Blackstart.1.0.PowerStateConflict"
    assert served.machine.pressed == []


def test_sushy_sees_the_refusal_as_an_http_error(served: Served) -> None:
    with pytest.raises(exceptions.HTTPError) as refused:
        served.client().get_system(SYSTEM).reset_system(sushy.ResetType.ON)
    assert refused.value.status_code == 409


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "ActionParameterMissing"),
        ({"ResetType": "Explode"}, "ActionParameterValueNotInList"),
        (["On"], "MalformedJSON"),
    ],
)
def test_a_wrong_body_is_told_from_a_wrong_state(served: Served, body: object, key: str) -> None:
    answer = served.request("POST", RESET, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"].endswith(key)


def test_the_password_is_needed_beyond_the_service_root(served: Served) -> None:
    root = requests.get(served.url + "/redfish/v1/", verify=str(served.ca), timeout=10)
    assert root.status_code == 200
    bare = requests.get(served.url + SYSTEM, verify=str(served.ca), timeout=10)
    assert bare.status_code == 401
    assert "WWW-Authenticate" in bare.headers
    with pytest.raises(exceptions.AccessError):
        served.client("wrong").get_system(SYSTEM)


def test_a_command_without_password_does_nothing(served: Served) -> None:
    bare = requests.post(
        served.url + RESET, json={"ResetType": "ForceOff"}, verify=str(served.ca), timeout=10
    )
    assert bare.status_code == 401
    assert served.machine.pressed == []


def test_the_power_restore_policy_is_read_and_written(served: Served) -> None:
    answer = served.request("PATCH", SYSTEM, json={"PowerRestorePolicy": "LastState"})
    assert answer.json()["PowerRestorePolicy"] == "LastState"
    assert served.client().get_system(SYSTEM).json["PowerRestorePolicy"] == "LastState"
    assert served.request("PATCH", SYSTEM, json={"PowerRestorePolicy": "x"}).status_code == 400
    assert served.request("PATCH", SYSTEM, json={"Name": "x"}).status_code == 400
    assert served.machine.restore_policy == "LastState"


def test_a_timed_power_on_is_held_by_the_controller(served: Served) -> None:
    actions = served.client().get_system(SYSTEM).json["Actions"]["Oem"]
    target = actions["#Blackstart.TimedPowerOn"]["target"]
    for wrong in ({}, {"Seconds": "5"}, {"Seconds": 0}, {"Seconds": 4000}, {"Seconds": True}):
        assert served.request("POST", target, json=wrong).status_code == 400
    assert served.request("POST", target, json={"Seconds": 5}).status_code == 204
    assert served.machine.pressed == ["off for 5"]


def test_a_swallowed_command_is_answered_and_not_done_once(served: Served) -> None:
    manager = served.client().get_manager("/redfish/v1/Managers/BMC")
    target = manager.json["Actions"]["Oem"]["#Blackstart.SwallowNextPowerCommand"]["target"]
    assert served.request("POST", target, json={}).status_code == 204
    system = served.client().get_system(SYSTEM)
    system.reset_system(sushy.ResetType.FORCE_OFF)
    assert served.machine.pressed == []
    system.reset_system(sushy.ResetType.FORCE_OFF)
    assert served.machine.pressed == ["off"]


def test_unknown_resources_and_methods_get_the_standards_error(served: Served) -> None:
    assert served.request("GET", "/redfish/v1/Nothing").json()["error"]["code"] == (
        "Base.1.18.ResourceMissingAtURI"
    )
    assert served.request("DELETE", SYSTEM).status_code == 405
