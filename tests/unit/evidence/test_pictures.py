"""The pictures show the bounds they claim, in the order of the house."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from blackstart.evidence import recovery, style, timeline
from blackstart.evidence.directory import read_directory
from blackstart.evidence.files import EvidenceFiles, write_files
from blackstart.evidence.rows import Row, in_order
from blackstart.evidence.summary import summarise
from tests.unit.evidence import drill_directory as told
from tests.unit.evidence.drill_directory import Story, make


def rows_of(directory: Path) -> tuple[Row, ...]:
    recorded = read_directory(directory)
    return in_order(recorded.series, recorded.subjects)


def timeline_of(directory: Path) -> Figure:
    return timeline.figure_of(read_directory(directory), summarise(directory), rows_of(directory))


def bars(figure: Figure, colour: str) -> dict[int, tuple[float, float]]:
    """From, to of every bar of a colour, by row."""
    found = {}
    for patch in figure.axes[0].patches:
        if isinstance(patch, Rectangle) and to_hex(patch.get_facecolor()).upper() == colour:
            row = round(patch.get_y() + patch.get_height() / 2)
            found[row] = (patch.get_x(), patch.get_x() + patch.get_width())
    return found


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in [*figure.axes[0].texts, *figure.texts])


def test_rows_go_from_host_to_guests_to_what_they_serve(tmp_path: Path) -> None:
    rows = rows_of(make(tmp_path, told.PASSED))
    assert [("  " * row.depth) + row.series.probe for row in rows] == [
        "icmp pve1",
        "  icmp maas",
        "    dns maas",
        "  icmp docker1",
        "    http web",
        "  icmp k3s1",
        "    tcp k3s1",
        "icmp pve2",
        "  icmp dns2",
        "    dns dns2",
        "  icmp k3s2",
        "    tcp k3s2",
        "  icmp k3s3",
        "    tcp k3s3",
        "  icmp app1",
        "icmp nas1",
    ]


def test_probe_that_nobody_declared_still_has_its_row(tmp_path: Path) -> None:
    recorded = read_directory(make(tmp_path, told.PASSED))
    rows = in_order(recorded.series, ())
    assert {row.series.probe for row in rows} == {series.probe for series in recorded.series}


def test_dark_is_the_lower_bound_and_light_the_upper(tmp_path: Path) -> None:
    directory = make(tmp_path, told.FAILED)
    figure = timeline_of(directory)
    dark, light = bars(figure, style.DOWN), bars(figure, style.MAYBE_DOWN)
    outcomes = {item.probe: item for item in summarise(directory).probes}
    fell = 0
    for index, row in enumerate(rows_of(directory)):
        outage = outcomes[row.series.probe].outage
        if outage is None:
            assert index not in light
            continue
        fell += 1
        assert dark[index][1] - dark[index][0] == pytest.approx(outage.lower_s, abs=1e-3)
        if outage.upper_s is not None:
            assert light[index][1] - light[index][0] == pytest.approx(outage.upper_s, abs=1e-3)
        assert light[index][0] < dark[index][0]
    assert fell == 7
    shown = texts(figure)
    assert "FAIL  test_node_reboot[pve1]: reboot pve1" in shown
    assert "> 90s, not back" in shown
    assert "proven active 49 s" in shown
    for phase in ("guard", "baseline", "arm", "inject", "revert", "recover", "judge"):
        assert phase in shown


def test_what_is_not_known_is_not_drawn_as_up(tmp_path: Path) -> None:
    story = Story(silent=(20.0, 26.0), broken={"icmp nas1": "no permission for ICMP"})
    figure = timeline_of(make(tmp_path, story))
    assert "probe icmp nas1 broke: no permission for ICMP" in texts(figure)
    dotted = [line for line in figure.axes[0].lines if line.get_linestyle() == ":"]
    assert len(dotted) == 15
    began, ended = dotted[0].get_xdata()
    assert (began, ended) == (pytest.approx(19.9, abs=0.2), pytest.approx(26.0, abs=0.2))


def test_thirty_rows_keep_their_height(tmp_path: Path) -> None:
    few = timeline_of(make(tmp_path, Story(), 0)).get_figheight()
    many = timeline_of(make(tmp_path, Story(more_guests=14), 1)).get_figheight()
    assert many - few == pytest.approx(14 * timeline.ROW_IN)


def test_recovery_bars_end_at_the_upper_bound_and_show_the_budget(tmp_path: Path) -> None:
    directory = make(tmp_path, told.FAILED)
    summary = summarise(directory)
    figure = recovery.figure_of(summary)
    good, bad = bars(figure, style.GOOD), bars(figure, style.DOWN)
    first = summary.guests[0].recovery_s
    assert first is not None
    assert good[0][1] == pytest.approx(first.lower_s)
    assert 2 in bad
    budgets = [line.get_xdata()[0] for line in figure.axes[0].lines]
    assert budgets == [180.0] * 7
    assert "✓ ≤ 58s of 3m00s" in texts(figure)
    assert "> 94s of 3m00s: not back" in texts(figure)


def test_same_directory_gives_the_same_bytes(tmp_path: Path) -> None:
    directory = make(tmp_path, told.PASSED)
    write_files(directory)
    names = ("timeline.svg", "timeline.png", "recovery.svg", "recovery.png", "summary.json")
    first = {name: (directory / name).read_bytes() for name in names}
    write_files(directory)
    assert {name: (directory / name).read_bytes() for name in names} == first
    assert not list(directory.glob(".*"))


@pytest.mark.parametrize("story", [told.REFUSED, told.CRASHED], ids=["refused", "crashed"])
def test_no_samples_no_pictures(tmp_path: Path, story: Story) -> None:
    directory = make(tmp_path, story)
    assert timeline.draw(directory) is None
    assert recovery.draw(directory) is None


def test_observer_warns_and_never_raises(tmp_path: Path) -> None:
    warned: list[str] = []
    EvidenceFiles(warned.append).drill_end(tmp_path / "nowhere")
    assert len(warned) == 1
    assert "no summary or pictures" in warned[0]
