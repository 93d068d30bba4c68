"""The design-space explorer: a panel to spend builds in. Given callables, never an engine."""

from __future__ import annotations

from layerlab.widgets.explorer.explorer import Bench, Explorer
from layerlab.widgets.explorer.ledger import BANDS, BUDGET, Ledger, Spent, build_id

__all__ = ["BANDS", "BUDGET", "Bench", "Explorer", "Ledger", "Spent", "build_id"]
