"""In which order a base is looked for, on which engine, and what is said where it cannot be had."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_engine import AUGUST, FakeEngine, raw_image

from layerlab.bases import Progress, background, inventory, registry, resolution, resolve
from layerlab.bases.background import Background
from layerlab.bases.specs import parse
from layerlab.engine.protocol import RawEvent
from layerlab.errors import (
    BaseNotReady,
    BaseUnavailable,
    BuildCancelled,
    DigestMismatch,
    ImageNotFound,
    NoNetwork,
    NotRecorded,
    PullFailed,
    RateLimited,
)

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
CLOSED = NoNetwork("The registry of python:3.12-slim cannot be reached: dial tcp: no such host.")


class Builder:
    """Stands for the process in the background: needs some looks until the stand-in is there, or fails."""

    def __init__(self, engine: FakeEngine, *, looks: int = 2, fails: str = "", running: bool = False) -> None:
        self.engine, self.looks, self.fails, self.starts = engine, looks, fails, 0
        self.state: Any = "building" if running else "absent"

    def start(self) -> Background:
        self.starts += 1
        self.state = "building"
        return self.status()

    def status(self) -> Background:
        if self.state == "building":
            self.looks -= 1
            if self.looks <= 0 and self.fails:
                self.state = "failed"
            elif self.looks <= 0:
                self.state = "ready"
                self.engine.held.append(raw_image("python:3.11-slim", standin=True))
        progress = Progress("slim", "compiling CPython, step 4 of 5", 0.5, eta_seconds=90.0)
        return Background(self.state, 1, self.fails, (("slim", progress),), Path("build.log"))


@pytest.fixture(autouse=True)
def _build_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(registry.PREFIX, raising=False)
    monkeypatch.delenv(registry.MIRROR, raising=False)
    monkeypatch.setattr(registry, "answers", lambda: False)
    monkeypatch.setattr("layerlab.bases.system_python.minor", lambda: "3.11")
    monkeypatch.setattr(resolution, "_POLL_SECONDS", 0.01)
    yield


def in_background(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, **how: Any) -> Builder:
    builder = Builder(engine, **how)
    monkeypatch.setattr(background, "status", builder.status)
    monkeypatch.setattr(background, "start", builder.start)
    return builder


# --- present ---------------------------------------------------------------------------------


def test_what_is_there_is_used_and_nobody_is_asked() -> None:
    engine = FakeEngine(raw_image("python:3.12-slim", digest=DIGEST))
    base = resolve(engine, "slim")
    assert (base.reference, base.is_standin, base.digest) == ("python:3.12-slim", False, DIGEST)
    assert engine.asked == []


def test_a_stand_in_says_so() -> None:
    base = resolve(FakeEngine(raw_image("python:3.11-slim", standin=True), kind="private"), "slim")
    assert (base.reference, base.is_standin, base.digest) == ("python:3.11-slim", True, None)


def test_any_image_that_is_there_can_be_a_base() -> None:
    assert resolve(FakeEngine(raw_image("mine:1")), "mine:1").image.tags == ("mine:1",)


def test_a_pin_that_fits_is_there_and_one_that_does_not_is_pulled() -> None:
    engine = FakeEngine(raw_image("python:3.12-slim", digest=DIGEST))
    assert resolve(engine, f"python:3.12-slim@{DIGEST}").digest == DIGEST
    engine.arrives = lambda reference: raw_image("python:pinned", digest=OTHER)
    assert resolve(engine, f"python:3.12-slim@{OTHER}").digest == OTHER
    assert engine.asked == [f"python@{OTHER}"]


def test_recordings_pull_nothing() -> None:
    engine = FakeEngine(raw_image("python:3.11-slim", standin=True), kind="recorded")
    assert resolve(engine, "slim").is_standin
    with pytest.raises(NotRecorded, match=r"python:3\.12.*PY_MINOR=3\.11"):
        resolve(engine, "python:3.12")
    assert engine.asked == []


# --- registry --------------------------------------------------------------------------------


def test_what_is_missing_is_pulled_with_progress() -> None:
    engine = FakeEngine()
    engine.events = [
        {"status": "Pulling fs layer", "id": "aaaa"},
        {"status": "Downloading", "id": "aaaa", "progressDetail": {"current": 1, "total": 2}},
        {"status": "Pull complete", "id": "aaaa"},
    ]
    seen: list[Progress] = []
    assert resolve(engine, "full", on_progress=seen.append).reference == "python:3.12"
    assert [one.fraction for one in seen] == [0.0, 0.375, 1.0]
    assert seen[1].layers[0].current_bytes == 1


def test_a_mirror_s_image_gets_the_name_of_the_dockerfiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.PREFIX, "mirror.example/library/")
    engine = FakeEngine()
    assert resolve(engine, "slim").reference == "python:3.12-slim"
    assert engine.asked == ["mirror.example/library/python:3.12-slim"]
    assert engine.held[0]["RepoTags"] == ["mirror.example/library/python:3.12-slim", "python:3.12-slim"]


def test_a_name_that_is_taken_meanwhile_stays_its_owner_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.PREFIX, "mirror.example/library/")
    engine = FakeEngine()

    def arrives(reference: str) -> dict[str, Any]:
        engine.held.append({**raw_image("python:3.12-slim"), "Id": "sha256:theirs"})
        return raw_image(reference)

    engine.arrives = arrives
    assert resolve(engine, "slim").image.id == "sha256:theirs"


def test_a_rate_limit_says_how_long_and_what_helps() -> None:
    engine = FakeEngine()
    engine.error = RateLimited("The registry refuses.")
    with pytest.raises(RateLimited) as caught:
        resolve(engine, "slim")
    for word in ("six hours", "docker login", registry.PREFIX, registry.MIRROR, "layerlab engine start"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        "manifest verification failed for digest sha256:cdcd",
        "image content does not match digest",
        "commit failed: unexpected commit digest sha256:cdcd",
    ],
)
def test_other_content_than_the_pin_s_is_a_mismatch(said: str) -> None:
    engine = FakeEngine(kind="private")
    engine.error = PullFailed(f"python did not arrive: {said}.")
    with pytest.raises(DigestMismatch, match=DIGEST):
        resolve(engine, f"python:3.12-slim@{DIGEST}")


def test_another_digest_than_the_pin_s_is_a_mismatch() -> None:
    engine = FakeEngine()
    arrived = raw_image("python:latest", digest=OTHER)
    arrived["RepoTags"].append(f"python@{DIGEST}")
    engine.arrives = lambda reference: arrived
    with pytest.raises(DigestMismatch, match=OTHER):
        registry.fetch(engine, parse(f"python:3.12-slim@{DIGEST}"))


def test_a_broken_transfer_keeps_its_reason() -> None:
    engine = FakeEngine()
    engine.error = PullFailed("python:3.12-slim did not arrive: unexpected EOF. Run it again.")
    with pytest.raises(PullFailed, match="unexpected EOF"):
        resolve(engine, "slim")


def test_an_image_the_registry_does_not_have() -> None:
    engine = FakeEngine()
    engine.error = ImageNotFound("The engine holds no image 'nothing:1'.")
    with pytest.raises(BaseUnavailable, match="has no nothing:1"):
        resolve(engine, "nothing:1")


def test_silence_is_not_waited_for() -> None:
    engine = FakeEngine()
    engine.hangs = threading.Event()
    began = time.monotonic()
    with pytest.raises(NoNetwork, match="within 0 s"):
        registry.fetch(engine, parse("python:3.12"), first_answer_seconds=0.2)
    assert time.monotonic() - began < 2
    engine.hangs.set()


def test_a_pull_that_falls_silent_fails() -> None:
    engine = FakeEngine()
    hold = threading.Event()

    def pull(reference: str) -> Any:
        yield RawEvent(0.0, {"status": "Pulling fs layer", "id": "aaaa"})
        hold.wait(30)

    engine.pull = pull  # type: ignore[method-assign]
    with pytest.raises(PullFailed, match="sent nothing"):
        registry.fetch(engine, parse("python:3.12"), silence_seconds=0.2)
    hold.set()


def test_a_pull_can_be_cancelled() -> None:
    engine = FakeEngine()
    engine.hangs = threading.Event()
    with pytest.raises(BuildCancelled):
        resolve(engine, "slim", cancelled=lambda: True)
    engine.hangs.set()


# --- stand-ins -------------------------------------------------------------------------------


def test_no_stand_in_on_somebody_s_own_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    engine.error = CLOSED
    builder = in_background(monkeypatch, engine)
    with pytest.raises(BaseUnavailable, match="layerlab engine start"):
        resolve(engine, "slim")
    assert builder.starts == 0


def test_a_private_engine_gets_a_stand_in_where_no_registry_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(kind="private")
    engine.error = CLOSED
    builder = in_background(monkeypatch, engine, looks=4)
    seen: list[Progress] = []
    base = resolve(engine, "slim", on_progress=seen.append)
    assert (base.reference, base.is_standin, builder.starts) == ("python:3.11-slim", True, 1)
    assert engine.asked == ["python:3.11-slim"], "the registry first"
    assert {one.reference for one in seen} == {"python:3.11-slim"}
    assert seen[0].detail.startswith("compiling CPython")


def test_a_stand_in_on_its_way_is_waited_for_without_asking_a_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(kind="private")
    builder = in_background(monkeypatch, engine, looks=5, running=True)
    assert resolve(engine, "slim").is_standin
    assert (engine.asked, builder.starts) == ([], 0)


def test_without_waiting_the_build_is_begun_and_its_time_told(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(kind="private")
    engine.error = CLOSED
    builder = in_background(monkeypatch, engine, looks=9)
    with pytest.raises(BaseNotReady, match=r"compiling CPython.*50%, about 1 min 30 s left"):
        resolve(engine, "slim", wait=False)
    assert builder.starts == 1


def test_a_build_that_fails_says_why_and_is_not_begun_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(kind="private")
    engine.error = CLOSED
    builder = in_background(monkeypatch, engine, looks=3, fails="mmdebstrap ended with status 25.")
    with pytest.raises(BaseUnavailable, match="status 25"):
        resolve(engine, "slim")
    assert builder.starts == 1


def test_waiting_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(kind="private")
    engine.error = CLOSED
    in_background(monkeypatch, engine, looks=99)
    with pytest.raises(BuildCancelled, match="background"):
        resolve(engine, "slim", cancelled=lambda: True)


def test_a_stand_in_takes_no_other_python_s_place(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(kind="private")
    engine.error = CLOSED
    builder = in_background(monkeypatch, engine)
    with pytest.raises(BaseUnavailable, match=r"PY_MINOR=3\.11"):
        resolve(engine, "python:3.12-slim")
    with pytest.raises(BaseUnavailable, match=r"python:3\.11, python:3\.11-alpine and gcr\.io/distroless"):
        resolve(engine, "alpine:3")
    with pytest.raises(BaseUnavailable, match="without a digest"):
        resolve(engine, f"python:3.11-slim@{DIGEST}")
    assert builder.starts == 0


# --- what an engine has ----------------------------------------------------------------------


def test_the_python_of_the_bases(monkeypatch: pytest.MonkeyPatch) -> None:
    assert inventory.py_minor(FakeEngine()) == "3.12"
    assert inventory.py_minor(FakeEngine(raw_image("python:3.9"))) == "3.12", "the user's own says nothing"
    assert inventory.py_minor(FakeEngine(kind="private")) == "3.11"
    monkeypatch.setattr(registry, "answers", lambda: True)
    assert inventory.py_minor(FakeEngine(kind="private")) == "3.12"
    standins = [raw_image(one, standin=True) for one in ("python:3.11-slim", "python:3.11")]
    assert inventory.py_minor(FakeEngine(*standins, kind="private")) == "3.11"
    assert inventory.py_minor(FakeEngine(*standins, raw_image("python:3.12"), kind="private")) == "3.11"
    both = [raw_image(one) for one in ("python:3.12-slim", "python:3.12")]
    assert inventory.py_minor(FakeEngine(*standins, *both, kind="private")) == "3.12"


def test_a_private_engine_without_apt_still_has_a_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def minor() -> str:
        raise BaseUnavailable("apt knows no python3 on this machine.")

    monkeypatch.setattr("layerlab.bases.system_python.minor", minor)
    assert inventory.py_minor(FakeEngine(kind="private")) == "3.12"


def test_provenance_is_one_dated_line() -> None:
    def said(*held: dict[str, Any]) -> tuple[str, str]:
        found = inventory.provenance(FakeEngine(*held, kind="recorded"))
        return found.kind, found.text

    slim, full = raw_image("python:3.11-slim", standin=True), raw_image("python:3.11", standin=True)
    official = raw_image("docker.io/library/python:3.12-slim", created=AUGUST)
    assert said() == ("none", "no bases yet")
    assert said(slim, full) == ("stand-in", "stand-in bases, 23 Nov 2026")
    assert said(official) == ("official", "official bases, 13 Aug 2026")
    mixed = raw_image("python:3.12", standin=True)
    assert said(official, mixed) == ("mixed", "official and stand-in bases, 23 Nov 2026")


def test_status_of_what_is_there_coming_and_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(raw_image("python:3.11", standin=True), kind="private")
    in_background(monkeypatch, engine, looks=99, running=True)
    slim, full, musl, distroless = inventory.status(engine)
    assert (slim.key, slim.state, slim.fraction) == ("slim", "building", 0.5)
    assert (full.key, full.state, full.reference) == ("full", "stand-in", "python:3.11")
    assert (musl.key, musl.state, musl.reference) == ("musl", "absent", "python:3.11-alpine")
    assert (distroless.reference, distroless.state) == ("standin/distroless-python3:3.11", "absent")
    slim, full, *_ = inventory.status(FakeEngine(raw_image("python:3.12-slim", digest=DIGEST)))
    assert (slim.state, slim.digest, full.state, full.image_id) == ("official", DIGEST, "absent", None)


def test_what_a_base_lacks_is_said_of_the_stand_in_only() -> None:
    standin = inventory.status(FakeEngine(raw_image("python:3.11-alpine", standin=True), kind="recorded"))[2]
    official = inventory.status(FakeEngine(raw_image("python:3.12-alpine", digest=DIGEST)))[2]
    assert (standin.key, standin.state, standin.lacks) == ("musl", "stand-in", ("apk", "sqlite3"))
    assert (official.key, official.state, official.lacks) == ("musl", "official", ())


# --- distroless, whose tags do not name the Python ---------------------------------------------

OFFICIAL = "gcr.io/distroless/python3-debian13:nonroot"
STANDIN = "standin/distroless-python3:3.11"


def test_distroless_is_named_by_what_the_engine_has_or_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(*held: dict[str, Any], kind: Any = "docker") -> tuple[str, str | None]:
        found = inventory.wanted(FakeEngine(*held, kind=kind), "distroless")
        return found.reference, found.minor

    slim = raw_image("python:3.11-slim", standin=True)
    assert named() == named(raw_image(OFFICIAL), kind="private") == (OFFICIAL, "3.13")
    assert named(raw_image(STANDIN, standin=True), kind="recorded") == (STANDIN, "3.11")
    assert named(kind="private") == named(slim, kind="private") == (STANDIN, "3.11")
    monkeypatch.setattr(registry, "answers", lambda: True)
    assert named(kind="private") == (OFFICIAL, "3.13")


def test_a_dockerfile_that_ends_on_distroless_gets_its_python_throughout() -> None:
    engine = FakeEngine(raw_image("python:3.12-slim"), raw_image(OFFICIAL))
    given = inventory.build_arguments(engine, {"PY_MINOR", "DISTROLESS", "COLOUR"})
    assert given == {"PY_MINOR": "3.13", "DISTROLESS": OFFICIAL}
    assert inventory.build_arguments(engine, {"PY_MINOR"}) == {"PY_MINOR": "3.12"}
    assert inventory.build_arguments(engine, ()) == {}


def test_no_registry_is_asked_for_a_name_that_only_a_stand_in_bears() -> None:
    engine = FakeEngine()
    with pytest.raises(BaseUnavailable, match=r"private engine only\. Build with gcr\.io/distroless"):
        resolve(engine, STANDIN)
    assert engine.asked == []


def test_a_stand_in_for_distroless_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(raw_image("python:3.11-slim", standin=True), kind="private")
    engine.error = CLOSED
    in_background(monkeypatch, engine)
    with pytest.raises(BaseUnavailable, match=rf"--build-arg DISTROLESS={STANDIN}"):
        resolve(engine, OFFICIAL)


def test_its_own_python_is_no_vote_on_the_course_s() -> None:
    held = (raw_image("python:3.12-slim"), raw_image(STANDIN, standin=True))
    assert inventory.py_minor(FakeEngine(*held, kind="private")) == "3.12"
    assert inventory.provenance(FakeEngine(*held, kind="private")).kind == "mixed"


def test_an_image_built_from_a_stand_in_is_no_base() -> None:
    built = {**raw_image("python:3.11-slim", standin=True), "RepoTags": ["layerlab/service:naive"]}
    assert inventory.held(FakeEngine(built)) == ()


def test_a_standin_has_no_digest_though_the_containerd_store_lists_one() -> None:
    engine = FakeEngine(raw_image("python:3.12-slim", standin=True, digest=DIGEST))
    assert inventory.status(engine)[0].digest is None
    found = resolution.present(engine, parse("python:3.12-slim"))  # type: ignore[arg-type]
    assert found is not None and found.is_standin and found.digest is None
