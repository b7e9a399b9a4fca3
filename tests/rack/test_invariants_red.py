"""Every invariant turns red by a drift on the rack that nobody notices until a reboot.

Each test makes one drift while all is well (the guard would refuse a site that is ill),
drills with the real command, and reads what a person reads. And a drill whose fault did
not happen proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import requests

from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory
from blackstart.rack import enter
from blackstart.rack.topology import PVE, Guest
from blackstart.safety.open_faults import open_faults
from tests.rack.command import on, rack
from tests.rack.drills import BOUND_S, INVENTORY, DrillRoom, Named, Told
from tests.rack.inside import rack_network

RESET_S = 120.0
ASK_S = 15.0
APPLY_S = 180.0
SOON = "150s"
"""A budget half as long again as a healthy boot needs on emulated processors."""
LATER = "180s"
"""The same for the web page, which comes last."""
ELSEWHERE = ("nothing-else-changed", PVE.site)
"""Sees most drifts as well, as an undeclared change; the promise itself is what counts here."""

pytestmark = pytest.mark.timeout(2 * BOUND_S + 2 * RESET_S)


@pytest.fixture(scope="module", autouse=True)
def begins_pristine() -> None:
    """Whoever had the rack before left no drift in it."""
    rack("reset", timeout=RESET_S)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[DrillRoom]:
    """A place to drill; the rack is as new afterwards, whatever happened."""
    yield DrillRoom(tmp_path)
    rack("reset", timeout=RESET_S)


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    """The rack as declared."""
    return load(INVENTORY)


def guest(name: str) -> Guest:
    return next(item for item in PVE.guests if item.name == name)


def assert_red(told: Told, named: Named, *said: str, also: Iterable[Named] = ()) -> None:
    """``named`` failed, with these words, in terminal, summary and Allure.

    And nothing else did but ``also``, which follows from it.
    """
    assert told.exit_code == 1
    assert (told.summary["verdict"], told.allure["status"]) == ("fail", "failed")
    everywhere = (told.in_terminal("fail"), told.in_summary("fail"), told.in_allure("failed"))
    for place in everywhere:
        assert named in place
        assert [words for words in said if words not in place[named]] == []
    assert set(told.in_summary("fail")) - {ELSEWHERE} == {named, *also}
    assert f"{named[0]} [{named[1]}]" in told.allure["statusDetails"]["message"]


def test_a_guest_that_is_not_started_at_boot(room: DrillRoom) -> None:
    vmid = guest("k3s1").vmid
    on("pve1", f"qm set {vmid} --onboot 0 && qm config {vmid} | grep -x 'onboot: 0'")
    told = room.run("test_node_reboot", "pve1")
    assert_red(
        told,
        ("guests-boot", "k3s1"),
        "k3s1 is stopped",
        "set onboot 1",
        also=[("services-answer", "k3s1-api"), ("nodes-ready", "k3s")],
    )


def test_a_removed_reservation_moves_a_guest(room: DrillRoom, inventory: Inventory) -> None:
    """A dynamic host entry keeps its address until the server starts: with its own hypervisor.

    It has its lease meanwhile, so that nobody notices (outage of July 2025).
    """
    moved = guest("k3s1")
    on("maas", f"maas-reservation dynamic {moved.mac}", timeout=APPLY_S)
    told = room.run("test_node_reboot", "pve1", {"guests/k3s1": SOON, "services/k3s1-api": SOON})
    assert_red(
        told,
        ("addresses-stable", "k3s1"),
        f"{moved.mac} has 10.77.0.2",
        f"the inventory declares {moved.address}",
        f"certificate k3s1 is for {moved.address}",
        also=[
            ("guests-boot", "k3s1"),
            ("services-answer", "k3s1-api"),
            ("nodes-ready", "k3s"),
        ],
    )


def test_a_container_without_a_restart_policy(room: DrillRoom) -> None:
    """The redeployment at boot leaves containers that exist to their restart policy."""
    on(
        "docker1",
        """set -eu
        sed -i 's/restart: unless-stopped/restart: "no"/' /opt/web/compose.yaml
        docker compose --project-directory /opt/web up --detach --quiet-pull
        docker inspect --format '{{.HostConfig.RestartPolicy.Name}}' web-web-1 | grep -x no""",
        timeout=APPLY_S,
    )
    told = room.run("test_node_reboot", "pve1", {"services/web": LATER})
    assert_red(
        told,
        ("containers-run", "web"),
        "web: 0 of 1 run (exited)",
        "restart policy no",
        also=[("services-answer", "web")],
    )


def test_a_zone_that_its_server_refuses(room: DrillRoom, inventory: Inventory) -> None:
    """A broken line in the file of the zone: the server that runs has the zone in memory."""
    on(
        "maas",
        f"""set -eu
        file=/etc/bind/zones/{PVE.domain}
        echo 'printer IN A 10.77.0' >>$file
        ! named-checkzone {PVE.domain} $file""",
    )
    told = room.run("test_node_reboot", "pve1", {"dns/servers/maas": SOON})
    assert inventory.dns is not None
    first = next(iter(inventory.dns.names))
    named = [name for name, item in inventory.guests.items() if item.names]
    assert_red(
        told,
        ("names-resolve", "maas"),
        f"maas gives {first} no address",
        "SERVFAIL",
        also=[("addresses-stable", name) for name in named],
    )


def test_a_volume_that_is_wiped_at_boot(room: DrillRoom) -> None:
    on(
        "docker1",
        """set -eu
        cat >/etc/systemd/system/tidy.service <<'END'
