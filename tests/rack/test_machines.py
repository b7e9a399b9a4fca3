"""The machines: power that really goes, disks that persist, a pristine state to return to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import sushy
from sushy import auth

from blackstart.rack import ssh
from blackstart.rack.home import Home
from blackstart.rack.topology import PVE
from tests.rack.command import boot_id, eventually, on, rack, reachable, status, timed
from tests.rack.inside import rack_network

NAS = PVE.machine("nas1")
BMC = f"https://{NAS.bmc_address}"
SYSTEM = f"/redfish/v1/Systems/{NAS.name}"
RESET_LIMIT_S = 30
BOOT_S = 120.0

Redfish = Callable[..., requests.Response]

pytestmark = pytest.mark.usefixtures("pristine_again")


@pytest.fixture
def inside() -> Iterator[None]:
    """This process in the rack's network for the length of a test."""
    with rack_network():
        yield


@pytest.fixture
def nas(inside: None) -> sushy.resources.system.system.System:
    """The NAS's system resource, as OpenStack's client sees it."""
    return client().get_system(SYSTEM)


def client() -> sushy.main.Sushy:
    secrets = Path(status()["home"]) / "secrets"
    password = (secrets / "bmc-password").read_text()
    return sushy.Sushy(
        BMC, auth=auth.BasicAuth("blackstart", password), verify=str(secrets / "ca.crt")
    )


def power(system: sushy.resources.system.system.System) -> sushy.PowerState:
    system.refresh(force=True)
    return system.power_state


def shut_down_in_order(machine: str) -> bool:
    """Whether the boot before this one ended with a shutdown, as its own journal tells."""
    last = on(machine, "journalctl -q -b -1 -o cat -n 200")
    assert last, "the boot before this one left no journal"
    return "System Shutdown" in last


def test_the_bridge_is_the_one_that_saved_machines_remember() -> None:
    rack("down")
    rack("up", timeout=120)
    assert PVE.bridge_mac in rack("exec", "--", "ip", "-br", "link", "show", "br0").stdout


def test_status_is_for_programs_too() -> None:
    now = status()
    assert now["up"]
    assert now["healthy"]
    assert now["topology"] == "pve"
    assert set(now["machines"]) == {"pve1", "pve2", "nas1"}
    assert all(machine["power"] == "On" for machine in now["machines"].values())


def test_up_when_up_says_so() -> None:
    assert "up already" in rack("up", timeout=30).stdout


def test_ssh_passes_output_and_exit_code_through() -> None:
    done = rack("ssh", "nas1", "--", "cat; echo out; echo err >&2; exit 7", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert rack("ssh", "nowhere", "--", "true", check=False).returncode == 2


def test_ssh_refuses_a_host_key_it_does_not_know(tmp_path: Path, inside: None) -> None:
    home = status()["home"]
    words = ssh.arguments(Home(Path(home)), NAS.address, ["true"])
    other = [word.replace(f"{home}/secrets/known_hosts", os.devnull) for word in words]
    assert os.spawnvp(os.P_WAIT, words[0], words) == 0
    assert os.spawnvp(os.P_WAIT, other[0], other) == 255


def test_exec_keeps_directory_and_environment_and_is_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLOUR", "green")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    script = "pwd; echo $COLOUR; readlink /proc/self/ns/net; exit 5"
    done = rack("exec", "--", "sh", "-c", script, check=False)
    where, colour, network = done.stdout.split()
    assert (where, colour, done.returncode) == (str(tmp_path), "green", 5)
    assert network != Path("/proc/self/ns/net").readlink().as_posix()


def test_a_power_cut_really_cuts(nas: sushy.resources.system.system.System) -> None:
    on("nas1", "echo kept >/root/kept && sync")
    before, pid = boot_id("nas1"), status()["machines"]["nas1"]["pid"]
    nas.reset_system(sushy.ResetType.FORCE_OFF)
    assert power(nas) == sushy.PowerState.OFF
    assert not Path(f"/proc/{pid}").exists()
    nas.reset_system(sushy.ResetType.ON)
    eventually(lambda: reachable("nas1"), BOOT_S)
    assert boot_id("nas1") != before
    assert on("nas1", "cat /root/kept") == "kept"
    assert not shut_down_in_order("nas1"), "its journal should just end"


def test_the_command_line_switches_the_power_too() -> None:
    before = boot_id("nas1")
    assert rack("power", "nas1", "off").stdout == "nas1: off\n"
    assert status()["machines"]["nas1"]["power"] == "Off"
    assert rack("status", check=False).returncode == 1
    rack("power", "nas1", "on")
    eventually(lambda: reachable("nas1"), BOOT_S)
    assert boot_id("nas1") != before


def test_a_swallowed_power_command_is_answered_and_not_done(
    nas: sushy.resources.system.system.System,
) -> None:
    before = boot_id("nas1")
    actions = client().get_manager("/redfish/v1/Managers/BMC").json["Actions"]["Oem"]
    nas._conn.post(actions["#Blackstart.SwallowNextPowerCommand"]["target"], data={})
    nas.reset_system(sushy.ResetType.FORCE_OFF)
    assert power(nas) == sushy.PowerState.ON
    assert boot_id("nas1") == before


def test_a_timed_power_on_needs_no_client(nas: sushy.resources.system.system.System) -> None:
    before = boot_id("nas1")
    target = nas.json["Actions"]["Oem"]["#Blackstart.TimedPowerOn"]["target"]
    nas._conn.post(target, data={"Seconds": 3})
    assert power(nas) == sushy.PowerState.OFF
    eventually(lambda: power(nas) == sushy.PowerState.ON, 15)
    eventually(lambda: reachable("nas1"), BOOT_S)
    assert boot_id("nas1") != before


def test_the_power_button_shuts_down_in_order(nas: sushy.resources.system.system.System) -> None:
    on("nas1", "systemctl is-system-running --wait")  # the button is the booted system's
    nas.reset_system(sushy.ResetType.GRACEFUL_SHUTDOWN)
    eventually(lambda: power(nas) == sushy.PowerState.OFF, BOOT_S)
    nas.reset_system(sushy.ResetType.ON)
    eventually(lambda: reachable("nas1"), BOOT_S)
    assert shut_down_in_order("nas1")


def test_reset_brings_everything_back_in_time() -> None:
    rack("ssh", "pve1", "--", "echo drift >/root/drift && sync")
    rack("power", "pve2", "off")
    took = timed("reset", timeout=120)
    assert status()["healthy"]
    assert rack("ssh", "pve1", "--", "test -e /root/drift", check=False).returncode == 1
    for machine in PVE.machines:
        behind = time.time() - float(on(machine.name, "date +%s.%N"))
        assert -2 < behind < 5, machine.name
    assert took < RESET_LIMIT_S
