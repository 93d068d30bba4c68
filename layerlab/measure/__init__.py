"""Images and builds as tidy tables: one row a thing, `*_bytes` whole bytes, `seconds` floats, base-first.

Knows values and pandas; draws nothing, asks no engine, and rounds nothing.
"""

from __future__ import annotations

from layerlab.measure.images import PARTS, blobs, copied, history, images, ladder, layers, steps, timeline
from layerlab.measure.inside import causes, changes, files, waste
from layerlab.measure.sizes import sizes, tools
from layerlab.measure.space import space, space_steps

__all__ = [
    "PARTS",
    "blobs",
    "causes",
    "changes",
    "copied",
    "files",
    "history",
    "images",
    "ladder",
    "layers",
    "sizes",
    "space",
    "space_steps",
    "steps",
    "timeline",
    "tools",
    "waste",
]
