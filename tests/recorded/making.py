"""Plays a small session on any engine: what the recordings beside this file hold, and what replaying must give.

`python tests/recorded/making.py` records them anew on the private engine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest, Engine, StartRequest
from layerlab.errors import DoesNotServe

HERE = Path(__file__).parent
CONTEXTS = HERE / "contexts"
RECORDINGS = HERE / "recordings" / "making.jsonl"


@dataclass(frozen=True)
class Built:
    """What a build gave: its raw events without their times, and the id of the image."""

    events: tuple[Mapping[str, Any], ...]
    image_id: str | None


def build(engine: Engine, folder: Path, *, tag: str | None = None, args: Mapping[str, str] | None = None) -> Built:
    """Build a folder to the end."""
    handle = engine.build(BuildRequest(context=BuildContext.open(folder), tag=tag, args=args or {}))
    events = tuple(dict(event.data) for event in handle)
    return Built(events, handle.image_id)


def play(engine: Engine) -> dict[str, Any]:
    """Do a bit of everything, and return all answers that must be the same on replay."""
    answers: dict[str, Any] = {}
    tag = "layerlab/recorded:greeting"
    answers["greeting"] = build(engine, CONTEXTS / "greeting", tag=tag).image_id
    answers["again"] = build(engine, CONTEXTS / "greeting", tag=tag)
    answers["inspect"] = stable(engine.inspect(tag))
    answers["history"] = engine.history(tag)
    answers["base"] = stable(engine.inspect("python:3.11-slim"))["RootFS"]
    answers["probe"] = probe(engine, tag)
    answers["run"] = engine.run(tag, ["cat", "/app/greeting.txt"])
    answers["stages"] = build(engine, CONTEXTS / "stages", tag="layerlab/recorded:stages").image_id
    answers["stages history"] = engine.history("layerlab/recorded:stages")
    answers["failing"] = build(engine, CONTEXTS / "failing").events[-1]
    answers["missing"] = build(engine, CONTEXTS / "missing").events[-1]
    args = {"GREETING": "bonjour"}
    answers["bonjour"] = build(engine, CONTEXTS / "greeting", tag="layerlab/recorded:bonjour", args=args).image_id
    return answers


def probe(engine: Engine, tag: str) -> list[Any]:
    """Ask a container this and that, then start another one alike."""
    with (
        engine.start(StartRequest(image=tag, ports=[8000])) as container,
        engine.start(StartRequest(image=tag, ports=[8000])) as other,
    ):
        answers = [
            container.id != other.id,
            container.exec(["id", "-u"]),
            container.exec(["id", "-u"], user="1000"),
            container.exec(["no-such-program"]).exit_code,
            container.request("/names.txt").body,
            container.request("/nothing").status,
            "GET /names.txt" in container.logs(),
            container.stop(grace_seconds=1).exit_code,
            other.request("/names.txt").status,
        ]
    with engine.start(StartRequest(image=tag, command=["false"], ports=[8000])) as container:
        answers.append(container.wait())
        try:
            container.request("/")
        except DoesNotServe as error:
            answers.append(str(error))
    return answers


def stable(answer: dict[str, Any]) -> dict[str, Any]:
    """Leave out where an image lies on the recording machine, and when it was last tagged."""
    return {name: one for name, one in answer.items() if name not in ("GraphDriver", "Metadata")}


if __name__ == "__main__":
    from layerlab.engine import connect
    from layerlab.engine.recorded.store import Store
    from layerlab.engine.recorder.engine import RecordingEngine
    from layerlab.engine.recorder.sealing import seal

    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / RECORDINGS.name
        recorder = RecordingEngine.on(connect("private"), Store(fresh))
        play(recorder)
        recorder.close()
        seal(fresh.parent, RECORDINGS.parent)
