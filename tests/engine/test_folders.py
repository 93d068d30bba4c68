"""Folders of this machine in containers: mounted where the engine sees them, else in a volume that goes again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from layerlab.engine.live import LiveEngine
from layerlab.engine.live import belongings as ours
from layerlab.engine.protocol import StartRequest
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.engine.recorded.store import Store
from layerlab.engine.recorder.engine import RecordingEngine
from layerlab.errors import EngineRefused, PortTaken

READ, WRITE = ["cat", "/data/token"], ["sh", "-c", "echo more > /data/more"]
SLEEP = ["sleep", "30"]
# What a test that hides a folder from the engine does in a process of its own; its last line is JSON.
IN_THE_DARK = """
import json, sys
from pathlib import Path
from layerlab.engine.live import LiveEngine
from layerlab.engine.protocol import StartRequest
engine = LiveEngine.open(sys.argv[1], kind="docker", why="a test")
folder, image = Path(sys.argv[2]), sys.argv[3]
(folder / "in").mkdir()
(folder / "token").write_text("seen")
(folder / "in" / "deeper").write_text("seen as well")
told = {"sees": [engine.folders.sees(one, image) for one in (folder, folder / "in")]}
asked = dict(image=image, command=["sleep", "30"])
one, two = (engine.start(StartRequest(**asked, mounts={str(folder): "/data:ro"})) for _ in range(2))
told["volumes"] = len(engine.journal.owned().volumes)
told["read"] = [each.exec(["cat", "/data/token", "/data/in/deeper"]).output for each in (one, two)]
told["written"] = one.exec(["sh", "-c", "echo more > /data/more"], user="0").output
one.remove()
told["read after one went"] = two.exec(["cat", "/data/token"]).output
two.remove()
told["left"] = sorted(engine.journal.owned().volumes)
try:
    engine.start(StartRequest(**asked, mounts={str(folder): "/data"}))
except Exception as error:
    told["writable"] = str(error)
print(json.dumps(told))
"""


@pytest.fixture
def live(engine, tmp_path, monkeypatch):
    """The same engine with a journal that is still empty, so that what a test leaves behind shows."""
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "data"))
    opened = LiveEngine.open(engine.info.endpoint, kind="docker", why="a test")
    assert opened.journal.owned().containers == set()
    yield opened
    owned = opened.journal.owned()
    assert (owned.containers, owned.volumes) == (set(), set())
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "models"
    made.mkdir()
    (made / "token").write_text("seen")
    return made


def blind(engine: LiveEngine, folder: Path) -> None:
    """Let an engine that sees the folder be one that does not, as the experiment would have found."""
    engine.folders._seen[folder.parent] = False


def test_a_folder_that_the_engine_sees_is_mounted_itself(live, slim, folder) -> None:
    with live.start(StartRequest(image=slim, command=SLEEP, mounts={str(folder): "/data:ro"})) as container:
        assert container.exec(READ).output == "seen"
        assert "Read-only file system" in container.exec(WRITE, user="0").output
        (folder / "token").write_text("seen at once")
        assert container.exec(READ).output == "seen at once"
        assert live.journal.owned().volumes == set()
    assert live.folders._seen == {folder.parent: True}
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".layerlab-")] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may hide a folder from the engine")
def test_a_folder_that_the_engine_does_not_see_comes_in_a_volume_that_goes_with_its_last_container(
    live, slim, tmp_path
) -> None:
    dark = tmp_path / "dark"
    dark.mkdir()
    hidden = f'mount -t tmpfs none "{dark}" && exec "$@"'
    words = [sys.executable, "-c", IN_THE_DARK, live.info.endpoint, str(dark), slim]
    done = subprocess.run(["unshare", "-m", "sh", "-c", hidden, "sh", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["sees"] == [False, False]
    assert told["volumes"] == 1, "two containers share one"
    assert told["read"] == ["seenseen as well"] * 2
    assert "Read-only file system" in told["written"]
    assert (told["read after one went"], told["left"]) == ("seen", [])
    assert "read-only" in told["writable"]


def test_a_source_that_is_not_there_is_refused_and_nothing_is_made(live, slim, folder) -> None:
    gone = folder.parent / "modles"
    with pytest.raises(EngineRefused, match="modles is not there"):
        live.start(StartRequest(image=slim, command=SLEEP, mounts={str(gone): "/data:ro"}))
    assert not gone.exists()


@pytest.mark.parametrize("sees", [True, False])
def test_an_engine_told_to_makes_an_empty_folder_as_v_does(live, slim, folder, sees) -> None:
    gone = folder.parent / "modles"
    if not sees:
        blind(live, gone)
    with live.start(
        StartRequest(image=slim, command=SLEEP, mounts={str(gone): "/data:ro"}, missing="create")
    ) as container:
        assert container.exec(["ls", "-A", "/data"]).output == ""
        assert gone.is_dir() is sees


def test_an_empty_folder_stays_empty_where_the_image_has_files(live, slim, folder) -> None:
    (folder / "token").unlink()
    blind(live, folder)
    with live.start(StartRequest(image=slim, command=SLEEP, mounts={str(folder): "/etc/apt:ro"})) as container:
        assert container.exec(["ls", "-A", "/etc/apt"]).output == ""


@pytest.mark.parametrize("sees", [True, False])
def test_a_taken_port_leaves_neither_container_nor_volume(live, slim, folder, sees) -> None:
    if not sees:
        blind(live, folder)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken):
            live.start(StartRequest(image=slim, command=SLEEP, ports={8000: port}, mounts={str(folder): "/data:ro"}))


def test_cleaning_up_removes_a_volume_that_a_crash_left(live, slim, folder) -> None:
    blind(live, folder)
    live.start(StartRequest(image=slim, command=SLEEP, mounts={str(folder): "/data:ro"}))
    kinds = [one.kind for one in ours.belongings(live)]
    assert kinds == ["container", "volume"]
    gone, kept = ours.remove(live)
    assert ([one.kind for one in gone], kept) == (kinds, ())
    assert ours.belongings(live) == ()


def test_a_file_by_itself_comes_only_where_the_engine_sees_it(live, slim, folder) -> None:
    with live.start(
        StartRequest(image=slim, command=SLEEP, mounts={str(folder / "token"): "/data/token:ro"})
    ) as container:
        assert container.exec(READ).output == "seen"
    blind(live, folder / "token")
    with pytest.raises(EngineRefused, match="Mount the folder that it lies in"):
        live.start(StartRequest(image=slim, command=SLEEP, mounts={str(folder / "token"): "/data/token:ro"}))


def test_what_a_container_with_a_mount_said_replays_from_another_place(live, slim, folder, tmp_path) -> None:
    store = tmp_path / "made.jsonl"
    request = StartRequest(image=slim, command=SLEEP, mounts={str(folder): "/data:ro"})
    with RecordingEngine.on(live, Store(store)).start(request) as container:
        said = container.exec(["grep", " /data ", "/proc/mounts"]).output, container.exec(READ).output
    assert str(tmp_path) not in store.read_text()
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    replayed = RecordedEngine(Store(store), why="a test")
    with replayed.start(StartRequest(image=slim, command=SLEEP, mounts={str(elsewhere): "/data:ro"})) as container:
        assert container.exec(["grep", " /data ", "/proc/mounts"]).output.split()[1] == said[0].split()[1] == "/data"
        assert container.exec(READ).output == said[1] == "seen"
    with pytest.raises(EngineRefused, match="is not there"):
        replayed.start(StartRequest(image=slim, command=SLEEP, mounts={str(folder): "/data:ro"}))
