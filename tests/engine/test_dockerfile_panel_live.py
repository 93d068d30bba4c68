"""The exercise panel with its real judge on a live engine: bad input, cancels, kills, two at once, a full disk.

Never a lost answer, a stuck panel or a lying verdict. How fast it is, `benchmarks/panel.py` measures.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from layerlab import exercises
from layerlab.engine import connect
from layerlab.engine.live import LiveEngine, ownership
from layerlab.engine.protocol import Engine
from layerlab.errors import AnswerError, BuildCancelled, DiskFull, ImageNotFound
from layerlab.exercises.kit.exercise import Exercise
from layerlab.lab.lab import course_root, open_lab
from layerlab.widgets import DockerfilePanel
from layerlab.work.identity import own_tag, work_id

NAME, TASK, QUESTION = "02_slim", "q4-change", "q4-change-file"
# A whole build with its container, on a machine that does other things too.
PATIENCE = 240.0
BEGAN = int(time.time())
AT_ONCE = 10.0

Open = Callable[..., DockerfilePanel]


@pytest.fixture
def mark() -> str:
    """A word that stands in no other build, so that what is left of this one can be told from other people's."""
    return f"mark-{uuid.uuid4().hex}"


@pytest.fixture
def open_panel(engine: Engine, tmp_path: Path) -> Open:
    """Open the panel of an exercise of its own on one work folder, as each kernel or notebook would."""

    def opened(*, on: Engine = engine, work: Path = tmp_path) -> DockerfilePanel:
        panel = opened_exercise(on, work).question(QUESTION)
        assert isinstance(panel, DockerfilePanel)
        return panel

    return opened


def opened_exercise(engine: Engine, work: Path) -> Exercise:
    return exercises.open(NAME, open_lab("exercises", engine=engine), work=work)


def tag_of(engine: Engine, work: Path) -> str:
    """The name that a build in this work folder gives its image."""
    return own_tag(f"ex02:{QUESTION}", work, namespace=engine.info.namespace)


def right(panel: DockerfilePanel) -> str:
    """The solution."""
    return panel.file.starter.replace("FROM python:${PY_MINOR}\n", "FROM python:${PY_MINOR}-slim\n")


def with_run(panel: DockerfilePanel, command: str) -> str:
    """The solution with one more step, before the service is copied."""
    return right(panel).replace("WORKDIR /srv\n", f"WORKDIR /srv\nRUN {command}\n")


def mute(panel: DockerfilePanel, command: str) -> str:
    """The same with a service that ends at once: builds, and is judged 20 s sooner than one that overhears SIGTERM."""
    return with_run(panel, command).replace('"notes.py"]', '"note.py"]')


def endless(panel: DockerfilePanel, mark: str) -> str:
    """The same with a step that is kept and one that never ends."""
    return mute(panel, f"echo {mark} > /kept").replace("EXPOSE", f"RUN sleep 300 # {mark}\nEXPOSE")


def judged(panel: DockerfilePanel, text: str) -> DockerfilePanel:
    panel.answer = text
    panel.build()
    panel.wait(PATIENCE)
    return panel


def shown(panel: DockerfilePanel) -> tuple[str, str] | None:
    """Name and status of the check that the verdict shows; None where all pass."""
    assert panel.verdicts is not None
    check = panel.verdicts.shown
    return (check.name, check.status) if check else None


def until(what: Callable[[], object], *, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def asleep(engine: Engine, mark: str) -> None:
    """Wait until the step or the service that bears the mark runs."""
    until(lambda: running(engine, mark), seconds=PATIENCE)


def running(engine: Engine, mark: str) -> list[str]:
    """Ids of containers whose command bears the mark, and of processes: a step of BuildKit's is in no container."""
    containers = [one["Id"] for one in engine.client.api.containers(all=True) if mark in one["Command"]]
    commands = ((one.pid, " ".join(one.info["cmdline"] or ())) for one in psutil.process_iter(["cmdline"]))
    return containers + [str(pid) for pid, command in commands if mark in command and pid != os.getpid()]


def images(engine: Engine, mark: str) -> set[str]:
    """Ids of images, intermediate ones too, with the mark in their history."""
    recent = [one["Id"] for one in engine.client.api.images(all=True) if one["Created"] >= BEGAN]
    return {image for image in recent if any(mark in word for word in history(engine, image))}


def history(engine: Engine, image: str) -> list[str]:
    try:
        return [str(entry.get("CreatedBy")) for entry in engine.history(image)]
    except ImageNotFound:  # somebody else's, gone meanwhile
        return []


# --- odd files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\x7fELF\x02\x01\0\0", "is no text"), (b"# a comment\n" * 84_000, "at most 100 kB")],
    ids=["binary", "1 MB"],
)
def test_a_file_that_is_no_text_is_refused_byte_for_byte(
    engine: Engine, open_panel: Open, tmp_path: Path, content: bytes, words: str
) -> None:
    open_panel().answer = right(open_panel())
    path = open_panel().file.path
    path.write_bytes(content)
    panel = open_panel()
    with pytest.raises(AnswerError, match=words):
        panel.build()
    verdicts = opened_exercise(engine, tmp_path).verdicts(TASK)
    assert (verdicts.shown and verdicts.shown.status, path.read_bytes(), panel.state) == ("FAIL", content, "idle")
    assert words in str(verdicts)


