"""The timeline: who was down when, against the fault's phases, in one picture.

A row a probe. Down for certain (first to last failed sample) is a dark bar; hatched and
light at its ends is what may have been down too (last good before to first good after).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from blackstart.evidence import style
from blackstart.evidence.directory import Recorded, read_directory
from blackstart.evidence.recovered import ProbeOutcome
from blackstart.evidence.rows import Row, in_order
from blackstart.evidence.summary import Summary, summarise
from blackstart.model.quantities import format_duration
from blackstart.model.samples import Outage

NAME = "timeline"
WIDTH_IN = 9.8
ROW_IN = 0.26
FRAME_IN = 2.0
BAR = 0.62
LABEL_CHARACTER_PART = 0.0105
"""Width of a phase's name, a character, as part of the axis."""


def draw(directory: Path) -> tuple[Path, Path] | None:
    """Draw ``timeline.svg`` and ``.png``; ``None`` when no probe has recorded anything.

    Raises ``JournalError`` as ``read_directory`` does.
    """
    recorded, summary = read_directory(directory), summarise(directory)
    rows = in_order(recorded.series, recorded.subjects)
    if not rows:
        return None
    with style.look():
        return style.save(figure_of(recorded, summary, rows), directory, NAME)


def figure_of(recorded: Recorded, summary: Summary, rows: Sequence[Row]) -> Figure:
    """The picture itself; ``rows`` must not be empty."""
    injected = summary.marks.injected_at
    zero = injected if injected is not None else summary.began_at
    height_in = FRAME_IN + ROW_IN * len(rows)
    figure = style.new_figure(WIDTH_IN, height_in)
    figure.subplots_adjust(
        left=0.175, right=0.855, top=1 - 1.05 / height_in, bottom=0.95 / height_in
    )
    axes = figure.add_subplot()
    end = max([span.ended_at or recorded.last.at for span in summary.phases], default=zero)
    axes.set_xlim(summary.began_at - zero, end - zero)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    _phases(axes, summary, zero, recorded.last.at)
    outcomes = {outcome.probe: outcome for outcome in summary.probes}
    for index, row in enumerate(rows):
        _row(axes, index, row, outcomes[row.series.probe], zero)
    _names(axes, rows, summary)
    _marks(axes, summary, zero)
    _frame(figure, axes, summary, height_in)
    return figure


