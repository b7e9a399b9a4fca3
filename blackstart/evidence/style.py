"""How pictures look: one palette, legible without colour, the same bytes every time."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette for the colour-blind (jfly.uni-koeln.de/color).
DOWN = "#D55E00"
MAYBE_DOWN = "#F5C08A"
UP = "#0072B2"
GOOD = "#009E73"
MAYBE_GOOD = "#9ED9C5"
INK = "#222222"
FAINT = "#777777"
BANDS = ("#FFFFFF", "#ECEFF3")
PNG_DPI = 130

_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "svg.fonttype": "path",
    "svg.hashsalt": "blackstart",
    "hatch.linewidth": 0.6,
    "axes.edgecolor": FAINT,
}


def look() -> AbstractContextManager[None]:
    """Within it, everything is drawn and saved in this style."""
    return mpl.rc_context(_SETTINGS)


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure of so many inches, independent of any display."""
    figure = Figure(figsize=(width_in, height_in), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, directory: Path, name: str) -> tuple[Path, Path]:
    """Write NAME.svg and NAME.png, each whole or not at all; returns both."""
    written: list[Path] = []
    for suffix, metadata in ((".svg", {"Date": None}), (".png", {"Software": None})):
        path = directory / f"{name}{suffix}"
        temporary = directory / f".{name}{suffix}.part"
        figure.savefig(temporary, format=suffix[1:], dpi=PNG_DPI, metadata=metadata)
        temporary.replace(path)
        written.append(path)
    return written[0], written[1]
