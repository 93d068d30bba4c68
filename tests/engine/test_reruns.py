"""What runs again after an edit, as read from the Dockerfile, is what BuildKit really runs again."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

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
    if engine.info.builder != "buildkit":
        pytest.skip("This is about BuildKit's cache.")
    return open_lab("test", engine=engine)


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
def test_the_builder_runs_again_what_was_foretold(lab: Lab, app: str, dockerfile: str, changed: str) -> None:
    text = dockerfile if "\n" in dockerfile else lab.file(app, dockerfile).content
    lab.base("full" if dockerfile.endswith("naive") else "slim")
    lab.begin(app, text=text).run()
    edited = (lab.folder(app) / changed).read_text() + f"# {uuid.uuid4()}\n"
    again = lab.begin(app, text=text, changed={changed: edited}).run()
    foretold = [one.line for one in lab.reruns(app, text=text, changed=changed)]
    assert [step.line for step in again.ran] == foretold != []
    assert Path(lab.folder(app) / changed).read_text() != edited