def test_an_empty_file_is_told_that_a_dockerfile_begins_with_from(open_panel: Open) -> None:
    panel = judged(open_panel(), "")
    assert shown(panel) == ("reads", "FAIL")
    assert "With which instruction does every Dockerfile begin?" in panel.text
    assert panel.file.path.read_bytes() == b""


def test_windows_line_endings_and_tabs_build_and_pass(open_panel: Open, mark: str) -> None:
    panel = open_panel()
    text = with_run(panel, f"echo {mark} \\\n\t\t&& true\t").replace("COPY ", "\tCOPY\t").replace("EXPOSE ", "EXPOSE\t")
    panel.file.path.parent.mkdir(parents=True, exist_ok=True)
    panel.file.path.write_bytes(text.replace("\n", "\r\n").encode())
    panel = open_panel()
    panel.build()
    assert panel.wait(PATIENCE).all_pass, panel.text
    assert panel.file.path.read_bytes() == text.replace("\n", "\r\n").encode()
    assert panel.is_verdict_on_this_text


def test_two_works_on_one_engine_never_take_each_other_s_name(
    engine: Engine, open_panel: Open, tmp_path: Path, mark: str
) -> None:
    built = {}
    for learner in ("ada", "grace"):
        panel = judged(open_panel(work=tmp_path / learner), mute(open_panel(), f"echo {mark} {learner}"))
        assert shown(panel) == ("serves", "FAIL"), panel.text
        assert work_id(tmp_path / learner) not in panel.text
        built[learner] = engine.inspect(tag_of(engine, tmp_path / learner))["Id"]
    assert built["ada"] != built["grace"]
    assert built == {learner: engine.inspect(tag_of(engine, tmp_path / learner))["Id"] for learner in built}
    # A later session of the same learner moves the name that is theirs, and no other one.
    judged(open_panel(work=tmp_path / "ada"), mute(open_panel(), f"echo {mark} again"))
    again = {learner: engine.inspect(tag_of(engine, tmp_path / learner))["Id"] for learner in built}
    assert again["grace"] == built["grace"] and again["ada"] != built["ada"]


# --- cancelled ---------------------------------------------------------------------------------------------


def test_a_cancelled_build_frees_the_panel_leaves_nothing_and_spoils_nothing(
    engine: Engine, open_panel: Open, tmp_path: Path, mark: str
) -> None:
    panel = open_panel()
    panel.answer = endless(panel, mark)
    panel.build()
    asleep(engine, f"sleep 300 # {mark}")
    began = time.monotonic()
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(PATIENCE)
    assert time.monotonic() - began < AT_ONCE
    assert (panel.state, panel.verdicts, panel.attempts()) == ("cancelled", None, ())
    # At once, while the engine is still clearing away: what the steps before left is no longer to be built upon.
    judged(panel, mute(panel, f"echo {mark} > /kept"))
    assert shown(panel) == ("serves", "FAIL"), panel.text
    until(lambda: not running(engine, mark), seconds=20)
    assert images(engine, mark) == {engine.inspect(tag_of(engine, tmp_path))["Id"]}


def test_a_cancelled_build_that_nothing_follows_leaves_no_image(
    engine: LiveEngine, open_panel: Open, mark: str
) -> None:
    panel = open_panel()
    panel.answer = endless(panel, mark)
    panel.build()
    asleep(engine, f"sleep 300 # {mark}")
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(PATIENCE)
    until(lambda: not running(engine, mark), seconds=30)
    assert not images(engine, mark)


