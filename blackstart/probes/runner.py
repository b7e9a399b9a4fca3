"""Asks all probes again and again, on time, in a thread of its own.

Every probe has its own deadlines on a monotonic clock, reckoned from the start and not
from the last answer: a slow answer shifts nothing, neither this probe's next question
nor another's. A question due while as many are open as fit into one timeout is skipped
and counted, never queued. A machine that stood still leaves missing samples behind
(``blackstart.model.samples.gaps``), not a burst of late ones.
"""

from __future__ import annotations

import asyncio
import math
import threading
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from blackstart.drivers.base import Clock
from blackstart.errors import ProbeBroken, UsageError
from blackstart.model.samples import Sample, Series, held_since, longest_silence_s
from blackstart.probes.base import Probe

OWN_BOUND_S = 1.0
"""Seconds that a probe may exceed its own bound before it counts as broken."""
SPREAD_S = 2.0
"""Over so many seconds at most: steady state waits for the first answer of every probe."""
BEAT_S = 0.1
STALL_S = 0.5
"""Seconds by which a beat may be late; later than that, this very machine stood still."""


@dataclass(slots=True)
class _Track:
    """One probe and what it has seen. Guarded by the runner's lock."""

    probe: Probe
    period_s: float
    most_open: int
    samples: list[Sample] = field(default_factory=list)
    open: list[float] = field(default_factory=list)
    skipped: int = 0
    asked: int = 0
    broken: str | None = None

    def series(self) -> Series:
        probe = self.probe
        return Series(
            probe=probe.name,
            kind=probe.kind,
            subject=probe.subject,
            period_s=self.period_s,
            samples=tuple(self.samples),
            broken=self.broken,
            skipped=self.skipped,
            asked=self.asked,
        )

    def settled(self) -> list[Sample]:
        """Samples before the oldest question that is still open."""
        if not self.open:
            return self.samples
        return self.samples[: bisect_left(self.samples, min(self.open), key=_asked_at)]

    def held(self, now: float) -> float | None:
        """Seconds of unbroken good samples; ``None`` when down, silent or broken."""
        settled = self.settled()
        silence_s = longest_silence_s(self.period_s)
        since = held_since(settled, silence_s)
        if self.broken is not None or since is None:
            return None
        last = settled[-1].at
        if now - last > silence_s + self.probe.timeout_s:
            return None
        return last - since

    def failing(self, now: float) -> bool:
        """Whether it works, and its latest answer, of which it is not too long, was a no."""
        settled = self.settled()
        if self.broken is not None or not settled or settled[-1].ok:
            return False
        return now - settled[-1].at <= longest_silence_s(self.period_s) + self.probe.timeout_s


def _asked_at(sample: Sample) -> float:
    return sample.at


