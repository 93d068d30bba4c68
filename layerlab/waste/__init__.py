"""What every wasted byte of an image is: who wrote it, who hid it, how, and the fix. Given entries of layers."""

from __future__ import annotations

from layerlab.waste.findings import Finding, Maker, findings, fix
from layerlab.waste.union import How, Union, Visible, Wasted, union

__all__ = ["Finding", "How", "Maker", "Union", "Visible", "Wasted", "findings", "fix", "union"]
