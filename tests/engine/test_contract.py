"""What every engine owes the course, asked of the live one. `tests/recorded` asks the same of the recordings."""

from __future__ import annotations

import io
import socket
import tarfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from asking import asked

from layerlab import build, events, probe
from layerlab.context import BuildContext
from layerlab.engine.protocol import Limits, StartRequest
from layerlab.errors import (
    BuildCancelled,
    BuildFailed,
    ContextError,
    DockerfileError,
    DoesNotServe,
    EngineGone,
    ImageNotFound,
    PortTaken,
)
from layerlab.image import shared_prefix
from layerlab.inspection.sizes import store_of

SERVER = """\
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
        self.wfile.write(b"fine")
http.server.HTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def server(engine, slim, tmp_path_factory) -> build.BuildResult:
    folder = tmp_path_factory.mktemp("server")
    (folder / "server.py").write_text(SERVER)
    dockerfile(folder, f'FROM {slim}\nCOPY server.py /\nEXPOSE 8000\nCMD ["python", "-u", "/server.py"]\n')
    return build.build(engine, asked(folder, tag="layerlab/contract:server"))


def dockerfile(folder: Path, text: str) -> Path:
    (folder / "Dockerfile").write_text(text)
    return folder


def things(engine) -> tuple[set[str], set[str]]:
    """Every image id (intermediate ones too) and container id that the engine holds."""
    images = set(engine.client.api.images(all=True, quiet=True))
    return images, {one["Id"] for one in engine.client.api.containers(all=True)}


def test_info_says_what_it_is_and_why(engine):
    info = engine.info
    assert info.is_live
    assert info.version[0].isdigit()
    assert info.platform.startswith("linux/")
    assert info.why


def test_build_gives_steps_image_and_layers(engine, slim, tmp_path):
    marker = str(time.time_ns())
    text = f'FROM {slim}\nENV A=1\nRUN echo {marker} > /marker\nCMD ["cat", "/marker"]\n'
    seen: list[events.Event] = []
    result = build.build(
        engine, asked(dockerfile(tmp_path, text), tag="layerlab/contract:steps", no_cache=True), on_event=seen.append
    )
    told = [(step.line, step.keyword) for step in result.steps]
    # BuildKit makes no step of what changes no file.
    everything = [(1, "FROM"), (2, "ENV"), (3, "RUN"), (4, "CMD")]
    assert told == ([(1, "FROM"), (3, "RUN")] if engine.info.builder == "buildkit" else everything)
    assert isinstance(seen[-1], events.Succeeded)
    assert result.image.id == engine.inspect("layerlab/contract:steps")["Id"].replace("sha256:", "sha256:")
    assert result.image.tags == ("layerlab/contract:steps",)
    base = build.image(engine, slim)
    assert shared_prefix(result.image.diff_ids, base.diff_ids) == len(base.diff_ids)
    (added,) = result.image.layers_added_to(base)
    assert added.instruction == f"RUN echo {marker} > /marker"
    assert engine.run("layerlab/contract:steps").output.strip() == marker


def test_a_layer_is_as_large_as_the_files_it_adds(engine, slim, tmp_path):
    result = build.build(engine, asked(dockerfile(tmp_path, f"FROM {slim}\nRUN echo {time.time_ns()} > /marker\n")))
    assert result.image.added_bytes(build.image(engine, slim)) == len(str(time.time_ns())) + 1


def test_a_second_build_comes_from_the_cache(engine, slim, tmp_path):
    folder = dockerfile(tmp_path, f"FROM {slim}\nRUN echo cached > /cached\n")
    first = build.build(engine, asked(folder))
    second = build.build(engine, asked(folder))
    assert second.image.id == first.image.id
    assert [step.is_cached for step in second.steps] == [False, True]


def test_image_size_is_the_sum_of_its_layers(engine, server):
    assert server.image.size_bytes == sum(layer.size_bytes for layer in server.image.layers)
    assert server.image.layer_sizes is not None
    if store_of(engine.info) == "classic":  # another store's own figure counts packed layers
        assert server.image.engine_size_bytes == pytest.approx(server.image.size_bytes, rel=0.01)


def test_a_failing_run_says_step_line_code_and_last_words(engine, slim, tmp_path):
    folder = dockerfile(tmp_path, f"FROM {slim}\n\nRUN echo first && echo the-last-words && exit 7\n")
    with pytest.raises(BuildFailed) as caught:
        build.build(engine, asked(folder))
    error = caught.value
    assert (error.step, error.line, error.exit_code) == (2, 3, 7)
    assert "the-last-words" in error.log_tail
    assert "line 3" in str(error)


def test_a_bad_dockerfile_says_line_and_column(engine, tmp_path):
    with pytest.raises(DockerfileError) as caught:
        build.build(engine, asked(dockerfile(tmp_path, "FROM scratch\n  RUNN true\n")))
    assert caught.value.line == 2
    assert caught.value.column is not None


def test_a_missing_context_file_is_named_with_its_line(engine, slim, tmp_path):
    with pytest.raises(ContextError, match=r"Line 2 .*nowhere\.txt"):
        build.build(engine, asked(dockerfile(tmp_path, f"FROM {slim}\nCOPY nowhere.txt /\n")))


def test_a_base_that_does_not_exist_fails_at_its_step(engine, tmp_path):
    with pytest.raises(BuildFailed) as caught:
        build.build(engine, asked(dockerfile(tmp_path, "FROM layerlab/there-is-no-such-base:1\n")))
    assert caught.value.step == 1


def test_cancel_ends_a_run_soon_and_leaves_nothing(engine, slim, tmp_path):
    if engine.info.builder == "buildah":
        pytest.skip("Podman lets the command of a RUN come to its end though the client has hung up")
    folder = dockerfile(tmp_path, f"FROM {slim}\nRUN sleep 60\n")
    before = things(engine)
    begun = build.begin(engine, asked(folder, no_cache=True))
    cancelled_at: list[float] = []

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.StepStarted) and event.number == 2:

            def cancel() -> None:
                cancelled_at.append(time.monotonic())
                begun.cancel()

            threading.Timer(1.0, cancel).start()

    with pytest.raises(BuildCancelled):
        begun.run(on_event)
    assert time.monotonic() - cancelled_at[0] < 8
    assert things(engine) == before


def test_an_interrupted_kernel_cancels_the_build(engine, slim, tmp_path):
    folder = dockerfile(tmp_path, f"FROM {slim}\nRUN sleep 60\n")
    before = things(engine)

    def interrupt(event: events.Event) -> None:
        if isinstance(event, events.StepStarted) and event.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.build(engine, asked(folder, no_cache=True), on_event=interrupt)
    assert things(engine) == before


def test_cancel_during_a_commit_leaves_a_step_that_clean_knows(engine, slim, tmp_path):
    text = f"FROM {slim}\nRUN head -c 200000000 /dev/zero > /big && echo written\nRUN sleep 60\n"
    before = things(engine)
    begun = build.begin(engine, asked(dockerfile(tmp_path, text), no_cache=True))

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.StepOutput) and event.text == "written":
            begun.cancel()

    with pytest.raises(BuildCancelled):
        begun.run(on_event)
    images, containers = things(engine)
    assert containers == before[1]
    left = images - before[0]
    assert len(left) <= 1
    assert left <= engine.journal.owned().leftovers
    for image in left:
        engine.client.api.remove_image(image, noprune=True)


def test_steps_of_a_cancelled_build_that_had_ended_are_build_cache(engine, slim, tmp_path):
    folder = dockerfile(tmp_path, f"FROM {slim}\nWORKDIR /cancelled\nRUN echo one\nRUN echo two; sleep 1\n")
    build.build(engine, asked(folder))
    begun = build.begin(engine, asked(folder, no_cache=True))

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.StepOutput) and event.text == "two":
            begun.cancel()

    with pytest.raises(BuildCancelled):
        begun.run(on_event)
    again = build.build(engine, asked(folder))
    assert [step.is_cached for step in again.steps[:3]] == [False, True, True]


def test_cancelling_twice_or_late_is_harmless(engine, slim, tmp_path):
    begun = build.begin(engine, asked(dockerfile(tmp_path, f"FROM {slim}\n")))
    result = begun.run()
    begun.cancel()
    begun.cancel()
    assert result.image.diff_ids == build.image(engine, slim).diff_ids


def test_two_containers_of_one_image_do_not_share_files(engine, slim):
    with (
        engine.start(StartRequest(image=slim, command=["sleep", "60"])) as first,
        engine.start(StartRequest(image=slim, command=["sleep", "60"])) as second,
    ):
        assert first.id != second.id
        assert first.exec(["sh", "-c", "echo hello > /note"]).exit_code == 0
        assert first.exec(["cat", "/note"]).output.strip() == "hello"
        assert second.exec(["cat", "/note"]).exit_code != 0


def test_a_missing_program_is_an_exit_code(engine, slim):
    assert engine.run(slim, ["there-is-no-such-program"]).exit_code == 127
    with engine.start(StartRequest(image=slim, command=["sleep", "60"])) as container:
        assert container.exec(["there-is-no-such-program"]).exit_code in (126, 127)


def test_run_returns_code_and_both_streams(engine, slim):
    result = engine.run(slim, ["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert result.exit_code == 3
    assert {"out", "err"} <= set(result.output.split())


def test_a_service_answers_and_stops_on_sigterm(engine, server):
    found = probe.probe(engine, server.tag, stopping=True)
    assert dict(found.answers)["/health"].status == 200
    assert dict(found.answers)["/"].status == 404
    assert not found.serves
    assert found.uid == 0
    assert found.stopped_with == 0
    assert found.stop_seconds < 5


def test_an_engine_elsewhere_is_asked_from_inside(engine, server):
    with engine.start(StartRequest(image=server.tag, ports=(8000,))) as container:
        container.request("/health")
        container._endpoint = "tcp://engine.invalid:2376"
        answer = container._ask("/health", 8000)
    assert (answer.status, answer.body) == (200, "fine")


def test_a_port_that_was_not_published_is_an_error_that_says_so(engine, server):
    with engine.start(StartRequest(image=server.tag)) as container, pytest.raises(DoesNotServe, match="not published"):
        container.request("/health", wait_seconds=2)


def test_a_container_that_ends_is_not_waited_for(engine, slim):
    began = time.monotonic()
    command = ["sh", "-c", "echo cannot find my config >&2; exit 3"]
    with (
        engine.start(StartRequest(image=slim, command=command, ports=(8000,))) as container,
        pytest.raises(DoesNotServe) as caught,
    ):
        container.request("/health", wait_seconds=30)
    assert time.monotonic() - began < 10
    assert "exit code 3" in str(caught.value)
    assert "cannot find my config" in str(caught.value)


def test_a_container_gets_no_more_processes_than_it_is_given(engine, slim):
    fork = ["sh", "-c", "for _ in 1 2 3 4 5 6; do sleep 3 & done; echo forked"]
    limited = StartRequest(image=slim, command=["sleep", "60"], limits=Limits(pids=4))
    with engine.start(limited) as few, engine.start(replace(limited, limits=Limits())) as many:
        refused = few.exec(fork)
        assert refused.exit_code != 0 and "forked" not in refused.output
        assert many.exec(fork).output.strip() == "forked"


def test_a_container_gets_no_more_memory_and_processor_than_it_is_given(engine, slim):
    limits = Limits(memory_bytes=64 << 20, cpus=0.5)
    with engine.start(StartRequest(image=slim, command=["sleep", "60"], limits=limits)) as container:
        host = engine.client.containers.get(container.id).attrs["HostConfig"]
        assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (64 << 20, 64 << 20, 500_000_000)
        take = "taken = bytearray({} << 20); print(len(taken))"
        assert container.exec(["python", "-c", take.format(16)]).exit_code == 0
        assert container.exec(["python", "-c", take.format(256)]).exit_code == 137, "killed"


def test_a_taken_port_is_named_and_nothing_stays(engine, server):
    before = things(engine)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            engine.start(StartRequest(image=server.tag, ports={8000: port}))
    assert things(engine) == before


def test_save_streams_an_image_archive(engine, slim):
    archive = io.BytesIO(b"".join(engine.save(slim)))
    with tarfile.open(fileobj=archive) as tar:
        assert "manifest.json" in tar.getnames()


def test_an_unknown_image_is_not_found(engine):
    gone = "layerlab/there-is-no-such-image:1"
    for verb in (engine.inspect, engine.history, engine.run, engine.remove):
        with pytest.raises(ImageNotFound, match="there-is-no-such-image"):
            verb(gone)
    with pytest.raises(ImageNotFound, match="there-is-no-such-image"):
        engine.start(StartRequest(image=gone))


def test_an_engine_that_goes_away_in_mid_build_is_said_so(engine, slim, tmp_path, cut_socket):
    from layerlab.engine.live import LiveEngine

    relayed = LiveEngine.open(f"unix://{cut_socket.path}", kind="docker", why="test")

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.StepStarted) and event.number == 2:
            cut_socket.cut()

    context = BuildContext.open(dockerfile(tmp_path, f"FROM {slim}\nRUN sleep 20\n"))
    with pytest.raises(EngineGone, match="stopped answering"):
        build.build(relayed, asked(context, no_cache=True), on_event=on_event)
