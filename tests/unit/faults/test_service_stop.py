"""A service held away: what falls with it, what would start it, what proves that it was away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blackstart.errors import Rejected, Unreachable
from blackstart.faults.base import Lasting, Reversibility
from blackstart.faults.service import DNS, MAAS
from blackstart.faults.service_chain import look_at_chain
from blackstart.faults.service_stop import stop_service
from blackstart.model.undo import StartUnit

from .scripted import Answer, Rule, scripted

PEBBLE, DHCPD, NAMED = MAAS[0], "maas-dhcpd.service", DNS[0]


def unit(name: str, state: str = "active", **dependencies: str) -> str:
    """A block as ``systemctl show`` prints it, its properties in an order of its own."""
    lines = [f"Id={name}", *(f"{kind}={names}" for kind, names in dependencies.items())]
    return "\n".join([*lines, f"ActiveState={state}"])


def blocks(*units: str) -> str:
    return "\n\n".join(units) + "\n"


def rules(shown: dict[str, Rule], active: str = PEBBLE, *, others: int = 0) -> dict[str, Rule]:
    """``shown`` by the units asked for, as they stand in the command."""
    asked = {f"-- {names}": answer for names, answer in shown.items()}
    return {f"is-active --quiet '{active}'": 0, "is-active": others, **asked}


MAAS_SHOWN: dict[str, Rule] = {
    f"'{PEBBLE}'": blocks(unit(PEBBLE, ConsistsOf=f"{DHCPD} {NAMED}")),
    f"'{DHCPD}' '{NAMED}'": blocks(unit(DHCPD), unit(NAMED, RequiredBy="x.service")),
    "'x.service'": blocks(unit("x.service", "inactive", BoundBy="y.service")),
    "'y.service'": blocks(unit("y.service")),
}


class TestPlan:
    """What is stopped, and in which order it comes back."""

    def test_what_falls_with_it_is_started_again_too(self) -> None:
        site, _ = scripted(rules(MAAS_SHOWN))
        plan = stop_service("dns1", *MAAS).plan(site)
        stopped = [change["unit"] for change in plan.parameters["changes"]]
        assert stopped == [DHCPD, NAMED, "y.service", PEBBLE]
        assert plan.undo == tuple(StartUnit(unit=name) for name in reversed(stopped))
        assert plan.reversibility is Reversibility.REVERSIBLE
        assert (plan.blast_radius, len(plan.rescue)) == (("dns1",), 4)

    def test_a_socket_goes_last_and_comes_back_first(self) -> None:
        shown: dict[str, Rule] = {
            "'docker.service'": blocks(unit("docker.service", TriggeredBy="docker.socket t.timer")),
            "'docker.socket' 't.timer'": blocks(
                unit("docker.socket", RequiredBy="docker.service"), unit("t.timer", "inactive")
            ),
        }
        site, _ = scripted(rules(shown, "docker.service"))
        plan = stop_service("box", "docker.service").plan(site)
        assert [it.unit for it in plan.undo if isinstance(it, StartUnit)] == [
            *("docker.socket", "docker.service")
        ]

    def test_a_circle_of_dependencies_ends(self) -> None:
        one = unit("one.service", ConsistsOf="two.service")
        two = unit("two.service", ConsistsOf="one.service")
        site, _ = scripted(rules({"'one.service'": blocks(one), "'two.service'": blocks(two)}))
        assert look_at_chain(site, "box", "one.service").along == ("two.service",)

    @pytest.mark.parametrize(
        ("shown", "said"),
        [
            ({f"'{PEBBLE}'": blocks(unit(PEBBLE, RequiredBy="site.target"))}, "site.target would"),
            ({f"'{PEBBLE}'": "Id=x\n"}, "does not say how"),
            ({f"'{PEBBLE}'": ""}, "cannot be looked at: 0 answers"),
            ({f"'{PEBBLE}'": 1}, "cannot be looked at"),
            (
                {
                    f"'{PEBBLE}'": blocks(
                        unit(PEBBLE, BoundBy=" ".join(f"u{n}.service" for n in range(41)))
                    ),
                    "'u0.service'": blocks(*(unit(f"u{n}.service") for n in range(41))),
                },
                "more than 40 units",
            ),
        ],
    )
    def test_what_could_not_be_started_again_refuses(
        self, shown: dict[str, Rule], said: str
    ) -> None:
        site, _ = scripted(rules(shown))
        with pytest.raises(Rejected, match=said):
            stop_service("dns1", *MAAS).plan(site)

    def test_one_that_is_still_starting_refuses(self) -> None:
        site, _ = scripted(rules(MAAS_SHOWN, others=3))
        with pytest.raises(Rejected, match="not possible as it is now"):
            stop_service("dns1", *MAAS).plan(site)

    def test_a_host_without_it_refuses(self) -> None:
        site, _ = scripted({"is-active": 3})
        with pytest.raises(Rejected, match="none of these is active"):
            stop_service("dns1", *DNS).plan(site)

    def test_no_unit_is_an_error_of_the_scenario(self) -> None:
        with pytest.raises(ValueError, match="name at least one unit"):
            stop_service("a1")


ALONE: dict[str, Rule] = {f"'{NAMED}'": blocks(unit(NAMED))}


class TestProof:
    """Every unit stopped, at the beginning and at the end."""

    fault = stop_service("dns1", NAMED)

    def prove(self, answer: Rule) -> tuple[bool, str]:
        site, shell = scripted(rules(ALONE, NAMED))
        plan = self.fault.plan(site)
        shell.rules[f"-- '{NAMED}'"] = answer
        proof = self.fault.prove_active(site, plan)
        return proof.holds, proof.detail

    @pytest.mark.parametrize("state", ["inactive", "failed"])
    def test_a_unit_that_is_stopped_proves_it(self, state: str) -> None:
        assert self.prove(blocks(unit(NAMED, state))) == (True, f"dns1: {NAMED} is {state}")

    def test_it_may_take_its_time(self) -> None:
        slow = [blocks(unit(NAMED, state)) for state in ("deactivating", "inactive")]
        answers: Iterator[Answer] = iter([Unreachable("dns1: busy"), *slow])
        assert self.prove(lambda: next(answers))[0]

    @pytest.mark.parametrize("state", ["active", "activating", "deactivating", "reloading"])
    def test_one_that_runs_does_not(self, state: str) -> None:
        holds, detail = self.prove(blocks(unit(NAMED, state)))
        assert not holds
        assert f"after 90 s: {NAMED} not stopped" in detail

    @pytest.mark.parametrize("answer", ["", 1, Unreachable("dns1: gone")])
    def test_nor_one_that_cannot_be_seen(self, answer: Rule) -> None:
        assert not self.prove(answer)[0]

    def test_somebody_who_started_it_is_told(self) -> None:
        site, shell = scripted(rules(ALONE, NAMED))
        plan = self.fault.plan(site)
        assert isinstance(self.fault, Lasting)
        shell.rules[f"-- '{NAMED}'"] = blocks(unit(NAMED))
        proof = self.fault.prove_lasting(site, plan)
        assert not proof.holds
        assert f"somebody has started {NAMED} again" in proof.detail
        shell.rules[f"-- '{NAMED}'"] = blocks(unit(NAMED, "inactive"))
        assert self.fault.prove_lasting(site, plan).holds
