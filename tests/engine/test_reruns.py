"""What runs again after an edit, as read from the Dockerfile, is what the classic builder really runs again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import docker.errors
import pytest

from layerlab.build import BuildResult
from layerlab.engine.protocol import Engine
from layerlab.lab.lab import Lab, open_lab

COPIED_WHOLE = """\
ARG PY_MINOR=3.12
FROM python:${PY_MINOR}-slim AS builder
WORKDIR /made
COPY requirements.txt .
COPY main.py /elsewhere/
FROM builder AS continued
ENV A=1
FROM python:${PY_MINOR}-slim
WORKDIR /app
COPY --from=builder /made /made
COPY --from=builder /elsewhere /elsewhere
COPY --from=continued /made /again
USER 1000
"""


@pytest.fixture
def lab(engine: Engine) -> Lab:
    if engine.info.builder != "classic":
        pytest.skip("This is about the classic builder's cache.")
    return open_lab("test", engine=engine)


@pytest.fixture
def made(lab: Lab) -> Iterator[list[BuildResult]]:
    """Builds whose own steps are taken away again: each is of content that nobody builds twice."""
    results: list[BuildResult] = []
    yield results
    for result in results:
        for step in reversed(result.steps):
            if step.image_id and not step.is_cached and not step.instruction.startswith("FROM"):
                try:
                    lab.client.api.remove_image(step.image_id, noprune=True)
                except docker.errors.APIError:
                    continue  # a step before it, or somebody's base


def ran(result: BuildResult) -> list[int | None]:
    # FROM looks nothing up, and an ARG before it makes nothing.
    first = next(number for number, step in enumerate(result.steps) if step.instruction.startswith("FROM"))
    steps = (step for step in result.steps[first:] if not step.instruction.startswith("FROM"))
    return [step.line for step in steps if not step.is_cached]


@pytest.mark.parametrize("changed", ["main.py", "requirements.txt"])
@pytest.mark.parametrize(
    ("app", "dockerfile"),
    [
        ("service", "Dockerfile.naive"),
        ("service", "Dockerfile.v1-slim"),
        ("service", "Dockerfile.v2-multistage"),
        ("native", "Dockerfile.two-stages"),
        ("service", COPIED_WHOLE),
    ],
    ids=lambda value: "inline" if "\n" in value else value,
)
def test_the_builder_runs_again_what_was_foretold(
    lab: Lab, made: list[BuildResult], app: str, dockerfile: str, changed: str
) -> None:
    text = dockerfile if "\n" in dockerfile else lab.file(app, dockerfile).content
    lab.base("full" if dockerfile.endswith("naive") else "slim")
    lab.begin(app, text=text).run()
    edited = (lab.folder(app) / changed).read_text() + f"# {uuid.uuid4()}\n"
    made.append(lab.begin(app, text=text, changed={changed: edited}).run())
    foretold = [one.line for one in lab.reruns(app, text=text, changed=changed)]
    assert ran(made[0]) == foretold != []
    assert Path(lab.folder(app) / changed).read_text() != edited
