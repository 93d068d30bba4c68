"""What is saved of a notebook's widgets: what its outputs show, no more, and never an output that nothing can draw."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from jupyter_server.services.contents.largefilemanager import LargeFileManager

from layerlab.course import saving
from layerlab.course.saving import STATE, VIEW
from layerlab.widgets.showing import OLDER, PANEL
from layerlab.work.answers import Answers

ROOT = Path(__file__).parents[3]


@pytest.fixture
def contents(tmp_path: Path) -> LargeFileManager:
    """Jupyter's own manager of files, with our extension loaded into its server."""
    manager = LargeFileManager(root_dir=str(tmp_path))
    saving._load_jupyter_server_extension(SimpleNamespace(contents_manager=manager))
    return manager


def output(model_id: str, text: str = "in words") -> Any:
    return nbformat.v4.new_output("display_data", {VIEW: {"model_id": model_id}, "text/plain": text})


def widget(**state: Any) -> dict[str, Any]:
    return {"model_name": "HTMLModel", "model_module": "@jupyter-widgets/controls", "state": state}


def saved(contents: LargeFileManager, outputs: list[Any], state: dict[str, Any] | None = None) -> Any:
    """Save a notebook as JupyterLab does, and return what the file holds."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])
    if state is not None:
        notebook.metadata["widgets"] = {STATE: {"version_major": 2, "version_minor": 0, "state": state}}
    content = json.loads(nbformat.writes(notebook))
    content["cells"][0]["source"] = "x"
    contents.save({"type": "notebook", "format": "json", "content": content}, "/lesson.ipynb")
    return nbformat.read(Path(contents.root_dir) / "lesson.ipynb", as_version=4)


def kept(notebook: Any) -> set[str]:
    return set(notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {}))


def data(notebook: Any) -> dict[str, Any]:
    (shown,) = notebook["cells"][0]["outputs"]
    return dict(shown["data"])


def test_what_an_output_shows_is_saved_with_all_that_belongs_to_it_and_nothing_else(contents: LargeFileManager) -> None:
    state = {
        "box": widget(children=["IPY_MODEL_place", "IPY_MODEL_gone"], layout="IPY_MODEL_of-the-box"),
        "of-the-box": widget(),
        "place": widget(outputs=[{"data": {VIEW: {"model_id": "inner", "version_major": 2}}}]),
        "inner": widget(),
        "yesterday": widget(children=["IPY_MODEL_of-the-box"]),
    }
    notebook = saved(contents, [output("box")], state)
    assert kept(notebook) == {"box", "of-the-box", "place", "inner"}
    assert data(notebook)[VIEW] == {"model_id": "box"}


def test_after_a_restart_the_state_of_the_save_before_it_stays(contents: LargeFileManager) -> None:
    saved(contents, [output("box")], {"box": widget(value="Saved: large")})
    notebook = saved(contents, [output("box")], {})
    assert kept(notebook) == {"box"} and "Saved: large" in json.dumps(notebook["metadata"])
    assert VIEW in data(notebook)


def test_what_is_newer_than_the_file_counts(contents: LargeFileManager) -> None:
    outputs = [output("box"), output("other")]
    saved(contents, outputs, {"box": widget(value="old"), "other": widget()})
    notebook = saved(contents, outputs, {"box": widget(value="new")})
    assert kept(notebook) == {"box", "other"} and notebook["metadata"]["widgets"][STATE]["state"]["box"] == widget(
        value="new"
    )


@pytest.mark.parametrize("is_answered", [True, False])
def test_what_is_older_than_the_last_answer_is_marked(
    contents: LargeFileManager, monkeypatch: pytest.MonkeyPatch, is_answered: bool
) -> None:
    work = Path(contents.root_dir) / "work"
    monkeypatch.setenv("LAYERLAB_WORK", str(work))
    saved(contents, [output("panel")], {"panel": widget(_dom_classes=[PANEL], children=[])})
    (work / "lesson").mkdir(parents=True)
    (work / "lesson" / "answers.json").write_text("{}")
    before = (Path(contents.root_dir) / "lesson.ipynb").stat().st_mtime
    os.utime(work / "lesson" / "answers.json", (before, before + (5 if is_answered else -5)))
    for _ in range(2):  # the second save is newer than the answer
        state = saved(contents, [output("panel")], {})["metadata"]["widgets"][STATE]["state"]
        assert state["panel"]["state"]["_dom_classes"] == ([PANEL, OLDER] if is_answered else [PANEL])


def test_what_a_check_writes_makes_no_page_older(contents: LargeFileManager, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Path(contents.root_dir) / "work"
    monkeypatch.setenv("LAYERLAB_WORK", str(work))
    Answers.open("lesson", work=work).keep("q1-base", "slim")
    saved(contents, [output("panel")], {"panel": widget(_dom_classes=[PANEL], children=[])})
    earlier = (work / "lesson" / "answers.json").stat().st_mtime + 1
    os.utime(Path(contents.root_dir) / "lesson.ipynb", (earlier, earlier))
    for kind in ("attempts", "results"):
        Answers.open("lesson", kind=kind, work=work).keep("q1-base", [])
    later = earlier + 1
    for one in (work / "lesson").iterdir():
        if one.name != "answers.json":
            os.utime(one, (later, later))
    state = saved(contents, [output("panel")], {})["metadata"]["widgets"][STATE]["state"]
    assert state["panel"]["state"]["_dom_classes"] == [PANEL]


@pytest.mark.parametrize("state", [None, {}, {"other": widget()}])
def test_an_output_whose_widget_nobody_knows_is_saved_as_its_text(
    contents: LargeFileManager, state: dict[str, Any] | None
) -> None:
    notebook = saved(contents, [output("box")], state)
    assert data(notebook) == {"text/plain": "in words"}
    assert "widgets" not in notebook["metadata"]


def test_a_notebook_without_outputs_keeps_no_widgets(contents: LargeFileManager) -> None:
    assert "widgets" not in saved(contents, [], {"box": widget()})["metadata"]


def test_a_file_that_is_no_notebook_is_written_as_it_is(contents: LargeFileManager) -> None:
    contents.save({"type": "file", "format": "text", "content": "FROM scratch\n"}, "/Dockerfile")
    assert (Path(contents.root_dir) / "Dockerfile").read_text() == "FROM scratch\n"


def test_damaged_notebooks_on_disk_keep_nothing_from_being_saved(contents: LargeFileManager) -> None:
    (Path(contents.root_dir) / "lesson.ipynb").write_text("{ half")
    assert data(saved(contents, [output("box")], {})) == {"text/plain": "in words"}


def test_both_ways_to_open_the_course_load_it_and_save_the_state_of_widgets() -> None:
    shared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    places = {place.removeprefix("etc/jupyter/"): file for file, place in shared["shared-data"].items()}
    ours = {place: ROOT / file for place, file in places.items()}
    server = json.loads(ours["jupyter_server_config.d/layerlab.json"].read_text())
    settings = json.loads(ours["labconfig/default_setting_overrides.d/layerlab.json"].read_text())
    assert server["ServerApp"]["jpserver_extensions"] == {saving.__name__: True}
    assert settings["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}
    # `layerlab lab` names this folder in JUPYTER_CONFIG_PATH.
    folder = ROOT / "layerlab" / "course" / "jupyter"
    assert {file.relative_to(folder).as_posix() for file in ours.values()} == {
        "jupyter_server_config.d/layerlab.json",
        "labconfig/default_setting_overrides.json",
    }
