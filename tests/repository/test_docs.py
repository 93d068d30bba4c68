"""Links in what people read lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("[a-z]*/README.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    here = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in here if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["design.md", "authoring.md", "testing.md"])
def test_what_the_maps_name_is_there(name: str) -> None:
    """A path is below ``layerlab/`` or at the root, a file's name alone stands for any of that name; NN is no path."""
    told = re.findall(r"`([\w./]+/[\w./]*|\w+\.(?:py|toml|md))`", (ROOT / "docs" / name).read_text(encoding="utf-8"))
    paths = [path for path in told if not re.search(r"NN|12_|exercises/work", path)]  # a learner's, in no clone
    assert paths
    assert [path for path in paths if not is_there(path)] == []


def is_there(path: str) -> bool:
    bases = (ROOT, ROOT / "layerlab", ROOT / "layerlab" / "exercises", ROOT / "layerlab" / "exercises" / "ex_skeleton")
    found = [base / f"{path}{end}" for base in (*bases, ROOT / "tests") for end in ("", ".py")]
    return any(one.exists() for one in found) or ("/" not in path and any((ROOT / "layerlab").rglob(path)))
