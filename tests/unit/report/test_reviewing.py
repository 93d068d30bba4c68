"""`layerlab review`: its statuses, its JSON, prices measured on an archive, other voices, and files that are none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import made_up_archives as made
import pytest
from click.testing import CliRunner, Result
from made_up_archives import file, tar

from layerlab.cli import main
from layerlab.units import parse_bandwidth

GOOD = 'FROM python:3.12-slim\nUSER 10001\nCMD ["python", "main.py"]\n'
BAD = 'FROM python:3.12-slim\nRUN pip install uv==0.5.1\nRUN rm -rf /root/.cache\nCMD ["x"]\n'
SITE = "usr/local/lib/python3.12/site-packages"
BASE = tar([file("bin/sh", b"s" * 100)])
INSTALL = tar(
    [
        file("usr/local/bin/uv", b"u" * 9000),
        file(f"{SITE}/uv-0.5.dist-info/RECORD", b"../../../bin/uv,,\n"),
        file("root/.cache/pip/http/x", b"c" * 700),
    ]
)
REMOVE = tar([file("root/.wh..cache")])


def run(*arguments: str, **options: object) -> Result:
    return CliRunner().invoke(main, ["review", *arguments], **options)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(BAD)
    (tmp_path / "Dockerfile.good").write_text(GOOD)
    return tmp_path


def test_the_status_says_whether_anything_was_found(folder: Path) -> None:
    good, bad = run(str(folder / "Dockerfile.good")), run(str(folder / "Dockerfile"))
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert good.stdout.endswith("Dockerfile.good: no finding\n")
    assert "LEAKS  line 1  root" in bad.stdout and "BLOATS  line 2  installer-shipped" in bad.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "There is no Dockerfile"),
        (b"Sure! Here is your Dockerfile:\n", "unknown instruction"),
        (b"", "no FROM"),
        (b"FROM x\n\0\x01", "binary file"),
        (b"FROM x\n" + b"# padding\n" * 110_000, "more than 1 MB"),
        (b"FROM x\nRUN " + b"a" * 70_000, "longer than"),
        (b"FROM x\nRUN \xff\xfe", "not valid text"),
        (b"\x1b[2J\x1b]0;owned\x07 x\n", "unknown instruction"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "Dockerfile"
    if content is not None:
        path.write_bytes(content)
    ran = run(str(path))
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert says in ran.stderr and "Traceback" not in ran.stderr
    assert not {"\x1b", "\x07", "\0"} & set(ran.stderr)


def test_a_folder_is_no_dockerfile(tmp_path: Path) -> None:
    ran = run(str(tmp_path))
    assert ran.exit_code == 2 and "is a folder" in ran.stderr


def test_standard_input_is_read_without_a_context() -> None:
    ran = run("-", input="FROM python:3.12-slim\nCOPY . .\nUSER 10001\n")
    assert (ran.exit_code, ran.stdout) == (0, "-: no finding\n")


def test_nothing_of_the_file_reaches_the_terminal_raw(folder: Path) -> None:
    (folder / "Dockerfile").write_text(GOOD + "USER \x1b[31m<script>alert(1)</script>\n", encoding="utf-8")
    for options in ((), ("--json",)):
        ran = run(str(folder / "Dockerfile"), *options)
        assert ran.exit_code == 1 and "\x1b" not in ran.output


def test_the_json_stands_alone_on_stdout(folder: Path) -> None:
    ran = run(str(folder / "Dockerfile"), "--json", "--bandwidth", "1Gbit")
    told = json.loads(ran.stdout)
    assert (told["version"], told["bandwidth_bits"], told["measured"]) == (1, 1e9, False)
    assert [one["rule"] for one in told["findings"]][:2] == ["root", "installer-shipped"]
    assert ran.exit_code == 1


def test_prices_are_measured_on_the_image_that_the_file_made(folder: Path) -> None:
    (folder / "image.tar").write_bytes(made.docker_save([BASE, INSTALL, REMOVE]))
    ran = run(str(folder / "Dockerfile"), "--image", str(folder / "image.tar"), "--json")
    told = json.loads(ran.stdout)
    prices = {one["rule"]: (one["price"]["basis"], one["price"]["size_bytes"]) for one in told["findings"]}
    assert told["measured"] is True
    assert prices["installer-shipped"] == ("measured", 9000)
    assert prices["pip-cache"] == prices["late-removal"] == ("measured", 700)
    assert prices["root"] == ("none", None)


def test_an_image_of_another_file_measures_nothing(folder: Path) -> None:
    (folder / "image.tar").write_bytes(made.docker_save([BASE, INSTALL]))
    (folder / "Dockerfile").write_text(BAD.replace('CMD ["x"]', "EXPOSE 80"))
    ran = run(str(folder / "Dockerfile"), "--image", str(folder / "image.tar"))
    assert "not built from this file" in ran.stdout and "estimated" in ran.stdout


def test_only_a_context_that_was_named_can_lack_a_file(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM python:3.12-slim\nCOPY app.py .\nUSER 10001\n")
    assert run(str(folder / "Dockerfile")).exit_code == 0
    ran = run(str(folder / "Dockerfile"), "--context", str(folder))
    assert ran.exit_code == 1 and "missing-source" in ran.stdout
    assert run(str(folder / "Dockerfile"), "--context", str(folder / "nowhere")).exit_code == 2


def test_a_rule_can_be_left_out_but_not_invented(folder: Path) -> None:
    ran = run(str(folder / "Dockerfile"), "--ignore", "root, installer-shipped,pip-cache,late-removal")
    assert ran.exit_code == 0
    ran = run(str(folder / "Dockerfile"), "--ignore", "rot")
    assert ran.exit_code == 2 and "no rule 'rot'" in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for hadolint is a shell script")
def test_other_reviewers_are_quoted_and_not_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = folder / "bin"
    programs.mkdir()
    hadolint = programs / "hadolint"
    hadolint.write_text('#!/bin/sh\necho \'[{"line": 1, "code": "DL3006", "message": "Tag\\u001b[31m it"}]\'\n')
    hadolint.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin")
    ran = run(str(folder / "Dockerfile.good"), "--others")
    assert ran.exit_code == 0
    assert "hadolint: line 1 DL3006 Tag\\x1b[31m it" in ran.stdout
    hadolint.write_text("#!/bin/sh\necho no json\n")
    assert run(str(folder / "Dockerfile.good"), "--others").exit_code == 0


@pytest.mark.parametrize(
    ("text", "bits"), [("100Mbit", 100e6), ("1 Gbit/s", 1e9), ("16mbps", 16e6), ("9600bit", 9600.0)]
)
def test_bandwidths_are_read_as_people_write_them(text: str, bits: float) -> None:
    assert parse_bandwidth(text) == bits


@pytest.mark.parametrize("text", ["", "0Mbit", "fast", "-1Mbit", "100MB"])
def test_what_is_no_bandwidth_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no bandwidth"):
        parse_bandwidth(text)


def test_each_part_of_a_finding_stands_on_a_line_of_its_own() -> None:
    recipe = Path(__file__).parents[3] / "apps/service/Dockerfile.v4-optimized"
    lines = CliRunner().invoke(main, ["review", str(recipe)]).stdout.splitlines()
    assert not [line for line in lines if "\\n" in line]
    assert [line for line in lines if line.startswith("BREAKS")] and [line for line in lines if "Why:" in line]
