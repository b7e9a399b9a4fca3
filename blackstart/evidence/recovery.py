"""Recovery time against budget, a bar a guest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from blackstart.evidence import style
from blackstart.evidence.recovered import Bounds, GuestRecovery
from blackstart.evidence.summary import Summary, summarise
from blackstart.model.quantities import format_duration

NAME = "recovery"
WIDTH_IN = 9.0
ROW_IN = 0.36
FRAME_IN = 1.6
BAR = 0.56


def draw(directory: Path) -> tuple[Path, Path] | None:
    """Draw ``recovery.svg`` and ``.png``; ``None`` when no guest was measured.

    Raises ``JournalError`` as ``read_directory`` does.
    """
    summary = summarise(directory)
    if not summary.probes or not summary.guests:
        return None
    with style.look():
        return style.save(figure_of(summary), directory, NAME)


def figure_of(summary: Summary) -> Figure:
    """The picture itself, of a drill with guests."""
    found = summary.guests
    height_in = FRAME_IN + ROW_IN * len(found)
    figure = style.new_figure(WIDTH_IN, height_in)
    figure.subplots_adjust(left=0.17, right=0.76, top=1 - 0.7 / height_in, bottom=0.85 / height_in)
    axes = figure.add_subplot()
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlim(0, _longest(found) * 1.04)
    for index, guest in enumerate(found):
        _bar(axes, index, guest)
    axes.set_yticks(range(len(found)), [_name(guest) for guest in found])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("seconds from injection")
    axes.grid(axis="x", color="#E3E6EA", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    _frame(figure, summary, height_in)
    return figure


def _longest(found: Sequence[GuestRecovery]) -> float:
    reached = [
        guest.recovery_s.upper_s or guest.recovery_s.lower_s for guest in found if guest.recovery_s
    ]
    return max([*reached, *(guest.budget_s for guest in found)])


def _name(guest: GuestRecovery) -> str:
    return guest.guest if guest.node is None else f"{guest.guest} on {guest.node}"


def _bar(axes: Axes, index: int, guest: GuestRecovery) -> None:
    fine = guest.within is True
    sure, unsure = (style.GOOD, style.MAYBE_GOOD) if fine else (style.DOWN, style.MAYBE_DOWN)
    recovery = guest.recovery_s
    if recovery is not None:
        ended = recovery.upper_s
        reach = axes.get_xlim()[1] if ended is None else ended
        axes.barh(
            index,
            reach - recovery.lower_s,
            left=recovery.lower_s,
            height=BAR,
            facecolor=unsure,
            edgecolor=sure,
            hatch="////",
            linewidth=0.6,
        )
        axes.barh(index, recovery.lower_s, height=BAR, color=sure)
    budget = guest.budget_s
    axes.plot([budget, budget], [index - 0.42, index + 0.42], color=style.INK, linewidth=2)
    axes.annotate(
        _figures(recovery, guest),
        (1.0, index),
        xycoords=("axes fraction", "data"),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=style.INK if recovery is not None or not fine else style.FAINT,
        fontweight="normal" if fine else "bold",
        fontsize=8.5,
    )


def _figures(recovery: Bounds | None, guest: GuestRecovery) -> str:
    budget = format_duration(guest.budget_s)
    if recovery is None:
        return guest.note
    if recovery.upper_s is None:
        return f"> {format_duration(recovery.lower_s)} of {budget}: not back"
    mark = {True: "✓", False: "✗", None: "?"}[guest.within]
    return f"{mark} ≤ {format_duration(recovery.upper_s)} of {budget}"


def _frame(figure: Figure, summary: Summary, height_in: float) -> None:
    figure.text(
        0.015,
        1 - 0.3 / height_in,
        f"Recovery time against budget: {summary.fault} {', '.join(summary.targets)}",
        fontsize=11,
        fontweight="bold",
        color=style.INK,
        va="center",
    )
    figure.legend(
        handles=[
            Patch(color=style.GOOD, label="in budget"),
            Patch(color=style.DOWN, label="over, or not proven"),
            Patch(facecolor="white", edgecolor=style.INK, hatch="////", label="between bounds"),
            Line2D([], [], color=style.INK, linewidth=2, label="budget"),
        ],
        loc="lower center",
        ncols=4,
        frameon=False,
        fontsize=8,
    )