def test_a_build_that_prints_without_end_hears_a_cancel(engine: Engine, open_panel: Open, mark: str) -> None:
    panel = open_panel()
    panel.answer = with_run(panel, f"yes {mark}")
    panel.build()
    # BuildKit cuts the output of a step at 200 KiB a second and 2 MiB in all (moby/buildkit, util/progress/logs).
    until(lambda: panel.progress.lines_seen > 1_000, seconds=PATIENCE)
    began = time.monotonic()
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(PATIENCE)
    assert time.monotonic() - began < AT_ONCE
    until(lambda: not running(engine, mark) and not images(engine, mark), seconds=30)


def test_a_cancel_while_the_service_is_asked_frees_the_panel_and_ends_the_service(
    engine: Engine, open_panel: Open, mark: str
) -> None:
    panel = open_panel()
    panel.answer = right(panel).replace('"notes.py"]', f'"notes.py", "{mark}"]')
    panel.build()
    asleep(engine, mark)
    began = time.monotonic()
    panel.cancel()
    with pytest.raises(BuildCancelled):
        panel.wait(PATIENCE)
    judged(panel, "")
    assert time.monotonic() - began < AT_ONCE
    assert shown(panel) == ("reads", "FAIL")
    assert [tried.failing for tried in panel.attempts()] == ["reads"]
    until(lambda: not running(engine, mark))


# --- 100 MB of output --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["yes {} | head -c 100000000", "head -c 100000000 /dev/zero | tr '\\0' x"])
def test_a_hundred_megabytes_of_output_take_little_memory(open_panel: Open, mark: str, command: str) -> None:
    panel = open_panel()
    text = with_run(panel, f"{command.format(f'{mark} ' * 5)}; echo; echo {mark}; exit 3")
    before = peak_bytes(anew=True)
    judged(panel, text)
    grown = peak_bytes() - before
    assert shown(panel) == ("builds", "FAIL")
    assert "line 5" in panel.text
    assert mark in panel.progress.log_text.splitlines()[-2]
    assert len(panel.text) < 10_000
    assert grown < 60_000_000


