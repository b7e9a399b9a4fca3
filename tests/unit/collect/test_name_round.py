"""One server's round of questions: polite, and short when nobody answers."""

from __future__ import annotations

from blackstart.collect.name_round import look_at_names, unasked
from blackstart.model.facts import Observed
from blackstart.model.inventory import Inventory


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    def wall(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Server:
    """A server that knows some names and is silent about the others."""

    def __init__(self, known: set[str]) -> None:
        self.known = known
        self.asked: list[tuple[str, str]] = []

    def ask(self, server: str, name: str) -> Observed[tuple[str, ...]]:
        self.asked.append((server, name))
        if name in self.known:
            return Observed(source="dns", value=("10.0.0.1",))
        return Observed(source="dns", error="timeout")

    def pointers(self, server: str, address: str) -> Observed[tuple[str, ...]]:
        self.asked.append((server, address))
        if address in self.known:
            return Observed(source="dns", value=(NAMES[0],))
        return Observed(source="dns", error="timeout")


NAMES = [f"host{number}.lab.test" for number in range(6)]
ADDRESS = "10.0.0.1"
SITE = Inventory.model_validate(
    {
        "site": "lab",
        "domain": "lab.test",
        "nodes": {"pve1": {"address": "10.0.0.11"}},
        "guests": {
            name: {
                "vmid": vmid,
                "kind": "qemu",
                "node": "pve1",
                "address": f"10.0.0.{vmid - 100}",
                "mac": f"bc:24:11:00:00:{vmid - 100:02}",
                "names": names,
            }
            for name, vmid, names in (("named", 101, [NAMES[0]]), ("nameless", 102, []))
        },
        "dns": {
            "servers": {"maas": {"address": "10.0.0.53"}},
            "names": {name: {"addresses": [ADDRESS]} for name in NAMES},
        },
    }
)


def test_every_name_is_asked_at_no_more_than_five_a_second() -> None:
    server, clock = Server({*NAMES, ADDRESS}), Clock()
    answers = look_at_names(SITE, "maas", server, clock)
    assert set(answers.names) == {f"maas/{name}" for name in NAMES}
    assert server.asked == [("10.0.0.53", subject) for subject in (*NAMES, ADDRESS)]
    assert clock.slept == [0.2] * (len(server.asked) - 1)


def test_the_address_of_a_guest_that_has_names_is_asked_for_them() -> None:
    answers = look_at_names(SITE, "maas", Server({*NAMES, ADDRESS}), Clock())
    assert set(answers.reverse) == {f"maas/{ADDRESS}"}
    assert answers.reverse[f"maas/{ADDRESS}"].value == (NAMES[0],)


def test_without_a_pause_nobody_sleeps() -> None:
    clock = Clock()
    look_at_names(SITE, "maas", Server(set()), clock, pause_s=0.0)
    assert clock.slept == []


def test_a_silent_server_is_not_asked_the_rest() -> None:
    server = Server(set())
    answers = look_at_names(SITE, "maas", server, Clock())
    assert len(server.asked) == 2
    assert set(answers.names) == {f"maas/{name}" for name in NAMES}
    assert all(not answer.known for answer in answers.names.values())
    for last in (answers.names[f"maas/{NAMES[-1]}"], answers.reverse[f"maas/{ADDRESS}"]):
        assert "left 2 questions in a row unanswered" in str(last.error)


def test_one_lost_answer_does_not_silence_a_server() -> None:
    server = Server({*NAMES, ADDRESS} - {NAMES[1]})
    look_at_names(SITE, "maas", server, Clock())
    assert len(server.asked) == len(NAMES) + 1


def test_a_round_that_did_not_end_leaves_an_error_for_each_name() -> None:
    answers = unasked(SITE, "maas", "too late")
    both = {**answers.names, **answers.reverse}
    assert {answer.error for answer in both.values()} == {"too late"}
    assert len(both) == len(NAMES) + 1
