"""Power through a management controller that speaks Redfish (DMTF DSP0266, DSP0268).

sushy makes the calls. As it comes it sends a request up to three times when no answer
arrives, which for a power command would cut a machine again while it boots; here a
request goes out once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sushy
from sushy import exceptions as refused
from sushy.auth import BasicAuth
from sushy.connector import Connector

from blackstart.drivers.base import BackOn, PowerState
from blackstart.drivers.bounded import within
from blackstart.drivers.trust import root_cause, trust_store, unanswered
from blackstart.drivers.whole_answer import TooLarge, limit
from blackstart.errors import Rejected, UsageError

CONNECT_S = 5.0
READ_S = 15.0
OPERATION_S = 45.0
RESET = "#ComputerSystem.Reset"
# What cuts and restores in one command, the real thing first. DSP0268: PowerCycle
# "behaves like a full power removal, followed by a power restore"; ForceRestart is an
# immediate, non-graceful restart that may keep the power on. Never ForceOff: that needs
# a second command, and the harness may be gone by then.
CYCLES = ("PowerCycle", "ForceRestart")
# DSP0268 has no command that keeps a machine off for a while. What offers one says so under
# Oem (DSP0266, "OEM actions"); this is the only name that is known here: the rack's.
TIMED = "#Blackstart.TimedPowerOn"

T = TypeVar("T")
# sushy logs every error that it also raises; Python would print those without a handler.
logging.getLogger("sushy").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Controller:
    """One machine's management controller. ``system``: its name below ``/redfish/v1/Systems``,
    or a whole path.
    """

    url: str
    system: str
    user: str
    password: str
    ca: Path | None

    def __repr__(self) -> str:
        return f"Controller({self.url}, {self.system})"


class RedfishPower:
    """``PowerControl`` for the hosts that have a controller."""

    def __init__(self, controllers: Mapping[str, Controller]) -> None:
        """Raises ``UsageError`` for an address that is not https: the password would be read."""
        for host, controller in controllers.items():
            if not controller.url.startswith("https://"):
                raise UsageError(f"{host}: {controller.url} is not https; write https://ADDRESS")
        self._controllers = dict(controllers)

    def supports(self, host: str) -> bool:
        """Whether the inventory names a controller for this host."""
        return host in self._controllers

    def state(self, host: str) -> PowerState:
        """``on`` or ``off``. Raises ``Rejected`` for anything in between."""
        said = str(self._attribute(host, "PowerState"))
        match said:
            case "On":
                return "on"
            case "Off":
                return "off"
        raise Rejected(f"{host}: its controller says {said!r}, neither On nor Off")

    def power_cycle(self, host: str) -> None:
        """Cut the power and restore it: one command, sent once.

        Raises ``Rejected`` when the controller offers no such command, ``Unreachable``
        when no answer came, in which case the power may have been cut all the same.
        """
        self._do(host, lambda system: system.reset_system(sushy.ResetType(_cycle(host, system))))

    def back_on_by(self, host: str) -> BackOn:
        """Read from the controller's list of actions. ``Rejected`` when none keeps it off."""
        return self._do(host, lambda system: _back_on_by(host, system))

    def off_for(self, host: str, seconds: float) -> None:
        """Cut the power; the controller restores it after ``seconds``: one command, sent once.

        Raises ``Rejected`` when the controller offers no such command or refuses it,
        ``Unreachable`` when no answer came, in which case it may be done all the same.
        """
        self._do(host, lambda system: _off_for(host, system, seconds))

    def off(self, host: str) -> None:
        """Cut the power for good, sent once. Raises as ``off_for``."""
        self._do(host, lambda system: system.reset_system(sushy.ResetType(_off(host, system))))

    def power_on(self, host: str) -> None:
        """Switch on; fine when it is on already."""
        if self.state(host) == "off":
            self._do(host, lambda system: system.reset_system(sushy.ResetType.ON))

    def restore_policy(self, host: str) -> str:
        """``AlwaysOn``, ``AlwaysOff`` or ``LastState``; ``Rejected`` when it does not say."""
        return str(self._attribute(host, "PowerRestorePolicy"))

    def _attribute(self, host: str, name: str) -> Any:
        value = self._do(host, lambda system: system.json.get(name))
        if value is None:
            raise Rejected(f"{host}: its controller does not tell {name}")
        return value

    def _do(self, host: str, act: Callable[[Any], T]) -> T:
        controller = self._controllers.get(host)
        if controller is None:
            raise Rejected(f"{host}: the inventory names no management controller")
        return within(
            lambda: _speak(host, controller, act),
            timeout_s=OPERATION_S,
            what=f"management controller of {host}",
        )