def peak_bytes(*, anew: bool = False) -> int:
    """The most memory that this process has held, since it was asked anew (proc(5): clear_refs, VmHWM)."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


# --- the file changes, two panels, two clicks --------------------------------------------------------------


@pytest.mark.parametrize("change", ["edit", "delete", "type"])
def test_a_file_changed_in_mid_build_gets_no_verdict_that_is_not_its_own(
    engine: Engine, open_panel: Open, mark: str, change: str
) -> None:
    panel = open_panel()
    slow = with_run(panel, f"sleep 2; exit 3 # {mark}")
    panel.answer = slow
    panel.build()
    asleep(engine, mark)
    wrong = slow.replace("-slim", "-slimm")
    if change == "edit":
        panel.file.path.write_text(wrong)
    elif change == "delete":
        panel.file.path.unlink()
    else:
        panel.value = wrong
    verdicts = panel.wait(PATIENCE)
    assert (shown(panel), panel.judged_text) == (("builds", "FAIL"), slow)
    assert verdicts.title.startswith("Verdict on an earlier text")
    assert panel.value == (wrong if change == "type" else slow)
    panel.keep_mine()
    assert panel.file.path.read_text() == panel.value
    assert panel.is_verdict_on_this_text == (change != "type")
    panel.value = wrong
    panel.build()
    assert panel.wait(PATIENCE).title.startswith("Verdict on Dockerfile as saved")
    assert shown(panel) == ("base named", "FAIL")


def test_two_panels_at_once_each_judge_their_own_text(open_panel: Open, mark: str) -> None:
    one, other = open_panel(), open_panel()
    failing, other_text = with_run(one, f"sleep 2; echo {mark}; exit 3"), mute(one, f"sleep 2; echo {mark}")
    one.answer = failing
    one.build()
    with pytest.raises(AnswerError, match="was changed on disk"):
        other.answer = other_text
    other.keep_mine()
    other.build()
    assert (one.state, other.state) == ("building", "building")
    one.wait(PATIENCE), other.wait(PATIENCE)
    assert (one.judged_text, shown(one)) == (failing, ("builds", "FAIL"))
    assert (other.judged_text, shown(other)) == (other_text, ("serves", "FAIL"))
    one.look()
    assert (one.is_verdict_on_this_text, other.is_verdict_on_this_text) == (False, True)
    assert {tried.failing for tried in open_panel().attempts()} == {"builds", "serves"}


def test_a_second_click_builds_nothing(open_panel: Open, mark: str) -> None:
    panel = open_panel()
    panel.answer = with_run(panel, f"sleep 1; echo {mark}; exit 3")
    clicks = [threading.Thread(target=panel.build) for _ in range(4)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    panel.wait(PATIENCE)
    assert (panel.judgements, len(panel.attempts())) == (1, 1)


# --- a full disk -------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"A small disk of its own needs the right to mount one. {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filler"
    with pytest.raises(OSError, match="No space left"), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return path


def test_a_full_disk_loses_no_text_and_no_verdict(open_panel: Open, small_disk: Path) -> None:
    panel = open_panel(work=small_disk)
    wrong = right(panel).replace("-slim", "-slimm")
    panel.answer = wrong
    filler = fill(small_disk)
    panel.value = right(panel)
    with pytest.raises(DiskFull, match="make room"):
        panel.build()
    assert (panel.value, panel.file.path.read_text(), panel.state) == (right(panel), wrong, "idle")
    panel.value = wrong
    panel.build()
    panel.wait(PATIENCE)
    assert (panel.state, shown(panel)) == ("judged", ("base named", "FAIL"))
    assert "No space is left" in panel.status
    filler.unlink()
    nothing = judged(panel, "")
    assert (shown(nothing), panel.file.path.read_text()) == (("reads", "FAIL"), "")
    assert [tried.failing for tried in open_panel(work=small_disk).attempts()] == ["base named", "reads"]


# --- a kernel that dies, an engine that is not there -------------------------------------------------------


KERNEL = """
from pathlib import Path
from typing import Any
from layerlab import exercises
from layerlab.lab.lab import open_lab
from layerlab.engine.live import LiveEngine
engine = LiveEngine.open({endpoint!r}, kind={kind!r}, why="test")
exercise = exercises.open({name!r}, open_lab("exercises", engine=engine), work=Path({work!r}))
panel = exercise.question({question!r})
panel.answer = {text!r}
panel.build()
"""


def test_a_kernel_killed_in_mid_build_leaves_the_text_and_no_attempt(
    engine: Engine, open_panel: Open, tmp_path: Path, mark: str
) -> None:
    text = endless(open_panel(), mark)
    info = engine.info
    program = KERNEL.format(
        endpoint=info.endpoint, kind=info.kind, name=NAME, work=str(tmp_path), question=QUESTION, text=text
    )
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(course_root()))
    try:
        reply = client.execute(program, reply=True, timeout=PATIENCE)
        assert reply["content"]["status"] == "ok", reply["content"]
        asleep(engine, f"sleep 300 # {mark}")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)  # SIGKILL
    until(lambda: not running(engine, mark), seconds=20)
    panel = open_panel()
    assert (panel.value, panel.answer, panel.state) == (text, text, "idle")
    assert panel.attempts() == ()
    ownership.settle_cut_short(engine.client.api)
    assert not images(engine, mark)
    judged(panel, mute(panel, f"echo {mark} > /kept"))
    assert shown(panel) == ("serves", "FAIL"), panel.text


def test_an_engine_that_is_gone_gives_a_skip_with_what_the_text_shows(
    engine: Engine, open_panel: Open, cut_socket: Any
) -> None:
    panel = open_panel(on=LiveEngine.open(f"unix://{cut_socket.path}", kind=engine.info.kind, why="test"))
    cut_socket.cut()
    judged(panel, right(panel))
    assert panel.verdicts is not None
    assert [(check.name, check.status) for check in panel.verdicts] == [
        ("reads", "PASS"), ("base named", "PASS"), ("builds", "SKIP"),
    ]  # fmt: skip
    assert (panel.state, panel.sizes) == ("judged", None)
    assert "engine" in panel.verdicts.check("builds").why


def test_an_engine_that_dies_in_mid_build_gives_a_skip_and_nothing_of_it_goes_on(
    engine: Engine, open_panel: Open, cut_socket: Any, mark: str
) -> None:
    panel = open_panel(on=LiveEngine.open(f"unix://{cut_socket.path}", kind=engine.info.kind, why="test"))
    panel.answer = with_run(panel, f"sleep 300 # {mark}")
    panel.build()
    asleep(engine, mark)
    cut_socket.cut()
    panel.wait(PATIENCE)
    assert shown(panel) == ("builds", "SKIP")
    until(lambda: not running(engine, mark), seconds=20)


def test_what_was_never_recorded_gives_a_skip(open_panel: Open, mark: str) -> None:
    panel = open_panel(on=connect("recorded"))
    judged(panel, with_run(panel, f"echo {mark}"))
    assert panel.verdicts is not None
    assert [check.status for check in panel.verdicts] == ["PASS", "PASS", "SKIP"]
    assert shown(panel) == ("builds", "SKIP")
    assert (panel.state, panel.sizes, panel.verdicts.all_pass) == ("judged", None, False)
