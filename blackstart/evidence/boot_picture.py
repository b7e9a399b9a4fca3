"""The boot graph as a picture: from power at the left to names at the right, a lane a machine.

What would never start is hatched, and what waits for itself is closed by a thick line with the
lines of evidence beside it, so that both are seen without colour.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch, Rectangle
from matplotlib.path import Path as Way

from blackstart.evidence import style
from blackstart.evidence.boot_layout import (
    BOX,
    CYCLE_HEAD,
    HEADS,
    LANE_HEAD,
    MARGIN,
    TOP,
    WIDTHS,
    Box,
    Layout,
    layout,
    left_of,
)
from blackstart.evidence.boot_lines import Line, lines
from blackstart.evidence.boot_marks import Marks, marks_of
from blackstart.evidence.boot_words import kind_of, title
from blackstart.graph.outlook import Outlook
from blackstart.model.boot_graph import LinkKind
from blackstart.model.verdict import Verdict

SIZE, SMALL = 8.0, 6.8
EM = {SIZE: 0.0625, SMALL: 0.053}
"""Inches that a character takes, on average, at a size of type."""
_WORDS = {Verdict.PASS: "GO", Verdict.FAIL: "NO-GO", Verdict.UNPROVEN: "UNPROVEN"}


def draw(told: Outlook, path: Path) -> None:
    """Write it as SVG, whole or not at all."""
    with style.look():
        figure = figure_of(told)
        part = path.with_name(f".{path.name}.part")
        figure.savefig(part, format="svg", metadata={"Date": None})
        part.replace(path)


def figure_of(told: Outlook) -> Figure:
    """The picture itself."""
    found = layout(told)
    figure = style.new_figure(found.width, found.height)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, found.width)
    axes.set_ylim(found.height, 0)
    axes.set_axis_off()
    _frame(axes, told, found)
    for number in range(len(found.lanes)):
        _lane(axes, told, found, number)
    for line in lines(told, found):
        _line(axes, line)
    marks = marks_of(told)
    for box in found.boxes.values():
        _box(axes, box, marks)
    return figure


def _frame(axes: Axes, told: Outlook, found: Layout) -> None:
    colour = style.GOOD if told.verdict is Verdict.PASS else style.DOWN
    axes.text(
        *(MARGIN, 0.32),
        f"{_WORDS[told.verdict]}: cold start of {told.graph.site}",
        fontsize=14,
        fontweight="bold",
        color=colour,
        va="center",
    )
    axes.text(MARGIN, 0.6, _summary(told), fontsize=SIZE, color=style.FAINT, va="center")
    for column, head in enumerate(HEADS[: found.columns]):
        axes.text(left_of(column), TOP - 0.1, head, fontsize=SIZE, color=style.FAINT)
    axes.legend(
        handles=[
            Line2D([], [], color=style.INK, linewidth=1, label="needs"),
            Line2D([], [], color=style.FAINT, linewidth=1, linestyle=":", label="goes on without"),
            Line2D([], [], color=style.DOWN, linewidth=2.6, label="waits for itself"),
            Patch(facecolor="white", edgecolor=style.DOWN, hatch="////", label="never starts"),
            Patch(facecolor="white", edgecolor=style.INK, linestyle="--", label="? not all seen"),
        ],
        loc="lower left",
        bbox_to_anchor=(MARGIN / found.width, 0.38 / found.height),
        ncols=5,
        frameon=False,
        fontsize=SIZE,
        borderaxespad=0,
    )
    times = (
        "≤ is when it would be there at the latest drill's pace, ≥ what declared delays alone make"
    )
    note = f"{times}; a lease and the cluster's quorum are written in and not drawn"
    axes.text(MARGIN, found.height - 0.2, note, fontsize=SMALL, color=style.FAINT, va="center")


def _summary(told: Outlook) -> str:
    stages = len(told.prediction.stages())
    counted = [
        f"{len(told.cycles)} cycle{'s' * (len(told.cycles) > 1)}" * bool(told.cycles),
        f"{len(told.never)} would not start" * bool(told.never),
        f"{len(told.graph.unknown)} not seen" * bool(told.graph.unknown),
        f"{stages} stages" * (not told.never),
    ]
    return ", ".join(filter(None, counted))


def _lane(axes: Axes, told: Outlook, found: Layout, number: int) -> None:
    lane = found.lanes[number]
    axes.add_patch(
        Rectangle(
            (left_of(1) - 0.3, lane.top),
            found.width - left_of(1) + 0.3 - 0.1,
            lane.bottom - lane.top,
            facecolor=style.BANDS[1 - number % 2],
            edgecolor="none",
            zorder=0,
        )
    )
    axes.text(
        *(left_of(1) - 0.2, lane.top + 0.16),
        lane.name,
        fontsize=SIZE + 1,
        fontweight="bold",
        color=style.INK,
        va="center",
    )
    for place, cycle in enumerate(lane.cycles):
        top = lane.top + LANE_HEAD + CYCLE_HEAD * place
        begin = title(told.graph.by_id[cycle.parts[0]])
        said = [f"✗ {begin} {kind_of(cycle)}", *cycle.evidence[:2]]
        for line, text in enumerate(said):
            axes.text(
                *(left_of(2) - 0.1, top + 0.04 + 0.15 * line),
                shorten(text, found.width - left_of(2) - 0.5, SMALL + (line == 0)),
                fontsize=SMALL + (line == 0),
                fontweight="bold" if line == 0 else "normal",
                color=style.DOWN if line == 0 else style.INK,
                va="center",
                zorder=6,
            )


def shorten(text: str, width: float, size: float) -> str:
    """Text that surely fits into so many inches."""
    most = int(width / EM.get(size, EM[SIZE]))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _line(axes: Axes, line: Line) -> None:
    wants = line.kind is LinkKind.WANTS
    colour = style.DOWN if line.cycle else style.FAINT
    if not line.cycle and not wants:
        colour = "#555B62"
    arrow = FancyArrowPatch(
        path=Way(line.points),
        arrowstyle="-|>,head_length=4,head_width=2"
        if line.cycle
        else "-|>,head_length=2.4,head_width=1.2",
        color=colour,
        linewidth=2.6 if line.cycle else 0.8,
        linestyle=":" if wants else "--" if line.back and not line.cycle else "-",
        shrinkA=0,
        shrinkB=0,
        joinstyle="round",
        zorder=4 if line.cycle else 2,
    )
    axes.add_patch(arrow)


def _box(axes: Axes, box: Box, marks: Marks) -> None:
    part = box.part.id
    never, cyclic, gap = part in marks.never, part in marks.cyclic, part in marks.unknown
    width = WIDTHS[box.column]
    axes.add_patch(
        FancyBboxPatch(
            (box.left, box.middle - BOX / 2),
            width,
            BOX,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor="white",
            edgecolor=style.DOWN if never else style.INK,
            linewidth=2.0 if cyclic else 0.8,
            linestyle="--" if gap else "-",
            hatch="////" if never and not cyclic else None,
            zorder=3,
        )
    )
    right = marks.right.get(part, "")
    room = width - 0.12 - len(right) * EM[SMALL] - (0.08 if right else 0)
    sign = "✗ " * never + "? " * gap
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axes.text(
        *(box.left + 0.06, box.middle),
        shorten(sign + marks.left[part], room, SIZE),
        fontsize=SIZE,
        fontweight="bold" if cyclic else "normal",
        color=style.INK,
        va="center",
        bbox=paper if never and not cyclic else None,
        zorder=5,
    )
    axes.text(
        *(box.right - 0.06, box.middle),
        right,
        fontsize=SMALL,
        color=style.FAINT,
        ha="right",
        va="center",
        bbox=paper if right and never and not cyclic else None,
        zorder=5,
    )
