"""The notebooks' workbench: what it prints, what it asks of an engine, and where it finds the course."""

from __future__ import annotations

import re
import time
import tomllib
from dataclasses import replace

import pytest
from asking import asked
from fake_engine import FakeEngine

from layerlab import measure
from layerlab.context import BuildContext
from layerlab.errors import DockerfileError, SetupError
from layerlab.image import HistoryEntry, Image
from layerlab.lab import lab as session

DOCKERFILE = """\
# why this base

ARG PY_MINOR=3.12
FROM python:${PY_MINOR}-slim AS builder
FROM builder AS tested
FROM python:${PY_MINOR}-slim
FROM scratch
COPY a /
"""


@pytest.fixture
def context(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "Dockerfile.x").write_text(DOCKERFILE)
    return BuildContext.open(tmp_path, "Dockerfile.x")


def test_bases_are_those_outside_the_file_each_once(context):
    assert session.base_references(context, {"PY_MINOR": "3.11"}) == ("python:3.11-slim",)
    assert session.base_references(context, {}) == ("python:3.12-slim",)


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ("python:${PY_MINO}-slim", "what stands behind the colon is no tag"),
        ("Python:3.11", "small letters"),
        ("$NOTHING", "comes out blank"),
        ("pyt hon", "needs|names|AS"),
    ],
)
def test_a_from_that_names_no_image_is_told_by_its_line(tmp_path, base, why):
    with pytest.raises(DockerfileError, match=why) as caught:
        (tmp_path / "Dockerfile").write_text(f"# one\nFROM {base}\nRUN true\n")
        session.base_references(BuildContext.open(tmp_path, "Dockerfile"), {})
    assert caught.value.line == 2


def test_the_command_for_a_terminal_can_be_pasted(context):
    root = context.folder.parent
    told = session.in_a_terminal(asked(context, tag="layerlab/a:b", args={"PY_MINOR": "3.11"}), root)
    words = told.replace("\\\n", " ").split()
    assert words[:2] == ["docker", "build"]
    assert words[2:6] == ["--build-arg", "PY_MINOR=3.11", "-t", "layerlab/a:b"]
    assert words[6:] == ["-f", f"{context.folder.name}/Dockerfile.x", context.folder.name]


def test_the_command_for_a_text_reads_it_from_standard_input(context):
    given = BuildContext.open(context.folder, "mine.Dockerfile", dockerfile_text="FROM scratch AS first\nCOPY a /\n")
    told = session.in_a_terminal(asked(given.with_changed({"a": "b"}), target="first"), context.folder.parent)
    folder = context.folder.name
    assert told.split("\n") == [
        "docker build \\",
        "    --target first \\",
        f"    -f - {folder} < mine.Dockerfile",
        f"(after your change of {folder}/a)",
    ]


def test_the_command_names_secrets_and_not_their_content(context):
    request = asked(context, no_cache=True, secrets={"token": "hush"})
    told = session.in_a_terminal(request, context.folder.parent)
    assert told.replace("\\\n", " ").split()[:5] == [
        "docker", "build", "--no-cache", "--secret", "id=token,src=token.txt",
    ]  # fmt: skip
    assert "hush" not in told


@pytest.mark.parametrize("is_fresh", [True, False])
def test_an_edit_is_new_to_an_engine_that_remembers_and_always_the_same_on_a_fresh_one(tmp_path, is_fresh):
    (tmp_path / "main.py").write_text("app = 1\n")
    engine = FakeEngine()
    engine.info = replace(engine.info, is_fresh=is_fresh)
    lab = session.open_lab("test", engine=engine, root=tmp_path)  # type: ignore[arg-type]
    first, second = (lab.edited(tmp_path, "main.py")["main.py"] for _ in range(2) if time.sleep(0.002) is None)
    assert first.startswith("app = 1\n# edited") and (first == second) == is_fresh


def test_a_probe_is_asked_for_with_all_that_was_given(monkeypatch):
    asked = {}
    monkeypatch.setattr(session.probe, "probe", lambda engine, image, **options: asked.update(options, image=image))
    lab = session.open_lab("test", engine=FakeEngine())  # type: ignore[arg-type]
    given = {"read_only": True, "user": "10001", "mounts": {"/models": "/app/models:ro"}, "wait_seconds": 5.0}
    given |= {"stopping": True}
    lab.probe("layerlab/a:b", "/health", **given)
    assert asked == {**given, "image": "layerlab/a:b", "paths": ("/health",)}


def test_lines_are_numbered_from_one_and_comments_are_no_code():
    text = session.Text(DOCKERFILE)
    assert repr(text).splitlines()[3] == "  4  FROM python:${PY_MINOR}-slim AS builder"
    assert text.code_lines[0] == "ARG PY_MINOR=3.12"
    assert not any(line.startswith("#") for line in text.code_lines)


def test_a_badge_has_one_line_and_a_reason():
    badge = session.Badge("Live on Docker 28.5", "official bases, 13 Aug 2026", "DOCKER_HOST=<x>")
    assert str(badge) == "Live on Docker 28.5 · official bases, 13 Aug 2026"
    assert "DOCKER_HOST=&lt;x&gt;" in badge._repr_html_()
    assert "DOCKER_HOST=<x>" in repr(badge)


def test_a_fold_stands_open_as_text():
    badge = session.Badge("a", "b", "c")
    fold = session.Fold("Two more", (badge, badge))
    assert repr(fold).count("a · b") == 2
    assert fold._repr_html_().startswith("<details><summary>Two more</summary>")


def test_on_scratch_all_of_an_image_was_added():
    scratch = session.open_lab("test", engine=FakeEngine()).base("scratch")  # type: ignore[arg-type]
    image = Image("sha256:1", (), "", "", (HistoryEntry("COPY a /", 7),), ("sha256:a",), 7)
    assert (scratch.size_bytes, scratch.layers, image.added_bytes(scratch)) == (0, (), 7)
    frame = measure.ladder({"a": image}, bases={"a": scratch})
    assert [frame[column][0] for column in ("base_bytes", "added_bytes")] == [0, 7]


def test_what_has_only_a_text_is_folded_as_text():
    fold = session.Fold("The script", (session.Text("if 1 < 2:\n    pass"),))
    assert "<pre>  1  if 1 &lt; 2:\n  2      pass</pre></details>" in fold._repr_html_()


def test_outside_a_checkout_the_package_finds_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (session.course_root() / "notebooks" / "00_setup.ipynb").is_file()


def test_an_unknown_service_is_told_with_those_there_are():
    lab = session.open_lab("01_naive", engine=FakeEngine())  # type: ignore[arg-type]
    assert "FROM" in lab.file("service", "Dockerfile.naive").content
    changed = lab.difference("service", "Dockerfile.naive", "Dockerfile.v1-slim").content.split("\n")
    assert [line for line in changed if line.startswith(("-F", "+F"))] == [
        "-FROM python:${PY_MINOR}",
        "+FROM python:${PY_MINOR}-slim",
    ]
    with pytest.raises(SetupError, match="service"):
        lab.folder("no-such-service")


def test_every_prediction_has_its_explanation_and_every_explanation_its_prediction():
    root = session.course_root()
    told = tomllib.loads((root / "notebooks" / "explanations.toml").read_text(encoding="utf-8"))
    from layerlab.grading import cells

    for path in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
        source = "\n".join(cell["source"] for cell in cells.code_cells(cells.read(path)))
        asked = set(re.findall(r'lab\.predict\(\s*"([^"]+)"', source))
        assert asked == set(told.get(path.stem, {})), path.name
        assert source.count("lab.readoff(") == len(asked), path.name
