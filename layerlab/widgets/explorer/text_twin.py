"""The explorer in words: the table of what was spent, as text and as HTML. Knows values, no widget."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from layerlab.figures.table import Table
from layerlab.units import duration, size

if TYPE_CHECKING:
    from layerlab.widgets.explorer.explorer import Explorer
    from layerlab.widgets.explorer.ledger import Spent

_COLUMNS = ("number", "recipe", "you expected", "it added", "size on disk", "work of a start", "runs as", "built in")


def text(explorer: Explorer) -> str:
    """Say everything that the panel shows."""
    if explorer.locked_because:
        return explorer.locked_because
    spent = _table(explorer).text(_summary(explorer)) if explorer.spent else budget(explorer)
    return "\n".join(part for part in (explorer.says, explorer.status, spent) if part)


def html(explorer: Explorer) -> str:
    """Return the table of what was spent as HTML; before the first build only how many there are to spend."""
    if not explorer.spent:
        return f"<p>{escape(budget(explorer))}</p>"
    return _table(explorer).html(_summary(explorer))


def budget(explorer: Explorer) -> str:
    """Say how many builds are left."""
    left = explorer.left
    return f"{left} {'build' if left == 1 else 'builds'} left to spend." if left else "Nothing is left to spend."


def sentence(spent: Spent) -> str:
    """Say what one build came to, beside what was expected."""
    measured = spent.measured
    expected = f", you expected {spent.expected}" if spent.expected else ""
    starts = (
        f"{measured.start_seconds:.2f} s of work to start, as {_user(spent)}."
        if measured.start_seconds is not None
        else "It does not serve."
    )
    return f"it adds {size(measured.added_bytes)}{expected}; {size(measured.size_bytes)} on disk. {starts}"


def _table(explorer: Explorer) -> Table:
    sources = {one.source for one in explorer.spent}
    # One engine measured them all: then it stands above the table, once.
    same = sources.pop() if len(sources) == 1 else ""
    rows = tuple(_row(one, with_source=not same) for one in explorer.spent)
    above = same or "on more than one engine; the last column says where each was built"
    return Table("Your builds", above, _COLUMNS, rows, frozenset({0, 3, 4, 5}))


def _row(spent: Spent, *, with_source: bool) -> tuple[str, ...]:
    measured = spent.measured
    started = "does not serve" if measured.start_seconds is None else f"{measured.start_seconds:.2f} s"
    built = duration(measured.build_seconds)
    built += f", {measured.cached_steps} of {measured.steps} steps cached" if measured.cached_steps else ""
    return (
        str(spent.number),
        measured.combination.name,
        spent.expected or "–",
        size(measured.added_bytes),
        size(measured.size_bytes),
        started,
        _user(spent),
        f"{built}. {spent.source}" if with_source else built,
    )


def _user(spent: Spent) -> str:
    uid = spent.measured.uid
    return "an unknown user" if uid is None else "root" if uid == 0 else f"uid {uid}"


def _summary(explorer: Explorer) -> str:
    asked = [one for one in explorer.spent if one.expected]
    hits = sum(one.is_hit for one in asked)
    said = f"{hits} of {len(asked)} came as you expected. " if asked else ""
    return f"{said}{budget(explorer)}"
