"""Turns a trial into verdicts, check after check, and stops where going on would say nothing. Knows no single check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from layerlab.checks import Check, Outcome, Verdicts, undecided
from layerlab.errors import BaseError, BuildCancelled, EngineError, LayerLabError
from layerlab.exercises.kit.trial import NeedsEngine, Trial

if TYPE_CHECKING:
    from layerlab.build import OnEvent

Checks = Callable[[Trial], Iterator[Check]]

# The parts of a panel that show sizes: they take two containers more, which no other panel need wait for.
_WEIGHED = frozenset({"gauge", "attempts"})
# Where one of these fails there is nothing that a later check could look at.
NEEDED = frozenset({"no blank left", "reads", "builds"})
# Where it does not serve, these would only say so again.
_SAY_IT_AGAIN = frozenset({"same answers", "read-only"})


def judged(trial: Trial, checks: Checks) -> Verdicts:
    """Judge one text.

    Notes
    -----
    What this engine cannot measure (or the recordings do not hold) is one SKIP, under the name of the check
    that waited for it; what was judged before it stands.
    """
    return Verdicts(tuple(_until_decided(trial, checks)))


def _until_decided(trial: Trial, checks: Checks) -> Iterator[Check]:
    is_silent = False
    try:
        for check in checks(trial):
            # An image that does not serve can still be looked into: what that tells of its other faults counts.
            if not is_silent or (check.status != "SKIP" and check.name not in _SAY_IT_AGAIN):
                yield check
            if check.status == "PASS":
                continue
            if check.name in NEEDED:
                return
            is_silent = is_silent or check.name == "serves"
    except NeedsEngine:
        return
    except (EngineError, BaseError) as error:
        if not is_silent:
            yield undecided(trial.asking, error)
    except LayerLabError as error:
        # Some look at what runs, and nothing does.
        if not is_silent or isinstance(error, BuildCancelled):
            raise


def outcome(trial: Trial, checks: Checks) -> Outcome:
    """Judge one text, weigh its image, and say what a right answer came to."""
    verdicts = judged(trial, checks)
    if verdicts.all_pass:
        verdicts = replace(verdicts, result=_result(trial, verdicts))
    is_shown = trial.is_weighed or _WEIGHED & trial.task.parts
    return Outcome(verdicts, trial.final_sizes if is_shown else None)


def _result(trial: Trial, verdicts: Verdicts) -> str:
    named = next((check.why for check in verdicts if check.name == trial.task.counts), "")
    return named or trial.weight


class FileJudging:
    """One judging of one text, as the panel wants it: see `layerlab.widgets.dockerfile_panel.Judging`.

    Parameters
    ----------
    on_run
        Called when `run` begins; what it returns is told the outcome.
    """

    def __init__(self, trial: Trial, checks: Checks, *, on_run: Callable[[], Callable[[Outcome], None]]) -> None:
        self._trial = trial
        self._checks = checks
        self._on_run = on_run

    def static(self) -> Verdicts:
        """Judge what the text alone shows; nothing is built, run or kept."""
        return judged(self._trial.unbuilt(), self._checks)

    def run(self, on_event: OnEvent | None = None) -> Outcome:
        """Build, look and judge. Raises BuildCancelled where `cancel` came first."""
        self._trial.on_event = on_event
        on_judged = self._on_run()
        judged_now = outcome(self._trial, self._checks)
        on_judged(judged_now)
        return judged_now

    def cancel(self) -> None:
        """End `run` soon, from any thread."""
        self._trial.cancel()
