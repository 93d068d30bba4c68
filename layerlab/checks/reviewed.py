"""A check on what a review found. Given the findings; reads no Dockerfile."""

from __future__ import annotations

from layerlab.checks.verdict import Check, judge
from layerlab.review import Review

_HARMS = ("breaks", "leaks")


def harmless(review: Review) -> Check:
    """Check that no finding breaks or leaks; what bloats and what is style may stay."""
    found = [one for one in review.findings if one.severity in _HARMS]
    if not found:
        return judge("review", True, because="no line breaks or leaks, as far as the text says")
    worst = found[0]
    return judge(
        "review",
        False,
        found="; ".join(f"line {one.lines[0]}: {one.what.removesuffix('.')}" for one in found),
        wanted="nothing that breaks or leaks",
        not_yet=worst.why[0].lower() + worst.why[1:],
        look="What would you ask its author about that line?",
    )
