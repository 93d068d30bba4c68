"""What `build` makes of a builder's words: steps with their lines, and the error a failure deserves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from begun_builds import begun

from layerlab import build
from layerlab.context import BuildContext
from layerlab.errors import BuildFailed, DiskFull, DockerfileError
from layerlab.image import HistoryEntry, Image

CAPTURED = Path(__file__).parents[1] / "data" / "events"


def captured(name):
    return json.loads((CAPTURED / f"{name}.json").read_text())


def steps_of(one):
    with pytest.raises(BuildFailed, match="without an image"):
        one.run()
    return [(step.instruction.split()[0], step.line) for step in one._reader.steps]


def test_lines_of_a_build_that_counts_by_stages_and_leaves_one_out(tmp_path):
    text = (
        "ARG TOP=1\nFROM python:3.11-slim AS one\nRUN echo x > /x; printf x\n\n"
        "FROM python:3.11-slim AS unused\nRUN exit 1\n\n"
        "FROM python:3.11-slim\nCOPY --from=one /x /x\nRUN printf COMMIT\n"
    )
    found = steps_of(begun(tmp_path, text, captured("podman-4.3-stages")))
    assert found == [("FROM", 2), ("RUN", 3), ("FROM", 8), ("COPY", 9), ("RUN", 10)]


@pytest.mark.parametrize("text", ["x" * 99 + "\n", "x" * 100], ids=["in lines", "without a newline"])
def test_of_what_a_step_prints_the_last_lines_are_kept(tmp_path, text):
    pieces = [(1.0, {"stream": text * 300})] * 1000
    raw = [(0.0, {"stream": "Step 1/1 : FROM scratch\n"}), *pieces, (2.0, {"stream": " ---> 0123456789ab\n"})]
    one = begun(tmp_path, "FROM scratch\n", raw)
    assert steps_of(one) == [("FROM", 1)]
    (step,) = one._reader.steps
    assert len(step.log) == 200
    assert sum(map(len, step.log)) < 10_000_000
    assert step.log[-1].endswith("x")


def test_lines_of_a_build_that_counts_every_instruction(tmp_path):
    text = "ARG X=1\n\nFROM layerlab/standin-rootfs:latest\nENV A=1\nRUN echo one; \\\n  true\nCMD true\n"
    found = steps_of(begun(tmp_path, text, captured("docker-20.10-success")))
    assert found == [("ARG", 1), ("FROM", 3), ("ENV", 4), ("RUN", 5), ("CMD", 7)]


def test_a_builder_that_reads_the_file_otherwise_is_given_no_wrong_line(tmp_path):
    events = [
        (0.0, {"stream": "STEP 1/3: FROM scratch\n"}),
        (0.1, {"stream": "STEP 2/3: RUN <<EOF\n"}),
        (0.2, {"stream": "STEP 3/3: echo hi\n"}),
        (
            0.3,
            {"error": 'building at STEP "ECHO ": Build error: Unknown instruction: "ECHO" &imagebuilder.Step{A:1}\n'},
        ),
    ]
    text = "FROM scratch\nRUN <<EOF\n  echo hi\nEOF\nCMD true\n"
    with pytest.raises(DockerfileError, match=r'at line 3: .*Unknown instruction: "ECHO". Mend') as caught:
        begun(tmp_path, text, events).run()
    assert caught.value.line == 3
    twice = text.replace("EOF\nCMD", "  echo hi\nEOF\nCMD")
    with pytest.raises(DockerfileError) as caught:
        begun(tmp_path, twice, events).run()
    assert caught.value.line is None


def test_a_failing_run_on_podman_has_its_line_and_code(tmp_path):
    text = "FROM python:3.11-slim\n\nRUN echo before; exit 7\nRUN echo after\n"
    with pytest.raises(BuildFailed) as caught:
        begun(tmp_path, text, captured("podman-4.3-failing")).run()
    error = caught.value
    assert (error.step, error.line, error.exit_code, error.log_tail) == (2, 3, 7, ("before",))


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('building at STEP "COPY a /": storing layer: write /a: No space left on device', DiskFull),
        (
            "building at STEP \"RUN echo 'cp: No space left on device'\": while running runtime: exit status 1",
            BuildFailed,
        ),
    ],
)
def test_a_full_disk_is_told_from_a_command_that_speaks_of_one(tmp_path, message, kind):
    with pytest.raises(kind):
        begun(tmp_path, "FROM scratch\n", [(0.0, {"error": message})]).run()


def test_each_layer_of_the_last_stage_has_its_line(tmp_path):
    first = "FROM python:3.11-slim AS one\nRUN make\n\n"
    text = f"{first}FROM python:3.11-slim\nENV A=1\nRUN a && \\\n    b\nCOPY x .\nCMD c\n"
    (tmp_path / "x").write_text("x")
    context = BuildContext.open(tmp_path, dockerfile_text=text)
    sizes = [("ADD", 5), ("CMD", 0), ("ENV A=1", 0), ("RUN a", 7), ("COPY x .", 1), ("CMD c", 0)]
    history = tuple(HistoryEntry(said, size) for said, size in sizes)
    image = Image("i", (), "", "", history, ("base", "run", "copy"), 0)
    # The base's layer has no line here, and a RUN over two lines has its first.
    assert build._lines(image, context, None) == ((1, 6), (2, 8))
