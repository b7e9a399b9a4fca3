"""One server's round of questions: polite, and short when nobody answers."""

from __future__ import annotations

from blackstart.collect.name_round import look_at_names, unasked
from blackstart.model.facts import Observed
from blackstart.model.inventory import Dns


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


NAMES = [f"host{number}.lab.test" for number in range(6)]
DNS = Dns.model_validate(
    {
        "servers": {"maas": {"address": "10.0.0.53"}},
        "names": {name: {"addresses": ["10.0.0.1"]} for name in NAMES},
    }
)


def test_every_name_is_asked_at_no_more_than_five_a_second() -> None:
    server, clock = Server(set(NAMES)), Clock()
    answers = look_at_names(DNS, "maas", server, clock)
    assert set(answers) == {f"maas/{name}" for name in NAMES}
    assert server.asked == [("10.0.0.53", name) for name in NAMES]
    assert sum(clock.slept) / (len(NAMES) - 1) >= 0.2


def test_without_a_pause_nobody_sleeps() -> None:
    clock = Clock()
    look_at_names(DNS, "maas", Server(set()), clock, pause_s=0.0)
    assert clock.slept == []


def test_a_silent_server_is_not_asked_the_rest() -> None:
    server = Server(set())
    answers = look_at_names(DNS, "maas", server, Clock())
    assert len(server.asked) == 2
    assert set(answers) == {f"maas/{name}" for name in NAMES}
    assert all(not answer.known for answer in answers.values())
    assert "left 2 questions in a row unanswered" in str(answers[f"maas/{NAMES[-1]}"].error)


def test_one_lost_answer_does_not_silence_a_server() -> None:
    server = Server(set(NAMES) - {NAMES[1]})
    look_at_names(DNS, "maas", server, Clock())
    assert len(server.asked) == len(NAMES)


def test_a_round_that_did_not_end_leaves_an_error_for_each_name() -> None:
    answers = unasked(DNS, "maas", "too late")
    assert {answer.error for answer in answers.values()} == {"too late"}
    assert len(answers) == len(NAMES)
