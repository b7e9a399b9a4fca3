"""The harness's own way to what it breaks, shown red."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from blackstart.model.circumstances import Here, LocalMount, Route
from blackstart.model.inventory import Inventory
from tests.simulation.circumstances import HERE, seen, unseen
from tests.simulation.inventories import small_site

from .guarding import answer, planned, refusal, request_for, under

LAN = IPv4Network("10.0.0.0/24")
ANYWHERE = IPv4Network("0.0.0.0/0")


def machine(**changes: Any) -> dict[str, Any]:
    return {"machine": seen(HERE.model_copy(update=changes))}


def through(gateway: str) -> Route:
    return Route(network=ANYWHERE, gateway=IPv4Address(gateway), metric=0)


def named_controllers() -> Inventory:
    nodes = small_site().model_dump(mode="json")["nodes"]
    for name, node in nodes.items():
        node["boot_budget"] = "90s"
        node["out_of_band"]["url"] = f"https://{name}-bmc.lab.test"
    return small_site(nodes=nodes)


def test_a_machine_beside_the_site_is_no_objection(tmp_path: Path) -> None:
    said = answer("own-path", request_for(tmp_path))
    assert said.because == "from 10.0.0.200, by address"


@pytest.mark.parametrize(("address", "name"), [("10.0.0.11", "a1"), ("10.0.0.102", "box")])
def test_the_harness_on_what_goes_down(tmp_path: Path, address: str, name: str) -> None:
    asked = under(request_for(tmp_path), **machine(addresses=(IPv4Address(address),)))
    assert f"the harness runs on {name} itself ({address})" in refusal("own-path", asked)


def test_the_harness_on_a_guest_that_stays(tmp_path: Path) -> None:
    asked = under(request_for(tmp_path), **machine(addresses=(IPv4Address("10.0.0.103"),)))
    assert answer("own-path", asked).refusal is None


def test_the_harness_in_a_container_of_the_target(tmp_path: Path) -> None:
    asked = under(request_for(tmp_path), **machine(boot_id="boot-1"))
    assert "runs in a container of a1 (same kernel)" in refusal("own-path", asked)


@pytest.mark.parametrize(("gateway", "name"), [("10.0.0.11", "a1"), ("10.0.0.101", "dns1")])
def test_a_gateway_that_goes_down(tmp_path: Path, gateway: str, name: str) -> None:
    asked = under(request_for(tmp_path), **machine(routes=(through(gateway),)))
    assert f"leads through {name} ({gateway}), which goes down" in refusal("own-path", asked)


def test_a_gateway_that_goes_down_and_is_not_needed(tmp_path: Path) -> None:
    routes = (Route(network=LAN, gateway=None, metric=0), through("10.0.0.101"))
    asked = under(request_for(tmp_path), **machine(routes=routes))
    assert answer("own-path", asked).refusal is None


def test_no_way_at_all(tmp_path: Path) -> None:
    asked = under(request_for(tmp_path), **machine(routes=()))
    assert "this machine has no route to 10.0.0.11" in refusal("own-path", asked)


def test_its_own_network_cannot_be_seen(tmp_path: Path) -> None:
    asked = under(request_for(tmp_path), machine=unseen("no /proc"))
    assert "the network of this machine cannot be seen" in refusal("own-path", asked)


class TestNames:
    """A resolver that goes down is no matter, unless a controller is asked by name."""

    @pytest.mark.parametrize("left", [("10.0.0.101",), (), ("127.0.0.53",), ("fe80::1",)])
    def test_no_name_server_is_known_to_stay(self, tmp_path: Path, left: tuple[str, ...]) -> None:
        asked = request_for(tmp_path, inventory=named_controllers())
        said = refusal("own-path", under(asked, **machine(resolvers=left)))
        assert "controller a1-bmc.lab.test is asked by name" in said

    def test_one_that_stays_is_enough(self, tmp_path: Path) -> None:
        asked = request_for(tmp_path, inventory=named_controllers())
        both = machine(resolvers=("10.0.0.101", "10.0.0.103"))
        assert answer("own-path", under(asked, **both)).refusal is None

    def test_addresses_need_no_resolver(self, tmp_path: Path) -> None:
        asked = under(request_for(tmp_path), **machine(resolvers=()))
        assert answer("own-path", asked).refusal is None

    def test_a_fault_that_needs_no_controller(self, tmp_path: Path) -> None:
        asked = request_for(tmp_path, inventory=named_controllers())
        told = under(planned(asked, needs_out_of_band=False), **machine(resolvers=()))
        assert answer("own-path", told).refusal is None


class TestTheFirstHop:
    """The longest prefix decides, then the lowest metric (ip-route(8))."""

    def here(self, *routes: Route) -> Here:
        return HERE.model_copy(update={"routes": routes})

    def test_the_longest_prefix(self) -> None:
        here = self.here(through("10.0.0.1"), Route(network=LAN, gateway=None, metric=9))
        assert here.gateway_to(IPv4Address("10.0.0.11")) is None
        assert here.gateway_to(IPv4Address("10.9.0.1")) == IPv4Address("10.0.0.1")

    def test_the_lowest_metric(self) -> None:
        slow = through("10.0.0.2").model_copy(update={"metric": 600})
        here = self.here(slow, through("10.0.0.1"))
        assert here.gateway_to(IPv4Address("10.9.0.1")) == IPv4Address("10.0.0.1")

    def test_itself(self) -> None:
        assert self.here().gateway_to(IPv4Address("10.0.0.200")) is None


class TestTheJournal:
    """A journal that hangs with the store it is on: nobody renews, nobody reverts."""

    def on(self, path: Path, server: str | None) -> dict[str, Any]:
        root = LocalMount(path="/", server=None)
        return machine(mounts=(root, LocalMount(path=str(path), server=server)))

    @pytest.mark.parametrize("server", ["10.0.0.11", "nas.elsewhere", "192.0.2.7"])
    def test_on_a_server_that_is_not_known_to_stay(self, tmp_path: Path, server: str) -> None:
        asked = under(request_for(tmp_path), **self.on(tmp_path, server))
        assert f"is on a file system of {server}, which is not known to stay" in refusal(
            "own-path", asked
        )

    def test_on_the_very_store_that_is_stopped(self, tmp_path: Path) -> None:
        asked = under(request_for(tmp_path), **self.on(tmp_path, "10.0.0.12"))
        assert answer("own-path", asked).refusal is None
        stopped = planned(asked, target="a2", undo_host="a2", nodes_down=(), fault="nas-stop")
        assert "a file system of 10.0.0.12" in refusal("own-path", stopped)

    @pytest.mark.parametrize("name", ["drills", "directory", "leases"])
    def test_whichever_directory_it_is(self, tmp_path: Path, name: str) -> None:
        request = request_for(tmp_path / "local")
        away = replace(request.terms, **{name: tmp_path / "away"})  # type: ignore[arg-type]
        asked = under(replace(request, terms=away), **self.on(tmp_path / "away", "10.0.0.11"))
        assert f"{tmp_path / 'away'} is on a file system of 10.0.0.11" in refusal("own-path", asked)

    def test_on_a_local_one_below_it(self, tmp_path: Path) -> None:
        over = self.on(tmp_path.parent, "10.0.0.11")["machine"].value
        local = LocalMount(path=str(tmp_path), server=None)
        asked = under(request_for(tmp_path), **machine(mounts=(*over.mounts, local)))
        assert answer("own-path", asked).refusal is None

    def test_the_later_of_two_mounts_is_on_top(self, tmp_path: Path) -> None:
        local = LocalMount(path=str(tmp_path), server=None)
        hidden = local.model_copy(update={"server": "10.0.0.11"})
        asked = under(request_for(tmp_path), **machine(mounts=(hidden, local)))
        assert answer("own-path", asked).refusal is None
        asked = under(request_for(tmp_path), **machine(mounts=(local, hidden)))
        assert refusal("own-path", asked)

    def test_on_no_mount_at_all(self, tmp_path: Path) -> None:
        asked = under(request_for(tmp_path), **machine(mounts=()))
        assert "no mount of this machine holds" in refusal("own-path", asked)
