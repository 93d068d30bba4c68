"""A new exercise from the skeleton: its folder and its solution, released as it stands; nothing is overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from layerlab.errors import ReleaseError
from layerlab.grading.new_exercise import new_exercise
from layerlab.grading.release import release

ROOT = Path(__file__).parents[3]
NAME = "12_caches"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the skeleton needs."""
    shutil.copytree(ROOT / "layerlab/exercises", tmp_path / "layerlab/exercises")
    (tmp_path / "solutions").mkdir()
    return tmp_path


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_writes_its_folder_and_its_solution_and_nothing_else(checkout: Path) -> None:
    before = files(checkout)
    new_exercise(NAME, checkout=checkout)
    inside = ("__init__.py", "exercise.py", "checks.py", "mistakes.py", "texts.toml")
    service = ("service/Dockerfile", "service/draw.py", "service/main.py")
    own = {f"layerlab/exercises/ex{NAME}/{name}" for name in (*inside, *service)}
    assert files(checkout) - before == {*own, f"solutions/{NAME}.ipynb"}
    texts = (checkout / name for name in files(checkout) - before)
    assert not [path for path in texts if "skeleton" in path.read_text(encoding="utf-8").lower()]


def test_its_solution_is_released_as_it_stands(checkout: Path) -> None:
    new_exercise(NAME, checkout=checkout)
    (done,) = release(checkout / "solutions", checkout / "exercises", names=("12",))
    text = done.path.read_text(encoding="utf-8")
    assert f'exercise = ll.exercises.open(\\"{NAME}\\", lab)' in text and "replace(" not in text


@pytest.mark.parametrize(
    "name", ["caches", "12", "12_", "1_caches", "12_Caches", "12-caches", "../12_caches", "12_ca ches"]
)
def test_what_is_no_name_is_refused(name: str, checkout: Path) -> None:
    before = files(checkout)
    with pytest.raises(ReleaseError, match="12_caches"):
        new_exercise(name, checkout=checkout)
    assert files(checkout) == before


def test_what_is_there_is_not_written_over(checkout: Path) -> None:
    solution = checkout / "solutions" / f"{NAME}.ipynb"
    solution.write_text("mine")
    before = files(checkout)
    with pytest.raises(ReleaseError, match=f"solutions/{NAME}.ipynb` is there already"):
        new_exercise(NAME, checkout=checkout)
    assert files(checkout) == before and solution.read_text() == "mine"


def test_a_number_is_given_once(checkout: Path) -> None:
    with pytest.raises(ReleaseError, match=r"ex05_layers` is there already\. Choose another number"):
        new_exercise("05_other", checkout=checkout)
    assert not (checkout / "solutions" / "05_other.ipynb").exists()


def test_without_a_checkout_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no skeleton"):
        new_exercise(NAME, checkout=tmp_path)