class ProbeRunner:
    """Runs probes between ``start`` and ``stop``; may be read from any thread meanwhile.

    ``rate_hz`` questions a second to each target, less where a probe has a lower limit.
    """

    def __init__(self, probes: Sequence[Probe], clock: Clock, rate_hz: float) -> None:
        names = [probe.name for probe in probes]
        if len(set(names)) != len(names):
            raise UsageError("two probes of one drill have the same name")
        self._clock = clock
        self._lock = threading.Lock()
        self._tracks = [_track(probe, rate_hz) for probe in probes]
        self._questions: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._stalled_at = -math.inf
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._work, name="probes", daemon=True)

    def start(self) -> None:
        """Begin asking, in the background. A runner runs once."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> tuple[Series, ...]:
        """End asking, wait for the open questions (one timeout at most); everything seen."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            longest_s = max((track.probe.timeout_s for track in self._tracks), default=0.0)
            self._thread.join(longest_s + 2 * OWN_BOUND_S + 5.0)
        with self._lock:
            return tuple(track.series() for track in self._tracks)

    def latest(self) -> dict[str, Sample]:
        """The newest sample of every probe that has any, by the probe's name."""
        with self._lock:
            return {track.probe.name: track.samples[-1] for track in self._tracks if track.samples}

    def subjects(self) -> frozenset[str]:
        """Full names of everything that is probed."""
        return frozenset(track.probe.subject for track in self._tracks)

    def held(self, subject: str) -> float | None:
        """Seconds for which every probe of ``subject`` has been good without a gap.

        ``None`` while one of them fails, is broken, or has not answered; ``KeyError``
        for what is not probed.
        """
        tracks, now = self._tracks_of(subject), self._clock.monotonic()
        with self._lock:
            held = [track.held(now) for track in tracks]
        shortest = math.inf
        for seconds in held:
            if seconds is None:
                return None
            shortest = min(shortest, seconds)
        return shortest

    def seen_down(self, subject: str) -> bool:
        """Whether a working probe of ``subject`` failed when it asked last.

        ``KeyError`` for what is not probed.
        """
        tracks, now = self._tracks_of(subject), self._clock.monotonic()
        with self._lock:
            return any(track.failing(now) for track in tracks)

    def _tracks_of(self, subject: str) -> list[_Track]:
        tracks = [track for track in self._tracks if track.probe.subject == subject]
        if not tracks:
            raise KeyError(subject)
        return tracks

    # -- in the thread --------------------------------------------------------------

    def _work(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:  # whatever it was, nothing is proven
            with self._lock:
                for track in self._tracks:
                    track.broken = track.broken or f"the prober died: {error!r}"
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        began = self._loop.time()
        asking = [
            # Spread over the period: a burst would measure the burst.
            asyncio.create_task(self._ask_on_time(track, began + _spread_s(track) * part))
            for track, part in zip(self._tracks, _parts(len(self._tracks)), strict=True)
        ]
        self._ready.set()
        beating = asyncio.create_task(self._beat())
        ended = asyncio.create_task(self._ended.wait())
        await asyncio.wait([ended, *asking], return_when=asyncio.FIRST_COMPLETED)
        died = [task for task in asking if task.done() and not task.cancelled()]
        for task in (ended, *asking):
            task.cancel()
        await asyncio.gather(ended, *asking, return_exceptions=True)
        await self._settle()
        beating.cancel()
        for track in self._tracks:
            await track.probe.close()
        for task in died:
            task.result()

    async def _beat(self) -> None:
        """Notice when this machine stands still: a bound that then runs out is nobody's fault."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            if loop.time() - due > STALL_S:
                self._stalled_at = self._clock.monotonic()

    async def _settle(self) -> None:
        longest_s = max((track.probe.timeout_s for track in self._tracks), default=0.0)
        if self._questions:
            _, late = await asyncio.wait(self._questions, timeout=longest_s + OWN_BOUND_S)
            for task in late:
                task.cancel()

    async def _ask_on_time(self, track: _Track, first: float) -> None:
        loop = asyncio.get_running_loop()
        turn = 0
        while track.broken is None:
            await asyncio.sleep(max(0.0, first + turn * track.period_s - loop.time()))
            missed = int((loop.time() - first) / track.period_s) - turn
            if missed > 0:
                track.skipped += missed
                turn += missed
            self._ask(track)
            turn += 1
        await self._ended.wait()

    def _ask(self, track: _Track) -> None:
        with self._lock:
            if len(track.open) >= track.most_open:
                track.skipped += 1
                return
        task = asyncio.create_task(self._question(track))
        self._questions.add(task)
        task.add_done_callback(self._questions.discard)

    async def _question(self, track: _Track) -> None:
        probe, at = track.probe, self._clock.monotonic()
        with self._lock:
            track.open.append(at)
            track.asked += 1
        sample: Sample | None = None
        trouble: str | None = None
        try:
            async with asyncio.timeout(probe.timeout_s + OWN_BOUND_S):
                answer = await probe.ask()
            latency_s = self._clock.monotonic() - at
            sample = Sample(at=at, ok=answer.ok, latency_s=latency_s, detail=answer.detail)
        except ProbeBroken as error:
            trouble = str(error)
        except TimeoutError:
            if self._stalled_at >= at:
                with self._lock:  # withdrawn: it tells of this machine, not of the probe
                    track.asked -= 1
                    track.skipped += 1
            else:
                trouble = f"it did not keep its own bound of {probe.timeout_s:g} s"
        except Exception as error:  # its own bug must not read as an outage
            trouble = f"{type(error).__name__}: {error}"
        finally:
            with self._lock:
                track.open.remove(at)
                track.broken = track.broken or trouble
                if sample is not None:
                    insort(track.samples, sample, key=_asked_at)


def _track(probe: Probe, rate_hz: float) -> _Track:
    rate = rate_hz if probe.max_rate_hz is None else min(rate_hz, probe.max_rate_hz)
    period_s = 1.0 / rate
    return _Track(probe, period_s, most_open=math.ceil(probe.timeout_s / period_s) + 1)


def _spread_s(track: _Track) -> float:
    return min(track.period_s, SPREAD_S)


def _parts(count: int) -> list[float]:
    return [index / count for index in range(count)]
