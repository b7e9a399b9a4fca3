"""Power over Redfish: one command that cuts and restores, sent once, to a verified controller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackstart.drivers.redfish import Controller, RedfishPower
from blackstart.errors import DriverError, Rejected, Unreachable, UsageError

from .sshd import free_port
from .tls_server import Authority, Reply, Server, serving

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/pve1"
ACTION = f"{SYSTEM}/Actions/ComputerSystem.Reset"
TIMED = f"{SYSTEM}/somewhere/of/its/own"
PASSWORD = "correct-horse"


def system(*offered: str, **attributes: object) -> Reply:
    """The system resource; without ``offered`` it lists no commands."""
    reset: dict[str, Any] = {"target": ACTION}
    if offered:
        reset["ResetType@Redfish.AllowableValues"] = list(offered)
    body = {
        "@odata.id": SYSTEM,
        "Id": "pve1",
        "Name": "pve1",
        "PowerState": "On",
        "Actions": {"#ComputerSystem.Reset": reset},
        **attributes,
    }
    return Reply(body=json.dumps(body).encode())


@pytest.fixture
def controller(authority: Authority, tmp_path: Path) -> Iterator[Server]:
    """A management controller."""
    with serving(authority.issue(tmp_path, "127.0.0.1")) as server:
        root = {"Id": "RootService", "Name": "root", "Systems": {"@odata.id": f"{ROOT}/Systems"}}
        server.answers |= {
            f"GET {ROOT}/": Reply(body=json.dumps(root).encode()),
            f"GET {SYSTEM}": system("On", "ForceOff", "ForceRestart"),
            f"POST {ACTION}": Reply(204, "No Content"),
        }
        yield server


def power(controller: Server, ca: Path) -> RedfishPower:
    """The driver for it."""
    url = f"https://127.0.0.1:{controller.port}"
    return RedfishPower({"pve1": Controller(url, "pve1", "drill", PASSWORD, ca)})


def posted(controller: Server) -> list[Any]:
    """The power commands that arrived."""
    return [json.loads(asked.body) for asked in controller.asked if asked.method == "POST"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("On", "ForceOff", "ForceRestart", "PowerCycle"), "PowerCycle"),
        (("On", "ForceOff", "GracefulRestart", "ForceRestart"), "ForceRestart"),
        ((), "ForceRestart"),
    ],
)
def test_a_cycle_is_one_command_that_also_restores(
    offered: tuple[str, ...], chosen: str, controller: Server, authority: Authority
) -> None:
    controller.answers[f"GET {SYSTEM}"] = system(*offered)
    power(controller, authority.ca).power_cycle("pve1")
    assert posted(controller) == [{"ResetType": chosen}]


def test_without_such_a_command_nothing_is_sent(controller: Server, authority: Authority) -> None:
    controller.answers[f"GET {SYSTEM}"] = system("On", "ForceOff", "GracefulRestart")
    with pytest.raises(Rejected, match="none cuts and restores"):
        power(controller, authority.ca).power_cycle("pve1")
    assert posted(controller) == []


def test_a_cycle_whose_answer_was_lost_is_not_sent_again(
    controller: Server, authority: Authority
) -> None:
    controller.answers[f"POST {ACTION}"] = Reply(drop=True)
    with pytest.raises(Unreachable, match="pve1: controller https://127"):
        power(controller, authority.ca).power_cycle("pve1")
    assert posted(controller) == [{"ResetType": "ForceRestart"}]


@pytest.mark.parametrize(
    "body", [b"<html>please log in</html>", b"", b"[]", b"null", b"7", b'{"Actions": null}']
)
@pytest.mark.parametrize("path", [f"{ROOT}/", SYSTEM])
def test_what_is_no_redfish_is_rejected(
    body: bytes, path: str, controller: Server, authority: Authority
) -> None:
    """A login page, a proxy's own answer, firmware that sends null for an empty object."""
    controller.answers[f"GET {path}"] = Reply(body=body)
    driver = power(controller, authority.ca)
    for act in (driver.power_cycle, driver.back_on_by, driver.state):
        with pytest.raises(Rejected, match="pve1: "):
            act("pve1")
    assert posted(controller) == []


def timed(controller: Server) -> None:
    """From now on it offers a timed power-on, wherever it likes."""
    actions = {"Oem": {"#Blackstart.TimedPowerOn": {"target": TIMED}}}
    controller.answers[f"GET {SYSTEM}"] = system(Actions=actions)
    controller.answers[f"POST {TIMED}"] = Reply(204, "No Content")


def test_off_for_a_while_is_one_command_to_where_the_controller_says(
    controller: Server, authority: Authority
) -> None:
    timed(controller)
    driver = power(controller, authority.ca)
    assert driver.back_on_by("pve1") == "timer"
    driver.off_for("pve1", 30.0)
    assert posted(controller) == [{"Seconds": 30.0}]
    assert [asked.path for asked in controller.asked if asked.method == "POST"] == [TIMED]


def test_a_timed_command_whose_answer_was_lost_is_not_sent_again(
    controller: Server, authority: Authority
) -> None:
    timed(controller)
    controller.answers[f"POST {TIMED}"] = Reply(drop=True)
    with pytest.raises(Unreachable):
        power(controller, authority.ca).off_for("pve1", 30.0)
    assert posted(controller) == [{"Seconds": 30.0}]


