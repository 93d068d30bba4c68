"""Notebook 06 where no registry can be had: what needs one says SKIP, and all the rest holds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from layerlab.course.run import read
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.errors import NoRegistry

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "06_base_images.ipynb"
NEEDS_ONE = ("pushed-first", "push-edit", "push-readoff", "fetch-all")


def refuses(engine: RecordedEngine) -> Any:
    raise NoRegistry("There is no `docker-registry` on this machine. Install it, then run again.")


def packs(engine: RecordedEngine, image: str) -> Any:
    """Pack nothing: the recordings were made where a registry told what each layer takes."""
    held = engine.layer_files(image)
    return tuple(SimpleNamespace(compressed_bytes=layer.size_bytes // 3) for layer in held)


def test_it_skips_what_needs_one_and_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAYERLAB_ENGINE", "recorded")
    monkeypatch.setenv("LAYERLAB_WORK", str(tmp_path))
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr(RecordedEngine, "registry", refuses)
    monkeypatch.setattr(RecordedEngine, "packed_layers", packs)
    known: dict[str, Any] = {}
    said: dict[str, str] = {}
    for cell in read(NOTEBOOK).cells:
        if cell.cell_type == "code":
            exec(cell.source, known)
            said[cell.id] = capsys.readouterr().out
    assert [id for id, text in said.items() if "SKIP" in text and "registry" in text] == list(NEEDS_ONE)
    assert known["registry"] is None and "asserts" in said
    assert "slim, after an edit" not in known["rollout"].text
