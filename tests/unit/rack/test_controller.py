"""The controller: all machines saved as of one moment, restored together, and its commands."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from blackstart.rack.controller import Controller, command_app
from blackstart.rack.errors import MachineError


class RecordedMachine:
    """Writes what it is asked for into a log that all machines share."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log
        self.state = "On"
        self.pid = 42
        self.restore_policy = "AlwaysOff"
        self.swallow_next = True
        self.fails_to: str | None = None

    def _did(self, what: str) -> None:
        self.log.append(f"{self.name} {what}")
        if self.fails_to == what:
            raise MachineError(f"{self.name} cannot {what}")

    async def on(self, *, load: bool = False) -> None:
        self._did("load" if load else "on")

    async def off(self) -> None:
        self._did("off")

    async def cycle(self) -> None:
        self._did("cycle")

    async def stop(self) -> None:
        self._did("stop")

    async def save(self) -> None:
        self._did("save")

    async def resume(self) -> None:
        self._did("resume")


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def controller(log: list[str]) -> Controller:
    return Controller({name: RecordedMachine(name, log) for name in ("a", "b")}, "b1", kvm=False)


@pytest.fixture
async def commands(controller: Controller) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(command_app(controller))) as client:
        yield client


async def test_all_machines_halt_before_any_is_saved(
    controller: Controller, log: list[str]
) -> None:
    await controller.save()
    assert log == ["a stop", "b stop", "a save", "b save", "a resume", "b resume"]


async def test_machines_go_on_when_one_cannot_be_saved(
    controller: Controller, log: list[str]
) -> None:
    controller.machines["a"].fails_to = "save"
    with pytest.raises(MachineError, match="a cannot save"):
        await controller.save()
    assert log[-2:] == ["a resume", "b resume"]


async def test_restored_machines_go_on_only_once_all_are_loaded(
    controller: Controller, log: list[str]
) -> None:
    await controller.restore()
    assert log == ["a off", "b off", "a load", "b load", "a resume", "b resume"]
    assert controller.machines["a"].restore_policy == "AlwaysOn"
    assert not controller.machines["a"].swallow_next


async def test_a_cold_start_does_not_load(controller: Controller, log: list[str]) -> None:
    await controller.start(load=False)
    assert log == ["a on", "b on"]


async def test_the_command_socket_shows_and_switches(commands: TestClient, log: list[str]) -> None:
    shown = await (await commands.get("/")).json()
    assert shown["machines"]["a"] == {"power": "On", "pid": 42}
    assert (await commands.post("/machines/b/cycle")).status == 200
    assert log == ["b cycle"]


async def test_a_machines_refusal_is_told(controller: Controller, commands: TestClient) -> None:
    controller.machines["a"].fails_to = "off"
    answer = await commands.post("/machines/a/off")
    assert answer.status == 409
    assert (await answer.json())["problem"] == "a cannot off"


@pytest.mark.parametrize("path", ["/machines/c/off", "/machines/a/save", "/stop"])
async def test_nothing_else_can_be_commanded(commands: TestClient, path: str) -> None:
    assert (await commands.post(path)).status in (404, 405)
