"""`layerlab new-exercise`: copies the skeleton, a small exercise that works, under another name. Overwrites nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from layerlab.errors import ReleaseError

_NAME = re.compile(r"\d\d[a-z]?(_[a-z0-9]+)+")
_SOLUTION = "solution.ipynb"


def new_exercise(name: str, *, checkout: Path) -> tuple[Path, Path]:
    """Write the folder of an exercise, its texts and a service included, and its solution notebook.

    Parameters
    ----------
    name
        Number and word: ``12_caches``. The folder is then ``layerlab/exercises/ex12_caches``.

    Returns
    -------
    tuple of Path
        The folder and the notebook.

    Raises
    ------
    ReleaseError
        The name is none, or taken; nothing is written then.
    """
    if not _NAME.fullmatch(name):
        raise ReleaseError(f"`{name}` is no name of an exercise. Use two digits and a word, as in `12_caches`.")
    exercises = checkout / "layerlab" / "exercises"
    folder, notebook = exercises / f"ex{name}", checkout / "solutions" / f"{name}.ipynb"
    # `release 12` and `verify 12` mean one exercise, so a number is given once.
    number = name.partition("_")[0]
    for there in (*exercises.glob(f"ex{number}_*"), *notebook.parent.glob(f"{number}_*.ipynb")):
        raise ReleaseError(f"`{there.relative_to(checkout)}` is there already. Choose another number, or remove it.")
    if not (skeleton := exercises / "ex_skeleton").is_dir():
        raise ReleaseError(f"There is no skeleton in `{checkout}`. Run this in a checkout of the course.")
    words = {
        "layerlab.exercises.ex_skeleton": f"layerlab.exercises.ex{name}",
        "Skeleton": "".join(word.capitalize() for word in name.split("_")[1:]),
        "skeleton": name,
    }
    shutil.copytree(skeleton, folder, ignore=shutil.ignore_patterns("__pycache__", _SOLUTION))
    for path in (*folder.glob("*.py"), *folder.glob("*.toml")):
        _write(path, path.read_text(encoding="utf-8"), words)
    (folder / "__init__.py").write_text(f'"""Exercise {name}."""\n', encoding="utf-8")
    _write(notebook, (skeleton / _SOLUTION).read_text(encoding="utf-8"), words)
    return folder, notebook


def _write(path: Path, text: str, words: dict[str, str]) -> None:
    for old, new in words.items():
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