[Unit]
Description=Somebody's idea of tidying up
Before=docker.service

[Service]
Type=oneshot
ExecStart=/usr/bin/find /opt/web/data -mindepth 1 -delete

[Install]
WantedBy=multi-user.target
END
        systemctl enable tidy.service""",
    )
    told = room.run("test_node_reboot", "pve1", {"services/web": LATER})
    assert_red(
        told,
        ("containers-run", "web"),
        "/opt/web/data/index.html is gone",
        "wiped",
        also=[("services-answer", "web")],
    )


def test_a_service_that_is_not_enabled(room: DrillRoom) -> None:
    """It was started by hand and runs; its guest boots without it."""
    on("app1", "systemctl disable app.service && systemctl is-active app.service")
    told = room.run("test_node_reboot", "pve2", {"services/app": SOON})
    assert_red(told, ("services-answer", "app"), "http app")


def swallow_next_power_command(machine: str) -> None:
    """Tell a management controller to answer the next power command, and not to do it."""
    home = enter.rack_home()
    assert home is not None
    secrets = home / "secrets"
    controller = f"https://{PVE.machine(machine).bmc_address}/redfish/v1/Managers/BMC"
    with rack_network(), requests.Session() as session:
        session.auth = ("blackstart", (secrets / "bmc-password").read_text())
        session.verify = str(secrets / "ca.crt")
        session.trust_env = False
        actions = session.get(controller, timeout=ASK_S).json()["Actions"]["Oem"]
        target = actions["#Blackstart.SwallowNextPowerCommand"]["target"]
        answer = session.post(
            f"{controller.partition('/redfish')[0]}{target}", json={}, timeout=ASK_S
        )
        answer.raise_for_status()


def test_a_power_cut_that_did_not_happen_proves_nothing(room: DrillRoom) -> None:
    swallow_next_power_command("pve2")
    told = room.run("test_power_cut", "pve2")
    assert told.exit_code == 3
    assert (told.summary["verdict"], told.allure["status"]) == ("unproven", "broken")
    named = ("fault-bit", "pve2")
    for place in (
        told.in_terminal("unproven"),
        told.in_summary("unproven"),
        told.in_allure("broken"),
    ):
        assert list(place) == [named]
        assert "the fault did not bite: pve2 runs on with boot id" in place[named]
    assert told.summary["open_faults"] == []
    assert open_faults(room.drills, PVE.site) == ()

    again = room.run("test_power_cut", "pve2")
    assert again.exit_code == 0
    assert (again.summary["verdict"], again.allure["status"]) == ("pass", "passed")
