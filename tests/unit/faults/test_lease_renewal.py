"""A lease renewed: what the guest shows, what its hypervisor sees, and what proves nothing."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from blackstart.drivers.base import Site
from blackstart.errors import Rejected, Unreachable
from blackstart.faults.base import Plan
from blackstart.faults.known import reverter_of
from blackstart.faults.lease_look import FOR_EVER, LOOK, Lease, look_at_lease
from blackstart.faults.lease_renewal import LeaseRenewal, everyone_renews, renew_lease
from blackstart.model.facts import GuestFacts, Observed
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import World
from tests.unit.invariants.site import lost, seen

from .scripted import Rule, Scripted

MAC, HOME, AWAY = "bc:24:11:00:00:02", "10.0.0.102", "10.0.0.222"
CLIENT = "systemd-networkd.service"
GONE = Unreachable("box: no route to host")
Interfaces = Observed[dict[str, tuple[str, ...]]]


def shown(left_s: int, uptime_s: float, address: str | None = HOME, mac: str = MAC) -> str:
    """As ``ip -j address show`` has it, and the uptime."""
    held = {"family": "inet", "local": address, "valid_life_time": left_s}
    link = {"family": "inet6", "local": "fe80::1", "valid_life_time": FOR_EVER}
    card = {"ifname": "eth0", "address": mac, "addr_info": [link, *([held] if address else [])]}
    return json.dumps([{"ifname": "lo", "addr_info": []}, card]) + f"\n{uptime_s:.2f}\n"


class Outside:
    """A hypervisor's API that shows box with these interfaces."""

    def __init__(self) -> None:
        self.interfaces: Interfaces = lost(error="agent silent")

    def observe(self) -> Mapping[str, GuestFacts]:
        nothing = lost()
        return {
            "box": GuestFacts(
                node=nothing,
                status=nothing,
                onboot=nothing,
                config=nothing,
                booted=nothing,
                interfaces=self.interfaces,
            )
        }


def rules(**changes: Rule) -> dict[str, Rule]:
    known: dict[str, Rule] = {
        "restart --no-block": shown(90, 1000),
        "ip -j address": shown(100, 990),
        f"is-active --quiet '{CLIENT}'": 0,
        "is-active": 3,
        "InvocationID": "aaa\n",
    }
    names = {"restart": "restart --no-block", "lease": "ip -j address", "id": "InvocationID"}
    return known | {names[name]: rule for name, rule in changes.items()}


def site_with(**changes: Rule) -> tuple[Site, Scripted, Outside]:
    shell, outside = Scripted(rules(**changes)), Outside()
    site = replace(site_of(World(small_site())), runner=shell, guests=outside)  # type: ignore[arg-type]
    return site, shell, outside


def injected(**changes: Rule) -> tuple[Site, Scripted, Outside, Plan, LeaseRenewal]:
    site, shell, outside = site_with(**changes)
    fault = renew_lease("box")
    plan = fault.plan(site)
    fault.inject(site, plan)
    shell.rules["InvocationID"] = "bbb\n"
    return site, shell, outside, plan, fault


class TestPlan:
    """What is remembered, and what refuses."""

    def test_it_remembers_the_client_its_lease_and_needs_dhcp(self) -> None:
        site, _, _ = site_with()
        plan = renew_lease("box").plan(site)
        assert plan.prior == {"invocation": "aaa", "address": HOME, "ends_at": 1090.0}
        assert plan.parameters["unit"] == CLIENT
        assert plan.needs == ()
        assert plan.undo == ()

    def test_declared_servers_must_answer_first_and_give_the_bound(self) -> None:
        site, _, _ = site_with()
        dhcp = {"lan": {"address": "10.0.0.9", "interface": "eno1", "budget": "90s"}}
        plan = renew_lease("box").plan(replace(site, inventory=small_site(dhcp=dhcp)))
        assert (plan.needs, plan.parameters["bound_s"]) == (("dhcp/lan",), 90.0)

    @pytest.mark.parametrize(
        ("lease", "said"),
        [
            (shown(FOR_EVER, 990), "DHCP gave it none"),
            (shown(100, 990, None), "DHCP gave it none"),
            (shown(100, 990, mac="bc:24:11:ff:ff:ff"), "DHCP gave it none"),
            ("command not found", "cannot be read"),
            ("[]\n", "cannot be read"),
            (f'[{{"address": "{MAC}"}}]\n990.0\n', "cannot be read"),
        ],
    )
    def test_without_a_lease_it_refuses(self, lease: str, said: str) -> None:
        site, _, _ = site_with(lease=lease)
        with pytest.raises(Rejected, match=said):
            renew_lease("box").plan(site)

    def test_a_guest_nobody_may_log_into_refuses(self) -> None:
        site, _, _ = site_with()
        with pytest.raises(Rejected, match="no ssh: true"):
            renew_lease("dns1").plan(site)

    def test_only_who_opted_in_renews(self) -> None:
        guests = small_site().guests
        willing = guests["box"].model_copy(
            update={"may_break": {"lease-renewal": {"until": "2099-12-31"}}}
        )
        off = willing.model_copy(update={"running": False})
        inventory = small_site().model_copy(
            update={"guests": {**guests, "box": willing, "k1": off}}
        )
        assert everyone_renews(small_site()) == ()
        assert [fault.target for fault in everyone_renews(inventory)] == ["box"]