def test_a_timer_that_is_not_offered_is_not_assumed(
    controller: Server, authority: Authority
) -> None:
    driver = power(controller, authority.ca)
    assert driver.back_on_by("pve1") == "command"
    with pytest.raises(Rejected, match="offers no timed power-on"):
        driver.off_for("pve1", 30.0)
    assert posted(controller) == []


@pytest.mark.parametrize("offered", [(), ("On", "ForceRestart"), ("ForceOff", "ForceRestart")])
def test_what_may_not_come_on_again_is_not_switched_off(
    offered: tuple[str, ...], controller: Server, authority: Authority
) -> None:
    controller.answers[f"GET {SYSTEM}"] = system(*offered)
    driver = power(controller, authority.ca)
    for ask in (driver.back_on_by, driver.off):
        with pytest.raises(Rejected, match="ForceOff and On are both needed"):
            ask("pve1")
    assert posted(controller) == []


def test_off_is_one_command(controller: Server, authority: Authority) -> None:
    power(controller, authority.ca).off("pve1")
    assert posted(controller) == [{"ResetType": "ForceOff"}]


@pytest.mark.parametrize(("said", "state"), [("On", "on"), ("Off", "off")])
def test_state(said: str, state: str, controller: Server, authority: Authority) -> None:
    controller.answers[f"GET {SYSTEM}"] = system("On", PowerState=said)
    assert power(controller, authority.ca).state("pve1") == state


def test_a_state_in_between_is_neither(controller: Server, authority: Authority) -> None:
    controller.answers[f"GET {SYSTEM}"] = system("On", PowerState="PoweringOn")
    with pytest.raises(Rejected, match="PoweringOn"):
        power(controller, authority.ca).state("pve1")


@pytest.mark.parametrize(("said", "sent"), [("On", []), ("Off", [{"ResetType": "On"}])])
def test_power_on_is_fine_when_it_is_on(
    said: str, sent: list[object], controller: Server, authority: Authority
) -> None:
    controller.answers[f"GET {SYSTEM}"] = system("On", PowerState=said)
    power(controller, authority.ca).power_on("pve1")
    assert posted(controller) == sent


def test_the_restore_policy(controller: Server, authority: Authority) -> None:
    controller.answers[f"GET {SYSTEM}"] = system("On", PowerRestorePolicy="LastState")
    assert power(controller, authority.ca).restore_policy("pve1") == "LastState"
    controller.answers[f"GET {SYSTEM}"] = system("On")
    with pytest.raises(Rejected, match="does not tell PowerRestorePolicy"):
        power(controller, authority.ca).restore_policy("pve1")


def test_a_whole_path_names_the_system_too(controller: Server, authority: Authority) -> None:
    url = f"https://127.0.0.1:{controller.port}"
    driver = RedfishPower({"pve1": Controller(url, SYSTEM, "drill", PASSWORD, authority.ca)})
    assert driver.state("pve1") == "on"


def refusal(driver: RedfishPower) -> DriverError:
    """What asking for the state raises; it must raise, and not tell the password."""
    with pytest.raises(DriverError) as caught:
        driver.state("pve1")
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_refused_credentials_are_named_without_the_password(
    controller: Server, authority: Authority
) -> None:
    controller.answers[f"GET {SYSTEM}"] = Reply(401, "Unauthorized", b"{}")
    assert "refuses user drill" in str(refusal(power(controller, authority.ca)))


def test_an_error_comes_with_the_controllers_words(
    controller: Server, authority: Authority
) -> None:
    said = {"error": {"code": "Base.1.0.GeneralError", "message": "the fan is on fire"}}
    controller.answers[f"POST {ACTION}"] = Reply(409, "Conflict", json.dumps(said).encode())
    with pytest.raises(Rejected, match="409: the fan is on fire"):
        power(controller, authority.ca).power_cycle("pve1")


def test_a_missing_system_is_rejected(controller: Server, authority: Authority) -> None:
    controller.answers[f"GET {SYSTEM}"] = Reply(404, "Not Found", b"{}")
    assert isinstance(refusal(power(controller, authority.ca)), Rejected)


def test_a_certificate_of_another_ca_is_refused(
    controller: Server, authority: Authority, tmp_path: Path
) -> None:
    other = Authority.make(tmp_path, "other CA")
    error = refusal(power(controller, other.ca))
    assert isinstance(error, Unreachable)
    assert "certificate verify failed" in str(error)
    assert controller.asked == []


def test_a_controller_that_is_gone_is_unreachable(authority: Authority) -> None:
    error = refusal(power(Server(free_port()), authority.ca))
    assert isinstance(error, Unreachable)
    assert "Connection refused" in str(error)


def test_a_password_is_never_sent_in_the_clear() -> None:
    with pytest.raises(UsageError, match="is not https"):
        RedfishPower({"pve1": Controller("http://10.0.0.1", "1", "drill", PASSWORD, None)})


def test_hosts_without_a_controller(controller: Server, authority: Authority) -> None:
    driver = power(controller, authority.ca)
    assert (driver.supports("pve1"), driver.supports("pve2")) == (True, False)
    with pytest.raises(Rejected, match="names no management controller"):
        driver.power_cycle("pve2")


def test_a_controllers_text_never_shows_the_password() -> None:
    assert PASSWORD not in repr(Controller("https://10.0.0.1", "1", "drill", PASSWORD, None))
