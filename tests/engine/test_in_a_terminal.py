"""What a build prints as "the same in a terminal" is run in a shell: the same engine, builder and cache answer it."""

from __future__ import annotations

import os
import subprocess
import uuid
from pathlib import Path

import pytest

from layerlab import events
from layerlab.engine import Engine
from layerlab.engine.live.buildkit import rawjson
from layerlab.lab.lab import Lab, open_lab

TAG, THEIRS = "layerlab/terminal:ours", "layerlab/terminal:theirs"


@pytest.fixture
def lab(engine: Engine, slim: str, tmp_path: Path) -> Lab:
    """A course of one service, of lines that nobody has built yet."""
    if engine.info.builder != "buildkit":
        pytest.skip("This is about the docker program.")
    app = tmp_path / "apps" / "my service"
    (app / "src").mkdir(parents=True)
    stage = f"FROM {slim} AS made\nARG WORD\nWORKDIR /w\nRUN echo {uuid.uuid4()} $WORD > made\n"
    (app / "Dockerfile.one").write_text(f"{stage}FROM {slim}\nENV A=1\nCOPY . /app/\nCOPY --from=made /w/made /\n")
    (app / "Dockerfile.one.dockerignore").write_text("*.log\n")
    (app / "src" / "main.py").write_text("print()\n")
    (app / "src" / "main.py").chmod(0o640)
    (app / "build.log").write_text("left out")
    return open_lab("test", engine=engine, root=tmp_path, work=tmp_path / "work")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"args": {"WORD": "two words"}},
        {"target": "made"},
        {"text": "FROM SLIM\nCOPY src /src\nRUN cat /src/main.py\n"},
    ],
    ids=["plain", "an argument", "a target", "a text"],
)
def test_every_step_of_it_is_cached(lab: Lab, slim: str, capsys: pytest.CaptureFixture[str], options: dict) -> None:
    if "text" in options:
        options = {"text": options["text"].replace("SLIM", slim) + f"RUN echo {uuid.uuid4()}\n"}
        (lab.root / "Dockerfile.one").write_text(options["text"])
    built = lab.build("my service", "Dockerfile.one", tag=TAG, **options)
    try:
        assert not all(step.is_cached for step in built.steps)
        command = capsys.readouterr().out.partition("from the course's folder:\n")[2]
        assert command.startswith("docker build \\\n")
        told = in_a_shell(command.replace(TAG, THEIRS), lab)
        steps = {one.number: one.instruction for one in told if isinstance(one, events.StepStarted)}
        cached = {one.number for one in told if isinstance(one, events.StepCached)}
        assert [text for number, text in steps.items() if number not in cached and "FROM" not in text] == []
        assert len(cached) >= len(built.steps) - 1
    finally:
        lab.engine.remove(TAG)
        lab.engine.client.images.remove(THEIRS)


def in_a_shell(command: str, lab: Lab) -> list[events.Event]:
    around = {**os.environ, "DOCKER_HOST": lab.engine.info.endpoint, "BUILDKIT_PROGRESS": "rawjson"}
    done = subprocess.run(["sh", "-c", command], cwd=lab.root, env=around, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return list(events.parse((0.0, status) for status in rawjson.statuses([done.stderr], [])))
