"""The design-space explorer on an engine: what the panel is given, and whether notebook 05 was done before."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from layerlab import bases, build
from layerlab.design_space import Combination, Spending
from layerlab.engine.protocol import Engine
from layerlab.errors import LayerLabError
from layerlab.lab.catalogue import catalogue
from layerlab.widgets.explorer import Bench, Explorer, Ledger
from layerlab.widgets.prediction import LATE
from layerlab.work.answers import Answers
from layerlab.work.identity import work_id

_BEFORE = "05_layers"
_APP = "service"


def explorer(engine: Engine, root: Path, notebook: str, *, source: str, work: Path) -> Explorer:
    """Make the panel for a notebook.

    Parameters
    ----------
    source
        Which engine and bases measure: the badge.
    work
        The folder of the learner's files.
    """

    def spend(combination: Combination) -> Spending:
        return Spending(engine, root / "apps" / _APP, combination, owner=work_id(work))

    bench = Bench(
        spend=spend,
        base_bytes=partial(_base_bytes, engine),
        source=source,
        unfinished=unfinished(root, work=work),
    )
    files = (Answers.open(notebook, kind=kind, work=work) for kind in ("answers", "predictions"))
    return Explorer(bench, Ledger(*files))


def unfinished(root: Path, *, work: Path) -> str:
    """Say what of notebook 05 is still to do, since the explorer gives its answers away; empty where it is done.

    Raises AnswerError where its predictions cannot be read.
    """
    asked = set(catalogue(root).predictions[_BEFORE])
    saved = Answers.open(_BEFORE, kind="predictions", work=work).all()
    # Late ones too: their result has been shown, so nothing more can be given away.
    kept = {id for id in asked if id in saved or f"{id}{LATE}" in saved}
    if kept == asked:
        return ""
    return (
        f"This page gives the answers of notebooks 01 to 05 away, and of notebook 05 you have made {len(kept)} of "
        f"{len(asked)} predictions. Do it first, then run this cell again. To open it all the same, press Open it "
        "anyway, or run `explorer.open_anyway()`."
    )


def _base_bytes(engine: Engine, key: str) -> int | None:
    # Only looked up: choosing an option must not begin to fetch a base.
    try:
        return build.image(engine, bases.BASES[key].reference(bases.py_minor(engine))).size_bytes
    except LayerLabError:
        return None
