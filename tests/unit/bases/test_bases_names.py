"""Names of bases, where they are pulled from, and the record of the official ones."""

from __future__ import annotations

from datetime import date

import pytest

from layerlab.bases import BASES, official
from layerlab.bases.registry import PREFIX, source_of
from layerlab.bases.specs import Wanted, parse

DISTROLESS = "gcr.io/distroless/python3-debian13:nonroot"
DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("reference", "key", "minor", "normal"),
    [
        ("python:3.12-slim", "slim", "3.12", "python:3.12-slim"),
        ("docker.io/library/python:3.11", "full", "3.11", "python:3.11"),
        ("localhost/python:3.11-slim", "slim", "3.11", "python:3.11-slim"),  # loaded into Podman
        (f"python:3.12-slim@{DIGEST}", "slim", "3.12", "python:3.12-slim"),
        ("python:3.12-alpine", "musl", "3.12", "python:3.12-alpine"),
        ("python:3.12-alpine3.24", None, None, "python:3.12-alpine3.24"),
        ("python:3.12-slim-bookworm", None, None, "python:3.12-slim-bookworm"),
        ("python:3", None, None, "python:3"),
        ("somebody/python:3.12-slim", None, None, "somebody/python:3.12-slim"),
        ("localhost:5000/python", None, None, "localhost:5000/python:latest"),
        (DISTROLESS, "distroless", "3.13", DISTROLESS),
        ("gcr.io/distroless/python3-debian13", None, None, "gcr.io/distroless/python3-debian13:latest"),  # runs as root
        ("localhost/standin/distroless-python3:3.11", "distroless", "3.11", "standin/distroless-python3:3.11"),
    ],
)
def test_parse(reference: str, key: str | None, minor: str | None, normal: str) -> None:
    found = parse(reference)
    assert (found.key, found.minor, found.reference) == (key, minor, normal)


@pytest.mark.parametrize(
    ("reference", "pinned"),
    [
        (f"python:3.12-slim@{DIGEST}", f"python@{DIGEST}"),
        (f"localhost:5000/some/python:3@{DIGEST}", f"localhost:5000/some/python@{DIGEST}"),
        ("python:3.12", "python:3.12"),
    ],
)
def test_a_digest_takes_the_place_of_the_tag(reference: str, pinned: str) -> None:
    assert parse(reference).pinned == pinned


def test_a_stand_in_never_bears_the_official_name() -> None:
    assert {key: spec.standin for key, spec in BASES.items()} == {
        "slim": "slim stand-in",
        "full": "full stand-in",
        "musl": "musl stand-in",
        "distroless": "distroless stand-in",
    }
    for spec in BASES.values():
        assert parse(spec.standin_reference("3.11")).minor == "3.11", "its Python is true, whatever its name"


def test_only_the_musl_stand_in_lacks_anything() -> None:
    assert {key for key, spec in BASES.items() if spec.lacks} == {"musl"}
    assert "apk" in BASES["musl"].lacks


def test_every_spec_reads_back_its_own_reference() -> None:
    for key, spec in BASES.items():
        found = parse(spec.reference("3.11"))
        assert (found.key, found.minor) == (key, "3.11")


@pytest.mark.parametrize("prefix", ["mirror.example/library/", "mirror.example/library"])
def test_a_prefix_stands_before_the_course_s_bases_only(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    monkeypatch.setenv(PREFIX, prefix)
    assert source_of(parse("python:3.12-slim")).pinned == "mirror.example/library/python:3.12-slim"
    pinned = source_of(parse(f"python:3.12-slim@{DIGEST}"))
    assert pinned.pinned == f"mirror.example/library/python@{DIGEST}"
    other = parse("alpine:3")
    assert source_of(other) is other
    monkeypatch.delenv(PREFIX)
    assert source_of(Wanted("python:3.12", key="full")).reference == "python:3.12"


def test_the_official_record_is_dated_and_adds_up() -> None:
    slim = official("python:3.12-slim")
    assert slim is official("python:3.12-slim-trixie")
    assert isinstance(slim.built, date) and slim.digest.startswith("sha256:") and slim.platform == "linux/amd64"
    for tag in ("python:3.12", "python:3.12-slim", "python:3.12-alpine"):
        base = official(tag)
        assert sum(layer.compressed_bytes for layer in base.layers) == base.compressed_bytes
        assert base.uncompressed_published.endswith("B")


def test_a_tag_without_a_record_names_those_that_have_one() -> None:
    with pytest.raises(KeyError, match=r"python:3\.12-slim"):
        official("python:2.7")
