"""Which base for which needs: a bench to play on with measured bases. It orders and gives reasons; nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from traitlets import Bool, HasTraits

from layerlab.units import size

SHELL, WHEELS, SECURITY, PULLS = "shell", "wheels", "security", "pulls"
NEEDS = {
    SHELL: "Somebody must be able to open a shell in the running container",
    WHEELS: "A compiled package has no wheel for musl",
    SECURITY: "Whoever breaks in must find as little as possible",
    PULLS: "It is pulled to many machines, so every megabyte is paid for often",
}


@dataclass(frozen=True)
class MeasuredBase:
    """One base with a service on it, as it was measured.

    ``libc`` is "glibc" or "musl". ``pulled_bytes`` is None where nobody packed it.
    """

    name: str
    size_bytes: int
    pulled_bytes: int | None
    commands: int
    shells: int
    setuid: int
    libc: str

    @property
    def weight(self) -> int:
        """What a machine pays for it: pulled bytes, or those on disk where nothing else is known."""
        return self.size_bytes if self.pulled_bytes is None else self.pulled_bytes


@dataclass(frozen=True)
class Ranked:
    """A base and what speaks for or against it. Equals share a ``place``; one that a need rules out has none."""

    base: MeasuredBase
    because: str
    place: int | None

    @property
    def is_out(self) -> bool:
        """A need rules it out."""
        return self.place is None


class BaseChoice(HasTraits):
    """Four needs to tick. Bases that cannot meet one are out; the others are ordered by what is asked of them.

    Parameters
    ----------
    bases
        The first one wins where nothing is asked: the one that surprises least.
    """

    shell = Bool(False)
    wheels = Bool(False)
    security = Bool(False)
    pulls = Bool(False)

    def __init__(self, bases: Sequence[MeasuredBase]) -> None:
        super().__init__()
        if not bases:
            raise ValueError("There is no base to choose from. Measure one first.")
        self.bases = tuple(bases)
        self._view: Any = None

    def set(self, *needs: str) -> BaseChoice:
        """Tick these needs and no others, by their keys in `NEEDS`; return itself."""
        if unknown := set(needs) - set(NEEDS):
            raise ValueError(f"{', '.join(sorted(unknown))} is no need. There are {', '.join(NEEDS)}.")
        for need in NEEDS:
            setattr(self, need, need in needs)
        return self

    @property
    def ranking(self) -> tuple[Ranked, ...]:
        """All bases, the best first and those that are out last."""
        kept = [base for base in self.bases if not self._against(base)]
        sums = {base: self._sum(base, kept) for base in kept}
        place = {base: 1 + sum(other < sums[base] for other in sums.values()) for base in kept}
        ordered = sorted(kept, key=lambda base: (place[base], self.bases.index(base)))
        out = [Ranked(base, self._against(base), None) for base in self.bases if base not in kept]
        return (*(Ranked(base, self._for(base), place[base]) for base in ordered), *out)

    @property
    def best(self) -> MeasuredBase | None:
        """The first that is not out, or None where every base is."""
        first = self.ranking[0]
        return None if first.is_out else first.base

    @property
    def text(self) -> str:
        """Needs and ranking as plain text."""
        ticked = [f"[{'x' if getattr(self, need) else ' '}] {text}" for need, text in NEEDS.items()]
        return "\n".join([*ticked, "", *self._lines()])

    @property
    def view(self) -> Any:
        """The ipywidgets view, made at first use."""
        if self._view is None:
            self._view = _view(self)
        return self._view

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from layerlab.widgets.showing import bundle

        return bundle(self.view, self.text, f"<pre>{escape(self.text)}</pre>")

    def _against(self, base: MeasuredBase) -> str:
        if self.shell and base.shells == 0:
            return "no shell lies in it"
        if self.wheels and base.libc == "musl":
            return "it stands on musl, so the package would have to be compiled"
        return ""

    def _sum(self, base: MeasuredBase, among: Sequence[MeasuredBase]) -> float:
        """Add up the places a base takes by each measure that was asked for; the lowest sum is best."""
        measures: list[Callable[[MeasuredBase], float]] = []
        measures += [_exposure] if self.security else []
        measures += [lambda one: one.weight] if self.pulls else []
        return sum(sum(measure(other) < measure(base) for other in among) for measure in measures)

    def _for(self, base: MeasuredBase) -> str:
        told = [f"{base.setuid} setuid programs, {base.shells} shells, {base.commands} commands"] * self.security
        pulled = "on disk" if base.pulled_bytes is None else "to pull"
        told += [f"{size(base.weight)} {pulled}"] * self.pulls
        return "; ".join(told) or f"{size(base.size_bytes)} on disk, and nothing you ticked tells it from the others"

    def _lines(self) -> list[str]:
        best = self.best
        verdict = f"By what you ticked: {best.name}." if best else "No base here meets all that you ticked."
        rows = [f"{one.place or 'out':>3}  {one.base.name:<20}{one.because}" for one in self.ranking]
        return [verdict, *rows]


def _exposure(base: MeasuredBase) -> float:
    # In this order: rights that can be gained, then a shell to type into, then what else can be called.
    return base.setuid * 1e8 + base.shells * 1e5 + base.commands


def _view(model: BaseChoice) -> Any:
    import ipywidgets as widgets
    from traitlets import link

    boxes = []
    for need, text in NEEDS.items():
        box = widgets.Checkbox(description=text, indent=False, layout={"width": "max-content"})
        link((model, need), (box, "value"))
        boxes.append(box)
    said = widgets.HTML()

    def show(_: Any = None) -> None:
        said.value = f'<div role="status"><pre>{escape(chr(10).join(model._lines()))}</pre></div>'

    model.observe(show, list(NEEDS))
    show()
    return widgets.VBox([*boxes, said])
