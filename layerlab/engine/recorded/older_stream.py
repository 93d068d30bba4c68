"""The stream of the SDK's ``client.images.build``, which is the older builder's, written from steps of BuildKit.

One recording serves both. The older builder names an image after every step; BuildKit has none, so what stands there is
made of the step's text and those before it, and names no image. Stages that the target does not need are left out: the
older builder builds them too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from layerlab.dockerfile import Dockerfile, Instruction
from layerlab.engine.protocol import BuildHandle
from layerlab.engine.recorded.buildkit_plan import RUNS
from layerlab.engine.recorded.transcript import Position, cached, closing, header, stage_end
from layerlab.engine.recorded.vertices import Vertex, read

_FAILED = re.compile(r'process "(?P<command>.*)" did not complete successfully: exit code: (?P<code>\d+)', re.DOTALL)


def older_stream(build: BuildHandle, dockerfile: Dockerfile, *, target: str | None) -> Iterator[dict[str, Any]]:
    """Yield what the older builder says, once BuildKit's build is over: that one goes by the file, not by time."""
    taken = list(build)
    error = next((event.data for event in taken if "error" in event.data), None)
    # Not the id in the events: on the containerd store that is the configuration's.
    image_id = build.image_id
    by_place = {(vertex.stage, vertex.index): vertex for vertex in read(taken)}
    steps = list(_steps(dockerfile, target, by_place))
    if not by_place and error is not None:
        yield dict(error)
        return
    chain = ""
    for number, (instruction, vertex) in enumerate(steps, start=1):
        yield from header(Position(number, len(steps)), instruction.logical, builder="classic")
        chain = _id(chain, instruction)
        if vertex and vertex.is_cached and instruction.keyword != "FROM":
            yield from cached(chain, builder="classic")
        elif vertex and vertex.error:
            yield from _said(vertex)
            yield _failure(dict(error or {}))
            return
        else:
            yield from _said(vertex)
            yield {"stream": f" ---> {chain[:12]}\n"}
    if image_id:
        yield stage_end(image_id)
        yield closing(image_id)
    elif error is not None:
        yield _failure(dict(error))


def _steps(
    dockerfile: Dockerfile, target: str | None, by_place: dict[tuple[str, int], Vertex]
) -> Iterator[tuple[Instruction, Vertex | None]]:
    for one in dockerfile.global_args:
        yield one, None
    for stage in dockerfile.stages_needed(target):
        name = (stage.name or f"stage-{stage.index}").lower()
        index = 1 if stage.base_stage is None and stage.base != "scratch" else 0
        yield stage.from_, None
        for one in stage.instructions:
            index += one.keyword in RUNS
            yield one, by_place.get((name, index)) if one.keyword in RUNS else None


def _said(vertex: Vertex | None) -> Iterator[dict[str, str]]:
    for _, text in vertex.logs if vertex else ():
        yield {"stream": text}


def _failure(error: dict[str, Any]) -> dict[str, Any]:
    if match := _FAILED.search(str(error.get("error"))):
        message = f"The command '{match['command']}' returned a non-zero code: {match['code']}"
        return {"error": message, "errorDetail": {"code": int(match["code"]), "message": message}}
    return error


def _id(before: str, instruction: Instruction) -> str:
    return hashlib.sha256(f"{before}\n{instruction.canonical}".encode()).hexdigest()
