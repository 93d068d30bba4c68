"""What runs again after one file changed: the first step that copies it, all that stand on it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlab.context import BuildContext, reruns
from layerlab.errors import ContextError

FILES = ("main.py", "requirements.txt", "app/one.py", "app/deep/two.py", "notes.md")
ORDERED = """\
ARG MINOR=1
FROM base:${MINOR}
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY main.py .
EXPOSE 8000
CMD ["run"]
"""
ALL_AT_ONCE = ORDERED.replace("COPY requirements.txt .", "COPY . .").replace("COPY main.py .", "COPY app/*.py ./")
STAGES = """\
FROM base AS builder
COPY requirements.txt /app/
RUN pip install -r /app/requirements.txt
FROM base AS assets
COPY app /src/app
COPY main.py /src/
FROM base AS unused
COPY notes.md /
FROM base
COPY --from=builder /root/.local /root/.local
COPY --from=assets /src/app /app
COPY --from=assets /src/*.py /app/
USER 1000
"""
CONTINUED = """\
FROM base AS first
COPY main.py /
FROM first AS second
ENV A=1
FROM base AS apart
ENV B=1
FROM second
COPY --from=apart /x /x
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / ".dockerignore").write_text("*.md\n!notes.md\nold.md\n")
    (tmp_path / "old.md").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "changed", "lines"),
    [
        (ORDERED, "main.py", [6]),
        (ORDERED, "requirements.txt", [4, 5, 6]),
        (ORDERED, "notes.md", []),
        (ORDERED, "old.md", []),
        (ALL_AT_ONCE, "notes.md", [4, 5, 6]),
        (ALL_AT_ONCE, "./app/one.py", [4, 5, 6]),
        (ALL_AT_ONCE, "old.md", []),  # the ignore file leaves it out
        (STAGES, "requirements.txt", [2, 3, 10, 11, 12]),  # a RUN may have written anywhere
        (STAGES, "app/one.py", [5, 6, 11, 12]),  # what lies beside /src/app is looked up by its content
        (STAGES, "main.py", [6, 12]),
        (STAGES, "notes.md", []),
        (CONTINUED, "main.py", [2, 8]),
        ("FROM a\nRUN --mount=type=bind,source=app,target=/s make\n", "app/one.py", [2]),
        ("FROM a\nRUN --mount=type=bind,source=app,target=/s make\n", "main.py", []),
        ("FROM a AS x\nCOPY main.py /\nFROM a\nRUN --mount=type=bind,from=x,target=/s make\n", "main.py", [2, 4]),
        ("FROM a AS x\nCOPY main.py /\nFROM a\nRUN --mount=type=bind,from=x,target=/s make\n", "notes.md", []),
        ("FROM a\nARG FILE=main.py\nCOPY ${FILE} /\n", "main.py", [3]),
        ("FROM a\nADD main.py https://example.org/x /\n", "main.py", [2]),
    ],
)
def test_what_runs_again(folder: Path, text: str, changed: str, lines: list[int]) -> None:
    context = BuildContext.open(folder, dockerfile_text=text)
    assert [one.line for one in reruns(context, changed)] == lines


def test_the_way_ends_at_the_target(folder: Path) -> None:
    context = BuildContext.open(folder, dockerfile_text=STAGES)
    assert [one.line for one in reruns(context, "main.py", target="assets")] == [6]
    assert reruns(context, "requirements.txt", target="assets") == ()  # it needs nothing of the stage before


def test_build_arguments_decide_what_is_copied(folder: Path) -> None:
    context = BuildContext.open(folder, dockerfile_text="FROM a\nARG FILE\nCOPY ${FILE} /\n")
    assert reruns(context, "main.py", build_args={"FILE": "notes.md"}) == ()
    assert [one.keyword for one in reruns(context, "main.py", build_args={"FILE": "main.py"})] == ["COPY"]


def test_a_file_that_is_not_there_is_no_file_that_nothing_depends_on(folder: Path) -> None:
    with pytest.raises(ContextError, match=r"no file 'mian\.py'"):
        reruns(BuildContext.open(folder, dockerfile_text=ORDERED), "mian.py")
