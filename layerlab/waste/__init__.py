"""What every wasted byte of an image is: who wrote it, who hid it, how. Given entries of layers; reads nothing."""

from __future__ import annotations

from layerlab.waste.union import How, Union, Visible, Wasted, union

__all__ = ["How", "Union", "Visible", "Wasted", "union"]
