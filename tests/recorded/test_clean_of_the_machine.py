"""Nothing of the machine that recorded may be in what is published."""

from __future__ import annotations

import socket
from pathlib import Path

import making
import pytest

from layerlab.engine import private
from layerlab.engine.recorded.store import Store, files
from layerlab.engine.recorder.redact import PUBLIC_HOSTS, hosts_in, private_hosts

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = (CHECKOUT / "recordings", making.RECORDINGS.parent)
FILES = [path for folder in FOLDERS for path in sorted(folder.glob("*.jsonl"))]
MAX_FILES, MAX_BYTES = 40, 8_000_000


def test_there_is_something_to_look_at():
    assert len(FILES) > 10


def test_they_are_few_and_small():
    assert [path.name for path in FOLDERS[0].rglob("*") if path.is_file() and path.suffix != ".jsonl"] == []
    assert len(FILES) <= MAX_FILES
    assert sum(path.stat().st_size for path in FILES) <= MAX_BYTES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recording_names_no_private_host_and_no_path_of_this_machine(path: Path):
    text = path.read_text(encoding="utf-8")
    assert hosts_in(text) <= PUBLIC_HOSTS
    assert not [host for host in private_hosts() if host in text]
    own = [CHECKOUT, Path.cwd(), private.paths().root.parent, private.paths().socket]
    assert not [folder for folder in own if f"{folder}/" in text or f'{folder}"' in text]
    assert len(socket.gethostname()) <= 3 or f'"{socket.gethostname()}"' not in text


@pytest.mark.parametrize("path", [one for folder in FOLDERS for one in files(folder)], ids=lambda path: path.stem)
def test_every_recording_is_whole_and_every_link_is_there(path: Path):
    recordings = Store(path)
    steps = dict(recordings.all("steps"))
    bases = {f"base:{key}" for key, _ in recordings.all("bases")}
    solves = {f"solve:{key}" for key, _ in recordings.all("solves")}
    images = {f"image:{key}": image for key, image in recordings.all("images")}
    for image in images.values():
        assert image["parent"] in {*bases, *images, "scratch"}
    for link in [*steps.values(), *(link for _, link in recordings.all("refusals"))]:
        assert link.get("parent", "scratch") in {*steps, *bases, "scratch"}
    for _, link in recordings.all("containers"):
        assert link["image"] in {*steps, *bases, *solves, *images}
    for _, link in recordings.all("solves"):
        assert link["parent"] in {*steps, *bases, *solves, "scratch"} and link["runs"]
