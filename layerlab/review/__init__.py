"""Stage-aware review of a Dockerfile: what is wrong, at which line, why, what fixes it, and what it costs.

Reads text, context and, where there is one, an `Inspection` of the built image. Builds and asks nothing.
"""

from __future__ import annotations

from layerlab.review.finding import SEVERITIES, Finding, Price, Severity, quoted, visible
from layerlab.review.outline import Outline, outline
from layerlab.review.questions import Answers, four_questions
from layerlab.review.report import Review, review, rule_names

__all__ = [
    "SEVERITIES",
    "Answers",
    "Finding",
    "Outline",
    "Price",
    "Review",
    "Severity",
    "four_questions",
    "outline",
    "quoted",
    "review",
    "rule_names",
    "visible",
]
