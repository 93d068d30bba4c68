"""`layerlab inspect`: the budget's verdicts, the JSON's schema, the tables, its exit status; on made-up archives."""

from __future__ import annotations

import io
import json
from pathlib import Path

import made_up_archives as made
import pytest
from click.testing import CliRunner
from made_up_archives import file, tar
from rich.console import Console

from layerlab.cli import main
from layerlab.inspection import Inspection, of_archive
from layerlab.report import terminal
from layerlab.report.budget import Budget, judged
from layerlab.report.document import document
from layerlab.units import parse_size, size

SITE = "usr/local/lib/python3.11/site-packages"
RECORD = b"../../../bin/uv,,\nuv-0.5.dist-info/RECORD,,\n"
BASE = tar([file(f"{SITE}/pip/x.py", b"p" * 400), file(f"{SITE}/pip-24.0.dist-info/RECORD", b"pip/x.py,,\n")])
INSTALL = tar(
    [
        file("usr/local/bin/uv", b"u" * 9000),
        file(f"{SITE}/uv-0.5.dist-info/RECORD", RECORD),
        file("data/big", b"d" * 5000),
        file("usr/bin/gcc", b"g" * 300),
        file("var/lib/dpkg/info/gcc-12.list", b"/usr/bin/gcc\n"),
    ]
)
REMOVE = tar([file("data/.wh.big"), file("usr/local/bin/.wh.uv")])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "image.tar"
    path.write_bytes(made.docker_save([BASE, INSTALL, REMOVE]))
    return path


@pytest.fixture
def inspection(archive: Path) -> Inspection:
    found = of_archive(archive)
    return Inspection(found.image, found.layers, base_layers=1, base="made-up:1", lines=((1, 4), (2, 5)))


def test_every_rule_of_a_budget_has_a_verdict(inspection: Inspection) -> None:
    generous = Budget(10**9, 10**9, 9, ("poetry",))
    assert [check.status for check in judged(inspection, generous)] == ["PASS"] * 4
    strict = Budget(100, 100, 2, ("uv", "gcc", "pip"))
    lines = [check.line for check in judged(inspection, strict)]
    assert lines[0] == f"FAIL size (found {size(inspection.size_bytes)}, wanted at most 100 B)"
    assert lines[1] == "FAIL waste (found 14.0 kB, wanted at most 100 B)"
    assert lines[2] == "FAIL layers (found 3, wanted at most 2)"
    # uv is gone from sight and still paid for; the pip is the base's.
    assert lines[3].startswith("FAIL no uv added (found 9.04 kB in 2 files, /usr/local/bin/uv in line 4")
    assert lines[4].startswith("FAIL no gcc added")
    assert lines[5] == "PASS no pip added (found none)"


def test_what_is_hidden_is_still_carried(tmp_path: Path) -> None:
    gone = tar([file("usr/local/bin/.wh.uv"), file(f"{SITE}/.wh.uv-0.5.dist-info")])
    (tmp_path / "image.tar").write_bytes(made.docker_save([BASE, INSTALL, gone]))
    found = of_archive(tmp_path / "image.tar")
    (check,) = judged(Inspection(found.image, found.layers, base_layers=1), Budget(forbidden=("uv",)))
    assert check.status == "FAIL"
    assert "in layer 2, hidden but carried" in check.line


def test_without_a_base_nobody_can_say_what_was_added(archive: Path) -> None:
    found = of_archive(archive)
    checks = judged(found, Budget(forbidden=("pip", "poetry")))
    assert [check.status for check in checks] == ["SKIP", "PASS"]
    assert "wanted --base NAME to decide" in checks[0].line
    assert CliRunner().invoke(main, ["inspect", str(archive), "--forbid", "pip"]).exit_code == 2
    # A rule that fails outweighs one that nobody could decide.
    both = ["inspect", str(archive), "--forbid", "pip", "--max-size", "1B"]
    assert CliRunner().invoke(main, both).exit_code == 1


