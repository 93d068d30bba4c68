"""What is asked of an image, how an answer is read, and what is said where there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from layerlab.engine.protocol import ExecResult, Response, StartRequest, Stopped
from layerlab.errors import DoesNotServe, EngineRefused
from layerlab.narration import about, heard
from layerlab.probe import Contents, Distribution, Probe, Tool, contents, probe, start, start_work
from layerlab.probe.contents import program

TOLD = {
    "python": "/opt/venv/bin/python",
    "distributions": [
        {"name": "fastapi", "version": "0.115.0", "size": 700, "folder": "/opt/venv/lib"},
        {"name": "pip", "version": "22.3", "size": 6_000, "folder": "/opt/venv/lib"},
    ],
    "application_bytes": 200,
    "tools": [{"name": "pip", "path": "/opt/venv/bin/pip", "size": 225}],
}


class FakeContainer:
    def __init__(self, answers: dict[str, ExecResult], stopped: Stopped) -> None:
        self.answers, self.stopped = answers, stopped
        self.stops = 0

    def __enter__(self) -> FakeContainer:
        return self

    def __exit__(self, *exc_info: object) -> None: ...

    def request(self, path: str, *, port: int, wait_seconds: float) -> Response:
        return Response(200, f"{path} on {port}")

    def exec(self, command: Sequence[str], *, user: str | None = None) -> ExecResult:
        return self.answers.get(command[0], ExecResult(127, "not found"))

    def stop(self) -> Stopped:
        self.stops += 1
        return self.stopped


class FakeEngine:
    """An engine with one image: its configuration, and what its Python prints."""

    def __init__(self, output: str = json.dumps(TOLD), *, code: int = 0, **config: Any) -> None:
        self.config = config
        self.answer = ExecResult(code, output)
        self.asked: list[tuple[str, Sequence[str] | None]] = []
        self.started: dict[str, Any] = {}
        self.container = FakeContainer({"python3": self.answer}, Stopped(0, 0.2))

    def inspect(self, image: str) -> dict[str, Any]:
        return {"Config": self.config}

    def run(self, image: str, command: Sequence[str] | None = None, *, user: str | None = None) -> ExecResult:
        self.asked.append(("run", command))
        return self.answer

    def start(self, request: StartRequest) -> FakeContainer:
        self.asked.append(("start", request.command))
        self.started = request
        return self.container


@pytest.mark.parametrize(
    ("entrypoint", "verb", "first"),
    [
        (None, "run", "python3"),
        (["/usr/bin/python3.13"], "run", "-B"),  # distroless: what follows are its arguments
        (["uvicorn", "main:app"], "start", None),
    ],
)
def test_an_image_is_asked_in_the_way_its_entrypoint_leaves(entrypoint: Any, verb: str, first: str | None) -> None:
    engine = FakeEngine(Entrypoint=entrypoint, Cmd=["uvicorn"])
    assert contents(engine, "i").python == "/opt/venv/bin/python"  # type: ignore[arg-type]
    [(asked, command)] = engine.asked
    assert (asked, command and command[0]) == (verb, first)


def test_what_is_printed_before_the_answer_is_left_out() -> None:
    found = contents(FakeEngine("warning: no locale\n" + json.dumps(TOLD)), "i")  # type: ignore[arg-type]
    assert found == Contents(
        distributions=(
            Distribution("fastapi", "0.115.0", 700, "/opt/venv/lib"),
            Distribution("pip", "22.3", 6_000, "/opt/venv/lib"),
        ),
        application_bytes=200,
        tools=(Tool("pip", "/opt/venv/bin/pip", 225),),
        python="/opt/venv/bin/python",
    )


@pytest.mark.parametrize(
    ("code", "output", "words"),
    [
        (127, "exec: python3: not found", "no python3 on its PATH, so what lies in it is unknown"),
        (1, "SyntaxError: no", r"exit code 1\): SyntaxError"),
        (0, "", "it printed nothing"),
    ],
)
def test_an_image_that_cannot_answer_is_told_apart_from_an_empty_one(code: int, output: str, words: str) -> None:
    with pytest.raises(EngineRefused, match=words):
        contents(FakeEngine(output, code=code), "i")  # type: ignore[arg-type]


def test_what_the_service_needs_is_what_the_base_has_not_and_that_installs_nothing() -> None:
    base = Contents((Distribution("pip", "22.3", 6_000, "/usr/lib"),), 0, (Tool("pip", "/usr/local/bin/pip"),))
    image = Contents(
        (*base.distributions, Distribution("fastapi", "1", 700, "/v"), Distribution("pip", "22.3", 6_000, "/v")),
        200,
        (*base.tools, Tool("pip", "/v/bin/pip")),
    )
    added = image.added_to(base)
    assert [one.folder for one in added.distributions] == ["/v", "/v"]
    assert added.tools == (Tool("pip", "/v/bin/pip"),)
    assert image.needed_bytes(base) == 900


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (("uvicorn", "main:app"), "uvicorn"),
        (("/bin/sh", "-c", "uvicorn main:app --port 8000"), "uvicorn"),
        (("/bin/bash", "-c", "PORT=1 exec /opt/venv/bin/python -m uvicorn"), "/opt/venv/bin/python"),
        (("/bin/sh", "-c", "echo 'open"), ""),
        (("sh",), "sh"),
        ((), ""),
    ],
)
def test_the_program_behind_a_start_command(command: tuple[str, ...], found: str) -> None:
    assert program(command) == found


def test_a_probe_says_on_which_root_folder_it_served_and_as_whom() -> None:
    engine = FakeEngine()
    engine.container.answers = {"id": ExecResult(127, "no such file"), "python3": ExecResult(0, "10001\n")}
    found = probe(engine, "i", paths=("/health",), read_only=True, stopping=True)  # type: ignore[arg-type]
    assert engine.started == StartRequest(image="i", ports=(8000,), read_only=True)
    assert (found.uid, found.read_only, found.stops, found.serves) == (10001, True, True, True)
    assert str(found).startswith("Serves as uid 10001, on a root folder it cannot write to: GET /health → 200")
    engine.container.answers = {"id": ExecResult(1, "7"), "python3": ExecResult(127, "")}
    assert probe(engine, "i").uid is None  # type: ignore[arg-type]


def test_only_who_judges_stopping_waits_for_a_service_that_ignores_the_signal() -> None:
    engine = FakeEngine()
    found = probe(engine, "i", paths=("/health",))  # type: ignore[arg-type]
    assert (engine.container.stops, found.stops, found.stopped_with, found.stop_seconds) == (0, None, None, None)
    assert probe(engine, "i", paths=("/health",), stopping=True).stops is True  # type: ignore[arg-type]
    assert engine.container.stops == 1


def test_a_probe_tells_what_it_is_at() -> None:
    told: list[str] = []
    with heard(told.append), about("the service as it was"):
        probe(FakeEngine(), "i", paths=("/health", "/"))  # type: ignore[arg-type]
    assert [words.partition(": ")[2] for words in told] == [
        "starting a container",
        "asking /health (1 of 2), for up to 60 s",
        "asking / (2 of 2), for up to 60 s",
        "removing the container",
    ]
    assert {words.partition(": ")[0] for words in told} == {"the service as it was"}


def test_killed_is_not_stopped() -> None:
    assert not Probe("i", (), 0, 137, 10.1).stops
    assert Probe("i", (), 0, 143, 0.3).stops


class SilentContainer(FakeContainer):
    """One that never answers; it ends with a code, or goes on where there is none."""

    def __init__(self, code: int | None) -> None:
        super().__init__({}, Stopped(0, 0.1))
        self.code, self.is_removed = code, False

    def __exit__(self, *exc_info: object) -> None:
        self.is_removed = True

    def request(self, path: str, *, port: int, wait_seconds: float) -> Response:
        raise DoesNotServe("It answered nothing.")

    def wait(self, *, seconds: float) -> int:
        if self.code is None:
            raise DoesNotServe("It still runs.")
        return self.code

    def logs(self) -> str:
        traceback = "Traceback (most recent call last):\n  File x\n    raise\nModelError: no model"
        return f"INFO: started\nERROR: {traceback}\nERROR: failed. Exiting.\n"


@pytest.mark.parametrize(("code", "told"), [(3, "Ended with exit code 3"), (None, "Still runs"), (0, "exit code 0")])
def test_a_start_says_what_became_of_a_container_that_never_answered(code: int | None, told: str) -> None:
    engine = FakeEngine()
    engine.container = SilentContainer(code)
    begun = start(engine, "image", mounts={"/models": "/m:ro"}, missing="create")
    assert (begun.answer, begun.exit_code, begun.ended) == (None, code, code is not None)
    assert begun.last_words == ("ModelError: no model", "ERROR: failed. Exiting.")
    assert told in repr(begun) and "no model" in repr(begun)
    assert (engine.started.mounts, engine.started.missing) == ({"/models": "/m:ro"}, "create")
    assert engine.container.is_removed


def test_a_start_that_answers_has_its_answer_and_no_exit_code() -> None:
    class Talking(FakeContainer):
        def logs(self) -> str:
            return "listening"

    engine = FakeEngine()
    engine.container = Talking({}, Stopped(0, 0.1))
    begun = start(engine, "image", path="/hello")
    assert (begun.answer, begun.ended) == (Response(200, "/hello on 8000"), False)
    assert repr(begun) == "Runs. GET /hello → 200 /hello on 8000"
    assert engine.started == StartRequest(image="image", ports=(8000,))


class Starting:
    """An engine whose containers have used so much when they are asked."""

    def __init__(self, *told: str) -> None:
        self.told = list(told)
        self.starts: list[StartRequest] = []
        self.removed = 0

    def start(self, request: StartRequest) -> Starting:
        self.starts.append(request)
        return self

    def __enter__(self) -> Starting:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.removed += 1

    def request(self, path: str, *, port: int, wait_seconds: float) -> Response:
        return Response(200, "{}")

    def exec(self, command: Sequence[str], *, user: str | None = None) -> ExecResult:
        return ExecResult(0, self.told[len(self.starts) - 1])


def test_the_work_of_each_start_is_told_and_can_be_recorded() -> None:
    engine = Starting("1.9\n", "1.21\n", "1.4\n")
    assert start_work(engine, "i", starts=3) == (1.9, 1.21, 1.4)  # type: ignore[arg-type]
    assert engine.removed == 3
    assert len({str(request.env) for request in engine.starts}) == 3, "alike, they would share one recording"


def test_a_container_that_cannot_be_asked_for_its_work_says_so() -> None:
    with pytest.raises(DoesNotServe, match="Python said 'no such file'"):
        start_work(Starting("no such file"), "i")  # type: ignore[arg-type]
    with pytest.raises(DoesNotServe, match="said 'nothing'"):
        start_work(Starting(""), "i", starts=1)  # type: ignore[arg-type]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="containers have a proc, this machine has none")
def test_what_is_read_is_the_processor_time_of_the_first_process() -> None:
    from layerlab.probe import effort

    used = effort._USED.replace("/proc/1/", "/proc/self/")
    burn = f"import time, os\nwhile time.process_time() < 0.3: pass\n{used}"
    done = subprocess.run([sys.executable, "-c", burn], capture_output=True, text=True, check=True)
    assert 0.25 <= float(done.stdout) < 3
