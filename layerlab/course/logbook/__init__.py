"""Progress of one learner: where somebody stands, and the one file it travels in.

Reads and writes files of answers; knows no engine and judges nothing. (`layerlab.course.progress` is the bar of a run.)
"""

from __future__ import annotations

from layerlab.course.logbook.page import ProgressPage, open_page
from layerlab.course.logbook.transfer import export, take_in

__all__ = ["ProgressPage", "export", "open_page", "take_in"]
