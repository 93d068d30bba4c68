"""Compose files read as values, and every fault told with its place."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from layerlab import compose
from layerlab.errors import ComposeError

FILE = Path(__file__).parents[2] / "apps" / "model" / "compose.yaml"


def written(folder: Path, text: str) -> Path:
    path = folder / "compose.yaml"
    path.write_text(text)
    return path


def test_the_course_s_own_file_starts_two_containers_on_one_folder_that_must_be_there() -> None:
    words, again = compose.load(FILE)
    assert words.mounts == again.mounts == {str(FILE.parent / "models"): "/app/models:ro"}
    assert (dict(words.ports), dict(again.ports)) == ({8000: 8000}, {8000: 8001})
    assert words.image == "layerlab/model:mounted" and words.read_only and not words.makes_folders
    assert repr(again) == "words-again: layerlab/model:mounted, mounts models → /app/models:ro, ports 8001 → 8000"


def has_compose() -> bool:
    docker = shutil.which("docker")
    return bool(docker) and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="Docker Compose is not installed")
def test_compose_itself_accepts_the_course_s_own_file() -> None:
    done = subprocess.run(["docker", "compose", "-f", str(FILE), "config", "--quiet"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_short_form_makes_a_folder_and_names_a_volume(tmp_path: Path) -> None:
    mounts, ports = "['./models:/m', 'data:/d:ro']", "[8000, '80:8001/tcp']"
    text = f"services:\n  a:\n    image: x\n    volumes: {mounts}\n    ports: {ports}\n"
    (service,) = compose.load(written(tmp_path, text))
    assert service.mounts == {str(tmp_path / "models"): "/m", "data": "/d:ro"}
    assert service.makes_folders and dict(service.ports) == {8000: 0, 8001: 80}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: [", "cannot be read as YAML"),
        ("a: 1", "names no services"),
        ("", "names no services"),
        ("services:\n  a: nginx", "service a"),
        ("services:\n  a: {build: .}", "does not know `build`"),
        ("services:\n  a: {ports: [8000]}", "no `image:`"),
        ("services:\n  a: {image: x, ports: ['eighty']}", "'eighty' is no port"),
        ("services:\n  a: {image: x, ports: [99999]}", "99999 is no port"),
        ("services:\n  a: {image: x, volumes: [models]}", "mounts nothing"),
        ("services:\n  a: {image: x, volumes: [{type: bind, target: /m}]}", "needs `type: bind`"),
        ("services:\n  a: {image: x, volumes: [{type: bind, from: .}]}", "does not know `from`"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ComposeError, match=words):
        compose.load(written(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match=r"compose\.yaml"):
        compose.load(tmp_path / "compose.yaml")