def test_the_document_adds_up(inspection: Inspection) -> None:
    found = json.loads(json.dumps(document(inspection)))
    assert found["size_bytes"] == sum(one["size_bytes"] for one in found["layers"])
    assert found["size_bytes"] == found["visible_bytes"] + found["waste_bytes"]
    assert found["waste_bytes"] == sum(one["size_bytes"] for one in found["waste"]) == 14_000
    assert found["base"] == {"name": "made-up:1", "layers": 1, "size_bytes": found["layers"][0]["size_bytes"]}
    assert sum(found["causes"].values()) == found["size_bytes"] - found["base"]["size_bytes"]
    assert found["causes"]["installer"] == 9000 + len(RECORD)
    assert found["waste"][0] == {
        "size_bytes": 14_000, "how": "removed", "written_by": 1, "hidden_by": 2, "files": 2,
        "largest": "usr/local/bin/uv", "fix": "join the rm of line 5 to the RUN in line 4",
    }  # fmt: skip


def test_the_tables_name_layers_causes_and_mends(inspection: Inspection) -> None:
    out = io.StringIO()
    terminal.show(inspection, Console(file=out, width=120))
    text = out.getvalue()
    for words in ("made-up:1", "(base) RUN step 0", "line 4: RUN step 1", "installer", "python:uv 0.5", "join the rm"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_verb_exits_by_its_verdicts(archive: Path) -> None:
    ran = CliRunner().invoke(main, ["inspect", str(archive), "--max-size", "1GB"])
    assert (ran.exit_code, ran.output.splitlines()[-1]) == (0, "1 PASS, 0 FAIL, 0 SKIP")
    assert (
        CliRunner().invoke(main, ["inspect", str(archive), "--max-waste", "1kB", "--forbid", "uv, gcc"]).exit_code == 1
    )
    broken = archive.with_name("broken.tar")
    broken.write_bytes(archive.read_bytes()[:3000])
    ran = CliRunner().invoke(main, ["inspect", str(broken)])
    assert ran.exit_code == 2 and "cut off" in ran.output
    assert CliRunner().invoke(main, ["inspect", str(archive), "--max-size", "many"]).exit_code == 2


def test_of_several_images_in_an_archive_one_is_named(tmp_path: Path) -> None:
    body, path = made.config([BASE]), tmp_path / "several.tar"
    listed = [{"Config": "c.json", "RepoTags": [tag], "Layers": ["l.tar"]} for tag in ("a:1", "b:1")]
    path.write_bytes(
        tar([file("l.tar", BASE), file("c.json", body), file("manifest.json", json.dumps(listed).encode())])
    )
    ran = CliRunner().invoke(main, ["inspect", str(path)])
    assert ran.exit_code == 2 and "holds 2 images: a:1, b:1" in ran.output and "FILE#TAG" in ran.output
    ran = CliRunner().invoke(main, ["inspect", f"{path}#b:1"])
    assert ran.exit_code == 0 and ran.output.startswith("b:1: ")
    assert CliRunner().invoke(main, ["compare", f"{path}#a:1", f"{path}#b:1"]).exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.tar", None, "There is no file"),
        ("folder/", None, "is a folder"),
        ("notes.txt", b"hello", "No tar header stands at byte 0"),
        ("noise.bin", bytes(range(1, 256)) * 9, "No tar header stands at byte 0"),
        ("empty.tar", b"", "holds no image"),
        ("other.tar", tar([file("etc/hostname", b"x")]), "holds no image"),
    ],
)
def test_what_is_no_image_is_named_and_ends_with_2(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    (tmp_path / "folder").mkdir()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ran = CliRunner().invoke(main, ["inspect", f"{tmp_path}/{name}"])
    assert ran.exit_code == 2 and said in ran.output and "Traceback" not in ran.output


def test_json_goes_to_stdout_alone(archive: Path) -> None:
    ran = CliRunner().invoke(main, ["inspect", str(archive), "--json", "--max-size", "1GB"])
    assert json.loads(ran.stdout)["version"] == 1
    assert "PASS size" in ran.stderr


@pytest.mark.parametrize(
    ("text", "wanted"), [("60MB", 60_000_000), ("1.5 GB", 1_500_000_000), ("1MiB", 1 << 20), ("7", 7)]
)
def test_sizes_are_read_as_people_write_them(text: str, wanted: int) -> None:
    assert parse_size(text) == wanted


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1 XB", "1,5MB", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)
