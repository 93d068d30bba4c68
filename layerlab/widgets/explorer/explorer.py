"""The explorer as a model: five choices, a prediction, a build that is spent, and the map after the last one.

Given callables, never an engine. Works headless: `explorer.choose(name); …; explorer.spend(); explorer.wait()`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, Enum, HasTraits, Int, Unicode

from layerlab.design_space import AXES, COMBINATIONS, Combination, Gap, Measured, gap, named
from layerlab.errors import AnswerError, BuildCancelled, LayerLabError
from layerlab.units import size
from layerlab.widgets.dockerfile_panel.attempt import Attempt, Running
from layerlab.widgets.explorer import text_twin
from layerlab.widgets.explorer.hidden_figure import HiddenFigure
from layerlab.widgets.explorer.ledger import BUDGET, Ledger, SavedPrediction, Spent, band
from layerlab.widgets.prediction import is_interactive


@dataclass(frozen=True)
class Bench:
    """What the explorer is given.

    Attributes
    ----------
    spend
        Makes what builds and measures one combination.
    base_bytes
        The size of a base by its key; None where it is not there yet.
    source
        Which engine measures: a line for the table.
    unfinished
        Why the explorer should wait, in a sentence; empty where the chapter before is done.
    """

    spend: Callable[[Combination], Running[Measured]]
    base_bytes: Callable[[str], int | None]
    source: str
    unfinished: str = ""


class Explorer(HasTraits):
    """Six builds to spend. Each is chosen, predicted, built, and kept; then the map of all combinations opens.

    The five axes are traits; so are the prediction's band, reason and confidence.
    """

    base = Unicode()
    stages = Unicode()
    installer = Unicode()
    bytecode = Unicode()
    user = Unicode()
    expected = AnyTrait(None, help="the band that is expected")
    reason = Unicode("")
    confidence = AnyTrait(None)
    state = Enum(("idle", "building"), default_value="idle")
    status = Unicode("")
    spends = Int(0, help="how many builds were measured since the panel was made")
    is_locked = Bool(False)
    is_open = Bool(False, help="the map may be seen")
    progress = AnyTrait(None, help="AttemptProgress of the last build")

    def __init__(self, bench: Bench, ledger: Ledger) -> None:
        # It begins where the course began; that is no answer, since nothing is spent without a prediction.
        super().__init__(**dict(zip((axis.key for axis in AXES), COMBINATIONS[0].options, strict=True)))
        self._bench = bench
        self._ledger = ledger
        self._unattended: list[Spent] = []
        self._gate = threading.Lock()
        self._attempt: Attempt[Measured] | None = None
        self._said: SavedPrediction | None = None
        self._view: Any = None
        self.restore()

    # --- choosing ------------------------------------------------------------------------------

    def choose(self, name: str) -> Explorer:
        """Set the five choices by the name of a combination ("slim two uv as-is root"); return itself."""
        try:
            return self._set(named(name))
        except ValueError as error:
            raise AnswerError(str(error)) from error

    def take_nearest(self) -> None:
        """Go from a combination that is not there to the nearest that is; harmless elsewhere."""
        if found := self.gap:
            changed = ", ".join(
                f"{axis.title.lower()}: {axis.name(getattr(found.nearest, axis.key))}"
                for axis in AXES
                if axis.key in self.combination.differences(found.nearest)
            )
            self._set(found.nearest)
            self.status = f"Changed to {changed}."

    @property
    def combination(self) -> Combination:
        """What is chosen, whether it is there or not."""
        return Combination(*(getattr(self, axis.key) for axis in AXES))

    @property
    def gap(self) -> Gap | None:
        """Why what is chosen is not there; None where it is."""
        return gap(self.combination)

    @property
    def says(self) -> str:
        """What can be said of the choice before it is built."""
        if found := self.gap:
            return f"This one is not there. {found.reason} The nearest that is: {found.nearest.title}."
        if spent := self._spent_as(self.combination):
            return f"You have built this one: it was your number {spent.number}."
        base_bytes = self._bench.base_bytes(self.base)
        stands = f"{self.base} has {size(base_bytes)}" if base_bytes else f"{self.base} is not here yet"
        return f"{self.combination.title[0].upper()}{self.combination.title[1:]}. {stands}; what does the recipe add?"

    # --- spending ------------------------------------------------------------------------------

    @property
    def spent(self) -> tuple[Spent, ...]:
        """What was spent so far."""
        return (*self._ledger.spent, *self._unattended)

    @property
    def left(self) -> int:
        """How many builds may still be spent."""
        return 0 if self._ledger.is_stopped else BUDGET - len(self.spent) - len(self._ledger.unreadable)

    def spend(self) -> None:
        """Keep the prediction and build what is chosen, in a thread; returns at once.

        Raises
        ------
        AnswerError
            The explorer is closed, nothing is left, the combination is not there or was built before, or nothing
            is predicted. Nothing is spent then.
        DiskFull
        """
        with self._gate:
            if self.state == "building":
                self.status = "One is being built already. Cancel it, or wait for it."
                return
            one, number = self.combination, self._require_spendable()
            said = SavedPrediction(self.expected, self.reason, self.confidence)
            self._ledger.predict(number, one, said)
            attempt = Attempt(
                one.name,
                lambda name: self._bench.spend(named(name)),
                title=one.name,
                on_settled=self._on_settled,
                after=self._attempt,
            )
            self._attempt, self._said = attempt, said
            self.progress, self.state = attempt.progress, "building"
            self.status = f"Your prediction is kept. Building number {number} of {BUDGET} now."
            attempt.start()

    def cancel(self) -> None:
        """End the build that runs; it is not spent. Harmless where none runs."""
        if self._attempt is not None:
            self._attempt.cancel()

    def wait(self, timeout: float | None = None) -> Spent:
        """Wait for the build that `spend` began.

        Raises
        ------
        BuildCancelled, TimeoutError
            Or whatever the build raised.
        """
        attempt = self._attempt
        if attempt is None:
            raise LayerLabError("No build was begun here. Call spend() first.")
        if not attempt.wait(timeout):
            raise TimeoutError(f"{attempt.text} is not built after {timeout:g} s. It goes on; wait again.")
        if attempt.was_cancelled:
            raise BuildCancelled(f"The build of {attempt.text} was cancelled. It is not spent.")
        if attempt.fault is not None:
            raise attempt.fault
        spent = self._spent_as(named(attempt.text))
        assert spent is not None
        return spent

    def play_unattended(self, *names: str) -> None:
        """Spend what is left on these where nobody sits before the notebook, so that the rest of it has something.

        In an open notebook it does nothing: the budget is the learner's. What it builds is not kept, for nobody has
        predicted it.
        """
        if is_interactive():
            return
        for name in names:
            one = named(name)
            if self.left and self._spent_as(one) is None:
                measured = self._bench.spend(one).run()
                number = BUDGET - self.left + 1
                self._unattended.append(Spent(number, measured, self._bench.source, None, band(measured.added_bytes)))
                self.spends += 1
        self._look()

    # --- opening -------------------------------------------------------------------------------

    @property
    def locked_because(self) -> str:
        """Why the explorer is closed; empty where it is not."""
        return self._bench.unfinished if self.is_locked else ""

    def open_anyway(self) -> None:
        """Open the explorer although the chapter before is not done; that is remembered."""
        self._ledger.open()
        self._look()
        self.status = "Open. Choose your first build."

    def stop(self) -> None:
        """End the experiment and open the map; what is left of the budget is lost, also when the page is run again."""
        if self.state == "building":
            raise AnswerError("One is being built. Cancel it, or wait for it.")
        left = self.left
        if left:
            self._ledger.stop()
        self._look()
        self.status = f"Ended with {left} builds left. The map is open below." if left else "The map is open below."

    def when_open(self, show: Callable[[], Any]) -> Any:
        """Return what ``show`` gives once the map may be seen; until then a `HiddenFigure` that opens by itself.

        Where nobody sits before the notebook, nothing is held back.
        """
        if self.is_open or not is_interactive():
            return show()
        return HiddenFigure(self, show)

    @property
    def yours(self) -> dict[str, tuple[int, float]]:
        """Name → size and seconds of what was spent and serves, for `figures.build_space`."""
        found = ((one.measured, one.measured.start_seconds) for one in self.spent)
        return {one.combination.name: (one.size_bytes, seconds) for one, seconds in found if seconds is not None}

    # --- showing -------------------------------------------------------------------------------

    def restore(self) -> None:
        """Look at the files again, and say what is there."""
        try:
            self._look()
            kept = len(self._ledger.spent)
            told = [f"{kept} of your {BUDGET} builds {'is' if kept == 1 else 'are'} spent."] * bool(kept)
            self.status = " ".join([*told, *self._ledger.unreadable])
        except LayerLabError as error:
            self.status = str(error)

    @property
    def text(self) -> str:
        """The panel as plain text."""
        return text_twin.text(self)

    @property
    def view(self) -> Any:
        """The ipywidgets view, made at first use."""
        if self._view is None:
            from layerlab.widgets.explorer import view

            self._view = view.view(self)
        return self._view

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from layerlab.widgets.showing import bundle

        return bundle(self.view, self.text, text_twin.html(self))

    # --- within --------------------------------------------------------------------------------

    def _set(self, one: Combination) -> Explorer:
        with self.hold_trait_notifications():
            for axis in AXES:
                setattr(self, axis.key, getattr(one, axis.key))
        return self

    def _spent_as(self, one: Combination) -> Spent | None:
        return next((spent for spent in self.spent if spent.measured.combination == one), None)

    def _require_spendable(self) -> int:
        if self.is_locked:
            raise AnswerError(self.locked_because)
        number = self._ledger.next_number
        if not self.left or number is None:
            raise AnswerError("Nothing is left to spend. The map is open below.")
        if found := self.gap:
            raise AnswerError(f"This one is not there, so nothing was spent. {found.reason}")
        if spent := self._spent_as(self.combination):
            raise AnswerError(f"You have built this one: it was your number {spent.number}. Choose another.")
        return number

    def _look(self) -> None:
        self.is_locked = bool(self._bench.unfinished) and not self._ledger.is_opened and not self.spent
        self.is_open = not self.left

    def _on_settled(self, attempt: Attempt[Measured]) -> None:
        said = "Not spent: the build itself failed."
        try:
            if attempt.was_cancelled:
                said = "Cancelled. Nothing was spent, and your prediction is kept."
            elif attempt.outcome is not None and self._said is not None:
                said = self._take(attempt.outcome, self._said)
            elif attempt.fault is not None:
                said = f"Not spent: {attempt.fault}"
        except Exception as error:
            said = f"Measured, and it could not be kept: {error}"
            raise
        finally:
            # The state changes last, when all of it can be read.
            self.status, self.state = said, "idle"
            self._look()

    def _take(self, measured: Measured, said: SavedPrediction) -> str:
        number = self._ledger.add(measured, self._bench.source, said)
        with self.hold_trait_notifications():
            self.expected, self.reason, self.confidence = None, "", None
        self.spends += 1
        spent = self._spent_as(measured.combination)
        assert spent is not None
        left = self.left
        rest = f"{left} left." if left else "That was the last one: the map is open below."
        return f"Number {number}: {text_twin.sentence(spent)} {rest}"