def _phases(axes: Axes, summary: Summary, zero: float, last: float) -> None:
    low, high = axes.get_xlim()
    lanes: list[float] = []
    for index, span in enumerate(summary.phases):
        began, ended = span.began_at - zero, (span.ended_at or last) - zero
        axes.axvspan(began, ended, color=style.BANDS[index % 2], zorder=0, linewidth=0)
        axes.axvline(began, color="#C8CDD3", linewidth=0.6, zorder=0.5)
        text = span.phase + ("" if span.ended_at is not None else " (not ended)")
        lane = _lane(lanes, began, len(text) * LABEL_CHARACTER_PART * (high - low))
        axes.annotate(
            text,
            (began, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(2, 3 + 10 * lane),
            textcoords="offset points",
            color=style.FAINT,
            fontsize=8,
        )


def _lane(lanes: list[float], began: float, width: float) -> int:
    """The first line on which a label finds room; ``lanes`` holds where each is free."""
    lane = next((number for number, free in enumerate(lanes) if began >= free), len(lanes))
    lanes[lane : lane + 1] = [began + width]
    return lane


def _row(axes: Axes, index: int, row: Row, outcome: ProbeOutcome, zero: float) -> None:
    samples = row.series.samples
    if not samples:
        middle = sum(axes.get_xlim()) / 2
        text = outcome.distrusted or "no samples"
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(middle, index, text, ha="center", va="center", fontsize=8, bbox=paper, zorder=5)
        return
    first, last = samples[0].at - zero, samples[-1].at - zero
    axes.plot([first, last], [index, index], color=style.UP, linewidth=1.6, zorder=1)
    for gap in outcome.gaps:
        began, width = gap.began_at - zero, gap.ended_at - gap.began_at
        axes.barh(index, width, left=began, height=0.3, color="white", zorder=1.5)
        axes.plot(
            [began, began + width], [index, index], color=style.FAINT, linestyle=":", zorder=1.6
        )
    for outage in outcome.outages:
        _outage(axes, index, _span(outage, row, zero))
    axes.annotate(
        _figures(outcome),
        (1.0, index),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color=style.INK if outcome.outage or outcome.distrusted else style.FAINT,
    )


def _span(outage: Outage, row: Row, zero: float) -> tuple[float, float, float, float]:
    """Last good, first failed, last failed, first good: relative to ``zero``."""
    last = row.series.samples[-1].at if outage.ended_at is None else outage.ended_at
    failed = [
        sample.at
        for sample in row.series.samples
        if not sample.ok and outage.began_at <= sample.at <= last
    ]
    return outage.began_at - zero, failed[0] - zero, failed[-1] - zero, last - zero


def _outage(axes: Axes, index: int, span: tuple[float, float, float, float]) -> None:
    began, first, last, ended = span
    axes.barh(
        index,
        ended - began,
        left=began,
        height=BAR,
        facecolor=style.MAYBE_DOWN,
        edgecolor=style.DOWN,
        hatch="////",
        linewidth=0.6,
        zorder=2,
    )
    axes.barh(index, last - first, left=first, height=BAR, color=style.DOWN, zorder=3)


def _figures(outcome: ProbeOutcome) -> str:
    if outcome.distrusted is not None:
        return "? unproven"
    if outcome.outage is None:
        return "up"
    if outcome.outage.upper_s is None:
        return f"> {format_duration(outcome.outage.lower_s)}, not back"
    times = f" in {len(outcome.outages)}" if len(outcome.outages) > 1 else ""
    return f"≤ {format_duration(outcome.outage.upper_s)}{times}"


def _names(axes: Axes, rows: Sequence[Row], summary: Summary) -> None:
    axes.set_yticks(range(len(rows)), [""] * len(rows))
    axes.tick_params(axis="y", length=0)
    for index, row in enumerate(rows):
        subject = row.series.subject.partition("/")[2]
        axes.annotate(
            row.label,
            (0.0, index),
            xycoords=("axes fraction", "data"),
            xytext=(-112 + 11 * row.depth, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold" if subject in summary.targets and row.depth == 0 else "normal",
            color=style.INK,
        )
        if row.depth == 0 and index:
            axes.axhline(index - 0.5, color="#C8CDD3", linewidth=0.8, zorder=0.6)


def _marks(axes: Axes, summary: Summary, zero: float) -> None:
    marks = summary.marks
    shown = (
        (marks.injected_at, "injected", "-"),
        (marks.active_at, "proven active", "--"),
        (marks.recovered_at, "all back", "-."),
    )
    low, high = axes.get_xlim()
    lanes: list[float] = []
    for at, text, dashes in shown:
        if at is None:
            continue
        label = f"{text} {at - zero:.0f} s" if at != zero else text
        width = len(label) * LABEL_CHARACTER_PART * (high - low)
        lane = _lane(lanes, at - zero - width / 2, width)
        axes.axvline(at - zero, color=style.INK, linewidth=1.1, linestyle=dashes, zorder=4)
        axes.annotate(
            label,
            (at - zero, 0.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -17 - 10 * lane),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=8,
            color=style.INK,
        )


def _frame(figure: Figure, axes: Axes, summary: Summary, height_in: float) -> None:
    began = "injection" if summary.marks.injected_at is not None else "the drill's begin"
    axes.set_xlabel(f"seconds from {began}", labelpad=24)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.text(
        0.012,
        1 - 0.28 / height_in,
        f"{summary.verdict.upper()}  {summary.scenario}: {summary.fault} "
        f"{', '.join(summary.targets)}",
        fontsize=12,
        fontweight="bold",
        color=style.INK,
        va="center",
    )
    figure.text(
        0.012,
        1 - 0.52 / height_in,
        f"site {summary.site}, begun {summary.begun}; "
        "at the right: the outage after the injection, upper bound",
        fontsize=8.5,
        color=style.FAINT,
        va="center",
    )
    figure.legend(
        handles=[
            Line2D([], [], color=style.UP, linewidth=1.6, label="up"),
            Patch(color=style.DOWN, label="down for certain"),
            Patch(
                facecolor=style.MAYBE_DOWN,
                edgecolor=style.DOWN,
                hatch="////",
                label="may have been down",
            ),
            Line2D([], [], color=style.FAINT, linestyle=":", label="not asked"),
        ],
        loc="lower right",
        bbox_to_anchor=(0.99, 0.0),
        ncols=4,
        frameon=False,
        fontsize=8,
    )
