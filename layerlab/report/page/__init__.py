"""Executed notebooks → one page that needs no network: figures live, widgets as text.

Knows notebooks only as documents; whether their numbers are right is not its business.
"""

from __future__ import annotations

from layerlab.report.page.assemble import course_page
from layerlab.report.page.figures import drawing_js, figure_html, plotly_js
from layerlab.report.page.outside import external_loads

__all__ = ["course_page", "drawing_js", "external_loads", "figure_html", "plotly_js"]
