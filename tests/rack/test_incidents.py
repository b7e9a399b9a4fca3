"""Past outages on real machines: foreseen, drilled, mended; and how well, in one table.

All of them: ``pytest tests/rack -m incident``; one: ``-k efi-file-gone``; a third: ``--shard 1/3``.
A drift whose record is as expected, by this very code, is not replayed again unless ``--again``
is given; records lie below ``--incidents`` (``reports/incidents``), one file a drift.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from blackstart.cli_incidents import Replays
from blackstart.evidence.addresses import WIDE
from blackstart.evidence.incidents import show
from blackstart.incident.bench import DRILL_S, VERIFY_S
from blackstart.incident.loading import Case
from blackstart.incident.replay import Replay
from blackstart.model.verdict import Verdict
from tests.rack.drills import INVENTORY, ROOT

CASE_S = DRILL_S + 2 * VERIFY_S + 1800.0
"""Each command of a replay has its own bound; this is for what does not keep its bound."""

pytestmark = [pytest.mark.incident, pytest.mark.timeout(CASE_S)]


def replays_of(config: pytest.Config) -> Replays:
    return Replays.of(str(INVENTORY), ROOT / str(config.getoption("incidents")))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The drifts of this shard, dealt out like cards."""
    shard, _, shards = str(metafunc.config.getoption("shard")).partition("/")
    cases = replays_of(metafunc.config).cases[int(shard) - 1 :: int(shards)]
    metafunc.parametrize("case", cases, ids=[case.id for case in cases])


@pytest.fixture(scope="module")
def replays(pytestconfig: pytest.Config) -> Iterator[Replays]:
    """All of them; the table is told at the end."""
    replays = replays_of(pytestconfig)
    yield replays
    score = replays.score(replays.cases)
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    reporter.section("incidents")
    text = StringIO()
    show(Console(file=text, highlight=False, width=WIDE), score)
    for line in text.getvalue().splitlines():
        reporter.write_line(line.rstrip())


@pytest.fixture(scope="module")
def replay(replays: Replays) -> Iterator[Replay]:
    """The rack is as new and verified before, and nobody else replays on it meanwhile."""
    with replays.replaying() as replay:
        yield replay


def test_it_was_foreseen_and_happened_and_was_mended(
    case: Case, replays: Replays, replay: Replay, request: pytest.FixtureRequest
) -> None:
    """Named checks red before, named promises broken by the drill, all green after the fix."""
    earlier, _ = replays.outcomes((case,))
    good = [item.verdict for item in earlier] == [Verdict.PASS]
    if good and not request.config.getoption("again"):
        pytest.skip(f"as expected before: {replays.records.path(case.id)}")
    replay.one(case)
    (outcome,), _ = replays.outcomes((case,))
    assert outcome.verdict is Verdict.PASS, "; ".join((*outcome.reasons, *outcome.gaps))
