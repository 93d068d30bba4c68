"""Asks an image with the Python it carries, by way of a script that runs inside. Knows the seam and `inside.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from layerlab.engine.protocol import StartRequest
from layerlab.errors import EngineRefused

if TYPE_CHECKING:
    from layerlab.engine.protocol import Engine, ExecResult

_NOT_FOUND = (126, 127)


def ask(engine: Engine, image: str, *words: str, user: str | None = None) -> Any:
    """Run ``inside.py`` in a container of the image and return what it printed, as JSON.

    Raises
    ------
    EngineRefused
        The image has no Python on its PATH, or its Python could not run the script.
    ImageNotFound, NotRecorded
    """
    script = resources.files("layerlab.probe").joinpath("inside.py").read_text(encoding="utf-8")
    arguments = ["-B", "-c", script, *words]
    result = _run(engine, image, arguments, user=user)
    if result.exit_code in _NOT_FOUND:
        raise EngineRefused(
            f"The image {image} has no python3 on its PATH, so what lies in it is unknown. "
            "Ask an image that can run its own Python, or put the folder that holds it on PATH."
        )
    lines = result.output.strip().splitlines()
    try:
        # Whatever a base prints at the start (a warning about a locale, say) comes before.
        return json.loads(lines[-1])
    except (IndexError, ValueError) as error:
        raise EngineRefused(
            f"The Python of {image} could not say what lies in it (exit code {result.exit_code}): "
            f"{lines[-1] if lines else 'it printed nothing'}. Run `python3` in that image to see why."
        ) from error


def _run(engine: Engine, image: str, arguments: Sequence[str], *, user: str | None) -> ExecResult:
    # A command takes the place of CMD and becomes the arguments of ENTRYPOINT (Dockerfile reference).
    entrypoint = (engine.inspect(image).get("Config") or {}).get("Entrypoint") or []
    if not entrypoint:
        return engine.run(image, ["python3", *arguments], user=user)
    if len(entrypoint) == 1 and PurePosixPath(entrypoint[0]).name.startswith("python"):
        return engine.run(image, arguments, user=user)
    with engine.start(StartRequest(image=image)) as container:
        return container.exec(["python3", *arguments], user=user)