class TestProof:
    """A lease that ends later, of a client that was started anew."""

    def test_a_renewed_lease_proves_it(self) -> None:
        site, shell, _, plan, fault = injected()
        shell.rules["ip -j address"] = shown(118, 1003)
        proof = fault.prove_active(site, plan)
        assert proof.holds
        assert proof.detail == f"box renewed: {HOME} for 118 s ({CLIENT})"

    def test_it_is_one_command_that_no_cut_connection_stops(self) -> None:
        _, shell, _, _, _ = injected()
        sent = [line for _, line in shell.asked if "restart" in line]
        assert sent == [f"{LOOK} && systemctl restart --no-block '{CLIENT}'"]

    def test_a_connection_that_breaks_is_expected_and_a_no_is_not(self) -> None:
        injected(restart=GONE)
        with pytest.raises(Rejected, match="its DHCP client: refused"):
            injected(restart=1)

    def test_a_lease_renewed_before_the_restart_does_not(self) -> None:
        """It ends later than in the plan, and not later than when the client was restarted."""
        site, shell, _, plan, fault = injected(restart=shown(120, 1000))
        shell.rules["ip -j address"] = shown(115, 1005)
        proof = fault.prove_active(site, plan)
        assert not proof.holds
        assert "keeps its old lease" in proof.detail

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"InvocationID": "aaa\n"}, "still has the invocation aaa"),
            ({"ip -j address": shown(118, 1003, None)}, "has no lease yet"),
            ({"ip -j address": GONE}, "no route to host"),
            ({"InvocationID": 1}, "shows no invocation id"),
        ],
    )
    def test_anything_else_does_not(self, changes: dict[str, Rule], said: str) -> None:
        site, shell, _, plan, fault = injected()
        shell.rules |= {"ip -j address": shown(118, 1003), **changes}
        proof = fault.prove_active(site, plan)
        assert not proof.holds
        assert "no new lease in 120 s" in proof.detail
        assert said in proof.detail

    @pytest.mark.parametrize(
        ("addresses", "said"),
        [((AWAY,), f"has {AWAY} (read)"), ((), "has no address (read) after 120 s")],
    )
    def test_a_guest_that_moved_or_has_nothing_is_seen_from_outside(
        self, addresses: tuple[str, ...], said: str
    ) -> None:
        site, shell, outside, plan, fault = injected()
        shell.rules |= {"ip -j address": GONE, "InvocationID": GONE}
        outside.interfaces = seen({MAC.upper(): addresses})
        proof = fault.prove_active(site, plan)
        assert proof.holds
        assert proof.detail == f"box asked anew and {said}"

    @pytest.mark.parametrize("interfaces", [seen({MAC: (HOME,)}), lost(error="agent silent")])
    def test_from_outside_the_same_address_or_nothing_proves_nothing(
        self, interfaces: Interfaces
    ) -> None:
        site, shell, outside, plan, fault = injected()
        shell.rules |= {"ip -j address": GONE, "InvocationID": GONE}
        outside.interfaces = interfaces
        assert not fault.prove_active(site, plan).holds


class TestEnd:
    """It heals by itself, at whatever address."""

    @pytest.mark.parametrize(
        ("changes", "interfaces", "holds"),
        [
            ({}, lost(), True),
            ({"is-active": 3}, seen({MAC: (HOME,)}), False),
            ({"lease": shown(1, 1, None)}, seen({MAC: (HOME,)}), False),
            ({"lease": GONE}, seen({MAC: (AWAY,)}), True),
            ({"lease": GONE}, seen({MAC: ()}), False),
            ({"lease": GONE}, lost(error="agent silent"), False),
        ],
    )
    def test_proven_by_a_lease_or_from_outside(
        self, changes: dict[str, Any], interfaces: Interfaces, holds: bool
    ) -> None:
        site, shell, outside, plan, _ = injected()
        if "is-active" in changes:
            shell.rules[f"is-active --quiet '{CLIENT}'"] = 3
        if "lease" in changes:
            shell.rules["ip -j address"] = changes["lease"]
        outside.interfaces = interfaces
        assert reverter_of(plan).prove_reverted(site, plan).holds is holds


def test_the_look_is_what_this_kernel_prints() -> None:
    """Through a real shell; a machine without ip(8) has no such guest either."""
    done = subprocess.run(
        ["/bin/sh", "-c", LOOK], capture_output=True, text=True, timeout=10, check=False
    )
    if done.returncode == 127 or "not found" in done.stderr:
        pytest.skip("there is no ip(8) here")
    cards = json.loads(done.stdout.rpartition("\n")[0].rpartition("\n")[0])
    macs = [card["address"] for card in cards if "address" in card and card.get("addr_info")]
    assert re.fullmatch(r"\d+\.\d+", done.stdout.strip().rpartition("\n")[2])
    site, _, _ = site_with(lease=done.stdout)
    for mac in macs:
        guest = site.inventory.guests["box"].model_copy(update={"mac": mac})
        guests = {**site.inventory.guests, "box": guest}
        inventory = site.inventory.model_copy(update={"guests": guests})
        held: Lease | None = look_at_lease(replace(site, inventory=inventory), "box")
        assert held is None or isinstance(held, Lease)
