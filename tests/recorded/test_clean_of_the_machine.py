"""Nothing of the machine that recorded may be in what is published."""

from __future__ import annotations

import socket
from pathlib import Path

import making
import pytest

from layerlab.engine import private
from layerlab.engine.recorded.store import Recordings, sets
from layerlab.engine.recorder.redact import PUBLIC_HOSTS, hosts_in, private_hosts

CHECKOUT = Path(__file__).resolve().parents[2]
FILES = sorted([*(CHECKOUT / "recordings").rglob("*.json"), *making.RECORDINGS.rglob("*.json")])


def test_there_is_something_to_look_at():
    assert len(FILES) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem[:12]}")
def test_a_recording_names_no_private_host_and_no_path_of_this_machine(path: Path):
    text = path.read_text(encoding="utf-8")
    assert hosts_in(text) <= PUBLIC_HOSTS
    assert not [host for host in private_hosts() if host in text]
    own = [CHECKOUT, Path.cwd(), private.paths().root.parent, private.paths().socket]
    assert not [folder for folder in own if f"{folder}/" in text or f'{folder}"' in text]
    assert len(socket.gethostname()) <= 3 or f'"{socket.gethostname()}"' not in text


@pytest.mark.parametrize("folder", [*sets(CHECKOUT / "recordings"), making.RECORDINGS], ids=lambda folder: folder.name)
def test_every_recording_is_whole_and_every_link_is_there(folder: Path):
    recordings = Recordings(folder)
    steps = dict(recordings.all("steps"))
    bases = {f"base:{key}" for key, _ in recordings.all("bases")}
    solves = {f"solve:{key}" for key, _ in recordings.all("solves")}
    for link in [*steps.values(), *(link for _, link in recordings.all("refusals"))]:
        assert link.get("parent", "scratch") in {*steps, *bases, "scratch"}
    for _, link in recordings.all("containers"):
        assert link["image"] in {*steps, *bases, *solves}
    for _, link in recordings.all("solves"):
        assert link["parent"] in {*steps, *bases, *solves, "scratch"} and link["runs"]