def _cycle(host: str, system: Any) -> str:
    """The best command this controller offers; one that lists none is taken to know the oldest."""
    offered = _offered(system) or ("ForceRestart",)
    for command in CYCLES:
        if command in offered:
            return command
    raise Rejected(f"{host}: its controller offers {', '.join(offered)}: none cuts and restores")


def _offered(system: Any) -> tuple[str, ...]:
    """The kinds of Reset that it lists; a controller may list none and know some."""
    action = system.json.get("Actions", {}).get(RESET, {})
    return tuple(action.get("ResetType@Redfish.AllowableValues", ()))


def _back_on_by(host: str, system: Any) -> BackOn:
    if _timed(system) is not None:
        return "timer"
    _off(host, system)
    return "command"


def _timed(system: Any) -> str | None:
    """Where a timed power-on is asked for, if it is offered."""
    action = system.json.get("Actions", {}).get("Oem", {}).get(TIMED, {})
    target = action.get("target")
    return None if target is None else str(target)


def _off_for(host: str, system: Any, seconds: float) -> None:
    target = _timed(system)
    if target is None:
        raise Rejected(f"{host}: its controller offers no timed power-on ({TIMED})")
    system._conn.post(target, data={"Seconds": seconds})


def _off(host: str, system: Any) -> str:
    """ForceOff, where ForceOff *and* On are listed: what goes off must be able to come on."""
    offered = _offered(system)
    if not {"ForceOff", "On"} <= set(offered):
        said = ", ".join(offered) or "nothing"
        raise Rejected(f"{host}: its controller lists {said}; ForceOff and On are both needed")
    return "ForceOff"


def _speak(host: str, controller: Controller, act: Callable[[Any], T]) -> T:
    """Connect, find the system, act. Errors come out as ours."""
    connector = Connector(
        controller.url,
        verify=trust_store(controller.ca),
        default_request_timeout=READ_S,
        connect_timeout=CONNECT_S,
        server_side_retries=1,  # 1 means once; 0 would mean sushy's default of three
    )
    # No proxy from the environment: the password goes to the controller and nobody else.
    connector._session.trust_env = False
    limit(connector._session)
    path = controller.system
    if not path.startswith("/"):
        path = f"/redfish/v1/Systems/{path}"
    try:
        auth = BasicAuth(controller.user, controller.password)
        service = sushy.Sushy(controller.url, auth=auth, connector=connector)
        return act(service.get_system(path))
    except refused.ConnectionError as error:
        if isinstance(error.__context__, TooLarge):
            raise Rejected(f"{host}: controller {controller.url}: {error.__context__}") from error
        cause = root_cause(error)
        raise unanswered(cause)(f"{host}: controller {controller.url}: {cause}") from error
    except refused.AccessError as error:
        raise Rejected(f"{host}: its controller refuses user {controller.user}") from error
    except refused.HTTPError as error:
        raise Rejected(
            f"{host}: its controller answers {error.status_code}: {_said(error)}"
        ) from error
    except refused.SushyError as error:
        raise Rejected(f"{host}: controller {controller.url}: {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        # What sushy makes of a login page, or of JSON that is no resource.
        words = f"{host}: the answer of controller {controller.url} is not Redfish: {error}"
        raise Rejected(f"{words}; correct `url:` and `system:` of its out_of_band") from error
    finally:
        connector.close()


def _said(error: refused.HTTPError) -> str:
    return str(error.detail or "no reason given")
