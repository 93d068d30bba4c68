"""What every check must be, whatever it checks. Holds no test."""

from __future__ import annotations

from layerlab.checks import Check, Verdicts

_MOST_WORDS = 60


def fails(check: Check, *found: str) -> Check:
    """Hold that a check fails as a learner can use it: found, wanted, why, one question, few words."""
    assert check.status == "FAIL", check
    for words in found:
        assert words in check.found, check
    assert check.wanted and check.why.endswith("."), check
    assert check.hint.count("?") == 1 and check.hint.endswith("?"), check
    text = str(Verdicts((check,)))
    assert len(text.split()) <= _MOST_WORDS, (len(text.split()), text)
    return check


def passes(check: Check, *why: str) -> Check:
    """Hold that a check passes and says why."""
    assert check.status == "PASS", check
    assert check.why
    for words in why:
        assert words in check.why, check
    return check
