"""Dockerfiles of the service that are compared with each other differ in what the comparison is about, in no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layerlab.dockerfile import Instruction, parse

APPS = Path(__file__).parents[2] / "apps"


def instructions(name: str) -> tuple[Instruction, ...]:
    """Return the instructions of one of the service's Dockerfiles, those of all stages."""
    found = parse((APPS / "service" / f"Dockerfile.{name}").read_text(encoding="utf-8"))
    return tuple(one for stage in found.stages for one in (stage.from_, *stage.instructions))


def written(name: str, *, keywords: set[str] | None = None) -> list[str]:
    """Return instructions as they are written; with ``keywords`` only those."""
    return [one.logical for one in instructions(name) if keywords is None or one.keyword in keywords]


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_in_a_column_only_the_base_changes(installer: str) -> None:
    slim, alpine = written(f"v3-slim-{installer}"), written(f"v3-alpine-{installer}")
    assert slim != alpine
    assert [re.sub(r"-slim\b", "-alpine", line) for line in slim] == alpine


@pytest.mark.parametrize("base", ["slim", "alpine"])
def test_in_a_row_only_what_the_builder_runs_changes(base: str) -> None:
    with_pip, with_uv = f"v3-{base}-pip", f"v3-{base}-uv"
    others = {one.keyword for name in (with_pip, with_uv) for one in instructions(name)} - {"RUN"}
    assert written(with_pip, keywords=others) == written(with_uv, keywords=others)
    assert written(with_pip, keywords={"RUN"}) != written(with_uv, keywords={"RUN"})


def test_both_cures_are_one_recipe_on_two_bases() -> None:
    assert [re.sub(r"-slim\b", "-alpine", line) for line in written("v5-slim-venv")] == written("v5-alpine-venv")


@pytest.mark.parametrize("name", ["v5-slim-venv", "v5-alpine-venv"])
def test_a_cure_copies_one_folder_pins_uv_and_runs_as_a_number(name: str) -> None:
    copied = [one for one in instructions(name) if one.keyword == "COPY" and one.flag("from")]
    assert [one.arguments for one in copied] == [("/opt/venv", "/opt/venv")]
    assert any(re.search(r"\buv==\d", line) for line in written(name, keywords={"RUN"}))
    assert [one.arguments for one in instructions(name) if one.keyword == "USER"] == [("10001",)]
    assert not any("/etc/environment" in line for line in written(name))


@pytest.mark.parametrize(("name", "suffix"), [("v6-full", ""), ("v6-alpine", "-alpine")])
def test_from_base_to_base_only_the_base_changes(name: str, suffix: str) -> None:
    assert [line.replace("-slim", suffix) for line in written("v6-slim")] == written(name)


def test_to_distroless_four_things_change() -> None:
    slim, bare = written("v6-slim"), written("v6-distroless")
    assert [line for line in slim if line not in bare] == [
        "FROM python:${PY_MINOR}-slim",
        "USER 10001",
        'CMD ["python", "-m", "uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"]',
    ]
    assert [line for line in bare if line not in slim] == [
        "FROM ${DISTROLESS}",
        'CMD ["-m", "uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"]',
    ]


def test_the_pins_of_v6_move_only_pydantic() -> None:
    old, new = (
        set((APPS / "service" / name).read_text().split()) for name in ("requirements.txt", "requirements-v6.txt")
    )
    assert {line.partition("==")[0] for line in old ^ new} == {"pydantic"}


def test_the_installers_race_on_the_wheels_of_the_service() -> None:
    assert (APPS / "installers" / "requirements.txt").read_bytes() == (
        APPS / "service" / "requirements.txt"
    ).read_bytes()
