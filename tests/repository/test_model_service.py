"""The model of apps/model: equal bytes every time, answers that depend on them, and a reason where it is none."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "apps" / "model"
SIZE = 2_500_000


@pytest.fixture(scope="module")
def app() -> Iterator[tuple[types.ModuleType, types.ModuleType]]:
    """The service's own modules, which find each other as they do in its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(APP)
        patch.setattr(sys, "dont_write_bytecode", True)
        import make_model
        import model_file

        yield make_model, model_file
        for name in ("make_model", "model_file"):
            del sys.modules[name]


@pytest.fixture
def model(app, tmp_path: Path) -> Path:
    path = tmp_path / "models" / "model.bin"
    app[0].make(path, version=1, size_bytes=SIZE)
    return path


def test_equal_arguments_give_equal_bytes_of_the_size_asked_for(app, model: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.bin"
    app[0].make(again, version=1, size_bytes=SIZE)
    assert again.read_bytes() == model.read_bytes()
    assert SIZE < model.stat().st_size < SIZE + 10_000
    assert [path.name for path in model.parent.iterdir()] == ["model.bin"], "nothing unfinished is left"


def test_no_packer_makes_it_smaller(model: Path) -> None:
    import gzip

    assert len(gzip.compress(model.read_bytes())) > 0.99 * SIZE


def test_the_answer_depends_on_the_model(app, model: Path) -> None:
    one = app[1].read(model)
    app[0].make(model, version=2, size_bytes=SIZE)
    two = app[1].read(model)
    assert (one.version, two.version) == (1, 2)
    assert [found.language("fromage") for found in (one, two)] == ["English", "French"]
    assert {found.language("butterfly") for found in (one, two)} == {"English"}
    assert two.size_bytes == model.stat().st_size


def test_what_is_no_model_is_told(app, model: Path) -> None:
    whole = model.read_bytes()
    for damage, words in {
        whole[:-2]: "damaged",
        whole[: len(whole) // 2]: "damaged",
        whole + b"x": "damaged",
        whole[:-9] + b"\0" * 9: "damaged",
        whole[:20]: "header",
        b"": "is no model",
        b"version https://git-lfs.github.com/spec/v1\n": "is no model",
    }.items():
        model.write_bytes(damage)
        with pytest.raises(app[1].ModelError, match=words):
            app[1].read(model)


def test_what_is_there_instead_of_a_model_is_told(app, model: Path) -> None:
    read, error = app[1].read, app[1].ModelError
    with pytest.raises(error, match=r"holds model\.bin"):
        read(model.with_name("modle.bin"))
    model.unlink()
    with pytest.raises(error, match=r"is empty.*spelled right"):
        read(model)
    with pytest.raises(error, match="Mount the folder of models"):
        read(model.parent / "deeper" / "model.bin")
    model.mkdir()
    with pytest.raises(error, match="is a folder"):
        read(model)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_model_that_may_not_be_read_is_told(app, model: Path) -> None:
    model.chmod(0)
    with pytest.raises(app[1].ModelError, match="may not be read"):
        app[1].read(model)


@pytest.mark.parametrize(("text", "size"), [("64MB", 64_000_000), ("2k", 2_000), ("0.5gb", 500_000_000), ("17", 17)])
def test_sizes_are_read_as_people_write_them(app, text: str, size: int) -> None:
    assert app[0].number_of_bytes(text) == size


def test_the_command_makes_a_file_and_says_what_it_cannot_do(tmp_path: Path) -> None:
    command = [sys.executable, "-B", str(APP / "make_model.py"), "--size", "1KB"]
    made = subprocess.run([*command, str(tmp_path / "m.bin")], capture_output=True, text=True)
    assert (made.returncode, made.stdout.split(",")[0]) == (0, "m.bin: version 1")
    (tmp_path / "file").touch()
    refused = subprocess.run([*command, str(tmp_path / "file" / "m.bin")], capture_output=True, text=True)
    assert refused.returncode == 1 and "cannot be written" in refused.stderr
    unknown = subprocess.run([*command, "--version", "9"], capture_output=True, text=True)
    assert unknown.returncode == 2 and "invalid choice" in unknown.stderr


@pytest.mark.slow
def test_without_a_model_the_service_ends_before_it_listens(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "uvicorn", "main:app", "--port", "0"],
        cwd=APP,
        env={**os.environ, "MODEL": str(tmp_path / "model.bin")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3
    assert f"There is no {tmp_path}/model.bin" in done.stderr and "running on" not in done.stderr
