"""A server extension: what is saved of a notebook's widgets can be shown again the next day.

JupyterLab saves the state of widgets whose kernel runs. It forgets them at a restart, and never forgets what an earlier
run of a cell has made. So before a notebook is written: what its outputs refer to comes from the file where JupyterLab
has lost it, what nothing refers to goes, and an output whose widget nobody knows any more is saved as its text. A panel
that comes from the file says so where the learner has written answers since.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from layerlab.widgets.showing import OLDER, PANEL
from layerlab.work.answers import work_folder

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
# What checks write in the folder of a learner's answers; with the lock, which every writer there touches.
_OF_CHECKS = ("attempts.json", "results.json", ".lock")
# How the state of one widget refers to another: as a child, or in the outputs that an Output widget holds.
_REFERENCE = re.compile(r'IPY_MODEL_([\w-]+)|"model_id": "([\w-]+)"')


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    server.contents_manager.register_pre_save_hook(before_saving)


def before_saving(*, model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Change a notebook that is about to be written at ``path``; see the module."""
    if model.get("type") != "notebook" or not isinstance(model.get("content"), dict):
        return
    notebook = model["content"]
    shown = list(_views(notebook))
    wanted = {bundle[VIEW]["model_id"] for bundle in shown}
    known = _state(notebook)
    if not wanted <= known.keys():
        file = Path(contents_manager.root_dir) / path.strip("/")
        known = {**_state(_on_disk(file), is_older=_is_older(file)), **known}
    kept = _reachable(wanted, known)
    for bundle in shown:
        if bundle[VIEW]["model_id"] not in kept and len(bundle) > 1:
            del bundle[VIEW]
    metadata = notebook.setdefault("metadata", {})
    if kept:
        metadata["widgets"] = {STATE: {"version_major": 2, "version_minor": 0, "state": kept}}
    else:
        metadata.pop("widgets", None)


def _views(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the MIME bundle of every output that shows a widget."""
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if isinstance(data.get(VIEW), dict) and "model_id" in data[VIEW]:
                yield data


def _state(notebook: Mapping[str, Any], *, is_older: bool = False) -> dict[str, Any]:
    """Give the state of a notebook's widgets by their ids; with ``is_older``, panels marked as older than the files."""
    state = notebook.get("metadata", {}).get("widgets", {}).get(STATE, {}).get("state", {})
    for one in state.values() if is_older else ():
        classes = one.get("state", {}).get("_dom_classes", ())
        if PANEL in classes and OLDER not in classes:
            one["state"]["_dom_classes"] = [*classes, OLDER]
    return dict(state)


def _is_older(file: Path) -> bool:
    """True where the learner has written to this notebook's folder of answers after the notebook was saved."""
    try:
        saved = file.stat().st_mtime
        written = (work_folder(file.parent.resolve()) / file.stem).iterdir()
        return any(one.stat().st_mtime > saved for one in written if one.name not in _OF_CHECKS)
    except OSError:
        return False


def _on_disk(file: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return notebook if isinstance(notebook, dict) else {}


def _reachable(wanted: set[str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Give the state of the wanted widgets and of all that these refer to."""
    kept: dict[str, Any] = {}
    waiting = [id for id in wanted if id in known]
    while waiting:
        id = waiting.pop()
        if id not in kept:
            kept[id] = known[id]
            found = (child or inner for child, inner in _REFERENCE.findall(json.dumps(known[id])))
            waiting += [other for other in found if other in known]
    return kept
