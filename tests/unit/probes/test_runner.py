"""The runner keeps time, whatever its probes do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count, pairwise

import pytest

from blackstart.drivers.base import ProbeSession
from blackstart.drivers.clock import SystemClock
from blackstart.errors import ProbeBroken, UsageError
from blackstart.model.samples import Series, coverage, distrust, gaps, outages
from blackstart.probes.base import Answer
from blackstart.probes.runner import ProbeRunner
from blackstart.probes.tcp import TcpProbe
from tests.unit.probes.servers import LOOPBACK, TcpServer
from tests.unit.probes.watching import until

CLOCK = SystemClock()


@dataclass
class Scripted:
    """A probe whose every question does what the test says."""

    name: str
    behave: Callable[[], Awaitable[Answer]]
    timeout_s: float = 1.0
    kind: str = "tcp"
    max_rate_hz: float | None = None
    asked: int = 0
    closed: bool = False

    @property
    def subject(self) -> str:
        return f"guest/{self.name}"

    async def ask(self) -> Answer:
        self.asked += 1
        return await self.behave()

    async def close(self) -> None:
        self.closed = True


async def good() -> Answer:
    return Answer(True)


async def slow() -> Answer:
    await asyncio.sleep(0.9)
    return Answer(False, "slow")


def watch(probes: list[Scripted], for_s: float, rate_hz: float = 20.0) -> dict[str, Series]:
    runner = ProbeRunner(probes, CLOCK, rate_hz)
    runner.start()
    CLOCK.sleep(for_s)
    return {series.probe: series for series in runner.stop()}


async def test_outage_of_a_real_server_lies_between_its_bounds() -> None:
    server = TcpServer()
    await server.start()
    probe = TcpProbe("tcp web", "service/web", LOOPBACK, server.port, 0.5)
    runner: ProbeSession = (concrete := ProbeRunner([probe], CLOCK, 20.0))
    runner.start()
    await until(lambda: (runner.held("service/web") or 0.0) >= 0.3, bound_s=10.0)
    assert not runner.seen_down("service/web")
    await server.stop()
    fell = CLOCK.monotonic()
    await until(lambda: not concrete.latest()["tcp web"].ok, bound_s=10.0)
    assert runner.held("service/web") is None
    assert runner.seen_down("service/web")
    await asyncio.sleep(0.5)
    before_back = CLOCK.monotonic()
    await server.start()
    await until(lambda: (runner.held("service/web") or 0.0) >= 0.2, bound_s=10.0)
    (series,) = runner.stop()
    await server.stop()
    (outage,) = outages(series.samples)
    assert outage.upper_s is not None
    assert outage.lower_s <= CLOCK.monotonic() - fell
    assert outage.upper_s >= before_back - fell
    assert outage.upper_s - outage.lower_s < 0.4
    assert outage.began_at <= fell
    assert outage.ended_at is not None
    assert outage.ended_at >= before_back
    assert series.broken is None


def test_slow_probe_delays_neither_itself_nor_another() -> None:
    seen = watch([Scripted("quick", good), Scripted("slow", slow)], for_s=2.0)
    for series in seen.values():
        assert coverage(series, series.samples[0].at, series.samples[0].at + 1.9) > 0.8
        assert gaps(series, series.samples[0].at, series.samples[-1].at) == ()
    assert all(sample.latency_s >= 0.9 for sample in seen["slow"].samples)


def test_late_question_does_not_shift_the_ones_after_it() -> None:
    turns = count()

    async def busy_every_other_time() -> Answer:
        if next(turns) % 2 == 0:
            time.sleep(0.65)
        return Answer(True)

    (series,) = watch([Scripted("busy", busy_every_other_time)], for_s=8.0, rate_hz=2.0).values()
    # On a grid of 0.5 s every second question is 0.15 s late, and none more than that.
    # Counted from the last answer instead, they would wander over the whole period.
    first = series.samples[0].at
    late = [(sample.at - first + 0.1) % 0.5 - 0.1 for sample in series.samples]
    assert sum(1 for seconds in late if seconds < 0.25) >= 0.85 * len(late)


def test_samples_are_in_the_order_of_asking_whatever_order_answers_come_in() -> None:
    waits = iter([0.5, 0.0] * 100)

    async def uneven() -> Answer:
        await asyncio.sleep(next(waits))
        return Answer(True)

    (series,) = watch([Scripted("uneven", uneven)], for_s=1.0).values()
    assert all(one.at < other.at for one, other in pairwise(series.samples))


def test_open_questions_are_bounded_skipped_and_counted() -> None:
    probe = Scripted("stuck", slow, timeout_s=0.2)
    (series,) = watch([probe], for_s=1.5, rate_hz=20.0).values()
    # Five fit into the timeout at 20 Hz; each stays open for 0.9 s.
    assert probe.asked <= 5 * 2
    assert series.skipped >= 15
    assert probe.closed


def test_a_machine_that_stood_still_breaks_no_probe() -> None:
    """All bounds run out at once then; the questions are withdrawn, and leave a gap."""
    asked = 0

    async def waits() -> Answer:
        nonlocal asked
        asked += 1
        if asked == 3:
            time.sleep(2.0)
        await asyncio.sleep(0.05)
        return Answer(True)

    (series,) = watch([Scripted("waits", waits, timeout_s=0.1)], for_s=4.0, rate_hz=5.0).values()
    assert series.broken is None
    assert series.asked == len(series.samples)
    assert series.skipped > 0
    assert all(sample.ok for sample in series.samples)
    assert gaps(series, series.samples[0].at, series.samples[-1].at)


def test_question_beyond_its_own_bound_is_a_broken_probe() -> None:
    async def endless() -> Answer:
        await asyncio.sleep(60)
        return Answer(False)

    (series,) = watch([Scripted("endless", endless, timeout_s=0.1)], for_s=1.5).values()
    assert series.broken == "it did not keep its own bound of 0.1 s"
    assert series.samples == ()


@pytest.mark.parametrize(
    ("error", "shown"),
    [(ProbeBroken("no route"), "no route"), (KeyError("oops"), "KeyError: 'oops'")],
)
def test_probe_that_raises_is_broken_not_down_and_not_asked_again(
    error: Exception, shown: str
) -> None:
    async def raising() -> Answer:
        raise error

    broken, quick = Scripted("broken", raising), Scripted("quick", good)
    seen = watch([broken, quick], for_s=0.6)
    assert seen["broken"].broken == shown
    assert outages(seen["broken"].samples) == ()
    assert distrust(seen["broken"], 0.0, 1.0) == f"probe broken broke: {shown}"
    assert broken.asked <= 2
    assert len(seen["quick"].samples) >= 8


def test_machine_that_stood_still_leaves_a_gap_and_no_burst() -> None:
    asked = iter(range(1000))

    async def stalls_once() -> Answer:
        if next(asked) == 10:
            time.sleep(1.5)
        return Answer(True)

    runner = ProbeRunner([Scripted("stalled", stalls_once)], CLOCK, 20.0)
    runner.start()
    CLOCK.sleep(3.0)
    held = runner.held("guest/stalled")
    (series,) = runner.stop()
    (gap,) = gaps(series, series.samples[0].at, series.samples[-1].at)
    assert gap.ended_at - gap.began_at == pytest.approx(1.5, abs=0.4)
    assert series.skipped >= 25
    spacing = [other.at - one.at for one, other in pairwise(series.samples)]
    assert sum(1 for seconds in spacing if seconds < 0.01) <= 1
    assert held is not None
    assert held <= series.samples[-1].at - gap.ended_at


def test_broken_probe_never_holds_and_a_subject_needs_all_its_probes() -> None:
    async def failing() -> Answer:
        return Answer(False, "down")

    one, other = Scripted("same", good), Scripted("same", failing)
    other.name = "second"
    pair: list[Scripted] = [one, _on_subject(other, "guest/same")]
    runner = ProbeRunner(pair, CLOCK, 20.0)
    runner.start()
    CLOCK.sleep(0.5)
    assert runner.subjects() == {"guest/same"}
    assert runner.held("guest/same") is None
    runner.stop()


def test_what_could_not_be_asked_was_not_seen_down() -> None:
    async def broken() -> Answer:
        raise ProbeBroken("no permission")

    runner = ProbeRunner([Scripted("blind", broken)], CLOCK, 20.0)
    assert not runner.seen_down("guest/blind")
    runner.start()
    CLOCK.sleep(0.5)
    assert runner.held("guest/blind") is None
    assert not runner.seen_down("guest/blind")
    runner.stop()


def _on_subject(probe: Scripted, subject: str) -> Scripted:
    class Elsewhere(Scripted):
        @property
        def subject(self) -> str:
            return subject

    return Elsewhere(probe.name, probe.behave)


def test_what_is_not_probed_is_an_error_and_not_well() -> None:
    with pytest.raises(KeyError):
        ProbeRunner([], CLOCK, 1.0).held("guest/unknown")


def test_two_probes_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="same name"):
        ProbeRunner([Scripted("a", good), Scripted("a", good)], CLOCK, 1.0)


def test_stop_gives_the_same_again() -> None:
    runner = ProbeRunner([Scripted("quick", good)], CLOCK, 20.0)
    runner.start()
    CLOCK.sleep(0.2)
    assert runner.stop() == runner.stop()
