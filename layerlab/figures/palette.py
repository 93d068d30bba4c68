"""What colours and patterns mean, in every figure alike. Knows no data and no plotly.

Told apart without colour too: the lightness differs, and each meaning has a hatching of its own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """How one meaning is drawn: fill, hatching (a plotly pattern shape) and the colour of text on it."""

    fill: str
    pattern: str
    ink: str


# Fills from the Okabe-Ito set (safe for all common colour blindness), lightness 80 / 60 / 30 %.
BASE = Mark(fill="#b9cfe0", pattern="", ink="#16202a")
ADDED = Mark(fill="#e58a1f", pattern="/", ink="#16202a")
WASTED = Mark(fill="#7b2d73", pattern="x", ink="#ffffff")
REMOVED = Mark(fill="#9fd3f2", pattern="\\", ink="#16202a")
UNSPLIT = Mark(fill="#d9d9d9", pattern=".", ink="#16202a")
# How bytes are counted: as files, as files in whole blocks of a disk, packed.
FILES = Mark(fill="#d9d9d9", pattern="", ink="#16202a")
BLOCKS = Mark(fill="#e2d7b5", pattern=".", ink="#16202a")
PACKED = Mark(fill="#2f6f73", pattern="-", ink="#ffffff")
TIME = Mark(fill="#8fc7b3", pattern="", ink="#16202a")
# Neither is good or bad: no red, no green, and a prediction that fails teaches more.
CAME_TRUE = Mark(fill="#7fb2d9", pattern="", ink="#16202a")
CAME_OTHERWISE = Mark(fill="#e9e4d8", pattern="/", ink="#16202a")

PARTS = {"base": BASE, "added": ADDED, "wasted": WASTED}

# A card of its own under the figure: text keeps its contrast (≥ 7 : 1) in a light and in a dark theme.
PAPER = "#ffffff"
INK = "#16202a"
SOFT_INK = "#4d5a66"
GRID = "#e3e7eb"
PREDICTION = "#0072b2"
CLAIM = "#8a1c5c"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"
CODE_FONT = "ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', monospace"
