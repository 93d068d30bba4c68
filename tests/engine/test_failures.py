"""What goes wrong with engines, on engines of our own that may be killed and filled: its own error, nothing left."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import second_engine
from asking import asked

import layerlab
from layerlab import build, events
from layerlab.engine import private
from layerlab.engine.journal import Journal
from layerlab.engine.live import LiveEngine, belongings
from layerlab.engine.private import process
from layerlab.errors import BuildFailed, DiskFull, EngineGone, EnginePermission, EngineUnreachable

pytestmark = pytest.mark.skipif(
    not second_engine.is_possible(),
    reason=second_engine.WANTED,
)

BASE = "layerlab/tools:latest"
PROGRAMS = ("/bin/sh", "/bin/sleep", "/bin/cat", "/bin/dd")
# Less than the course wants, which is what the test is about.
START_ON_A_SMALL_DISK = (
    "from layerlab.engine.private import preflight; preflight.WANTED_FREE_BYTES = 0\n" + second_engine.START
)
SMALL_DISK_BYTES = 400_000_000


@pytest.fixture(scope="module")
def engine(where: private.Paths, start: Callable[[], list[str]]) -> Iterator[LiveEngine]:
    """An engine that may be killed, holding one image made of the host's programs."""
    start()
    with opened(where) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold that what a test leaves on the engine is all in the journal, so that `clean` takes it away."""
    if "engine" not in request.fixturenames:
        yield
        return
    engine = request.getfixturevalue("engine")
    before = things(engine)
    yield
    belongings.remove(engine)
    remove_leftovers(engine)
    assert things(engine) == before


@contextmanager
def opened(where: private.Paths) -> Iterator[LiveEngine]:
    with second_engine.client(where) as user:
        second_engine.import_image(user, "layerlab/tools", *PROGRAMS)
    # As somebody's own engine: names are asked for, and only our own containers' images may be swept away.
    engine = LiveEngine.open(where.url, kind="docker", why="test")
    try:
        yield engine
    finally:
        engine.close()


def remove_leftovers(engine: LiveEngine) -> None:
    """Remove what `clean` has named and left: steps on a base that is not the course's.

    An engine that is killed also leaves the container in which its builder was at work.
    """
    left = belongings.leftovers(engine)
    for container in engine.client.api.containers(all=True):
        if container["ImageID"] in left:
            engine.client.api.remove_container(container["Id"])
    for image in left:
        engine.client.api.remove_image(image, noprune=True)


def things(engine: LiveEngine) -> tuple[set[str], set[str]]:
    """Every image id (intermediate ones too) and container id that the engine holds."""
    images = set(engine.client.api.images(all=True, quiet=True))
    return images, {one["Id"] for one in engine.client.api.containers(all=True)}


def kill(where: private.Paths) -> None:
    daemon = process.daemon(where)
    assert daemon
    daemon.kill()
    # The process may be a zombie already while the kernel is still closing what it had open.
    second_engine.until(lambda: refuses(where.socket) and not process.is_alive(daemon))


def refuses(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asked:
        return asked.connect_ex(str(path)) == errno.ECONNREFUSED


def dockerfile(folder: Path, *instructions: str) -> Path:
    (folder / "Dockerfile").write_text("\n".join((f"FROM {BASE}", *instructions, "")))
    return folder


# --- an engine that is killed -------------------------------------------------------------------


def test_an_engine_killed_in_mid_build_says_so_and_the_next_build_works(
    engine: LiveEngine, where: private.Paths, start: Callable[[], list[str]], tmp_path: Path
) -> None:
    folder = dockerfile(tmp_path, "ENV A=1", "RUN echo slow && sleep ${SECONDS_TO_SLEEP:-60}")

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.StepOutput) and event.text == "slow":
            kill(where)

    with pytest.raises(EngineGone) as caught:
        build.build(engine, asked(folder, tag="layerlab/killed:1"), on_event=on_event)
    assert f"The engine at {where.url} stopped answering in the middle" in str(caught.value)
    assert "Start it again (`layerlab doctor` says how) and run this cell once more" in str(caught.value)
    with pytest.raises(EngineUnreachable, match="layerlab engine start"):
        build.build(engine, asked(folder))

    start()
    dockerfile(folder, "ENV A=1", "RUN echo quick && sleep 0")
    after = build.build(engine, asked(folder, tag="layerlab/killed:1"))  # the notebook's own connection, as before
    assert [step.instruction for step in after.ran] == ["RUN echo quick && sleep 0"]
    assert engine.run("layerlab/killed:1", ["/bin/sh", "-c", "echo $A"]).output.strip() == "1"


def test_an_engine_killed_while_the_context_is_sent(
    engine: LiveEngine, where: private.Paths, start: Callable[[], list[str]], tmp_path: Path
) -> None:
    """The engine goes while it takes the files of the build: the request breaks in the middle."""
    (tmp_path / "large").write_bytes(os.urandom(50_000_000))
    sending = False
    with pytest.raises(EngineGone, match="Start it again"):
        for event in engine.build(asked(dockerfile(tmp_path, "COPY large /large"))):
            statuses = event.data.get("statuses") or ()
            if not sending and any(one["id"].startswith("transferring context") for one in statuses):
                sending = True
                kill(where)
    assert sending
    start()
    assert build.build(engine, asked(tmp_path)).steps[-1].instruction == "COPY large /large"


# --- a full disk ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEngine]:
    """An engine whose data lie on a disk of 400 MB."""
    with small_disk(tmp_path_factory.mktemp("s")) as disk, second_engine.namespace() as holder:
        try:
            with its_data(disk):
                second_engine.start(holder, START_ON_A_SMALL_DISK)
                where = private.paths()
            with opened(where) as engine:
                yield engine
        finally:
            with its_data(disk):
                private.purge()


@contextmanager
def its_data(folder: Path) -> Iterator[None]:
    # Not for the whole module: the other engine of this module is found by the same variable.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERLAB_DATA", str(folder))
        yield


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Give a data folder in which the engine's images lie on a disk of their own, and its programs do not."""
    with its_data(folder):
        disk = private.paths().data_root
    image = folder / "disk.img"
    with image.open("wb") as file:
        file.truncate(SMALL_DISK_BYTES)
    disk.mkdir(parents=True)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(disk)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small disk needs a loop device: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    "fill",
    [
        "RUN dd if=/dev/zero of=/large bs=1M count=500",
        "COPY large /large",
    ],
    ids=["by a RUN", "by the context"],
)
def test_a_full_disk_says_what_to_do_and_leaves_nothing(full: LiveEngine, tmp_path: Path, fill: str) -> None:
    if fill.startswith("COPY"):
        with (tmp_path / "large").open("wb") as file:
            file.truncate(SMALL_DISK_BYTES)
    before = things(full)
    with pytest.raises(DiskFull) as caught:
        build.build(full, asked(dockerfile(tmp_path, fill), tag="layerlab/full:1"))
    assert "disk is full" in str(caught.value)
    assert "`layerlab clean`" in str(caught.value)
    assert "`docker builder prune`" in str(caught.value)
    assert things(full) == before
    full.client.api.prune_builds()  # BuildKit keeps the files that it was sent
    dockerfile(tmp_path, "RUN echo there is room again > /small")
    (tmp_path / "large").unlink(missing_ok=True)
    assert build.build(full, asked(tmp_path)).image.id
    belongings.remove(full)
    assert things(full) == before


def test_an_ordinary_failure_is_no_full_disk(engine: LiveEngine, tmp_path: Path) -> None:
    folder = dockerfile(tmp_path, "RUN echo no space left on device, she said; echo but it went on; exit 3")
    with pytest.raises(BuildFailed, match="Step 2 of 2 failed"):
        build.build(engine, asked(folder))


# --- sockets ----------------------------------------------------------------------------------------


def test_the_socket_of_an_engine_that_was_killed_is_unreachable(
    engine: LiveEngine, where: private.Paths, start: Callable[[], list[str]]
) -> None:
    kill(where)
    assert where.socket.exists()  # a killed engine leaves its socket's file
    with pytest.raises(EngineUnreachable, match=f"No engine answers at {where.url}"):
        LiveEngine.open(where.url, kind="private", why="test")
    start()


AS_NOBODY = """
import os, sys
from layerlab.engine.live import LiveEngine
from layerlab.errors import LayerLabError
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    LiveEngine.open(sys.argv[1], kind="docker", why="test")
except LayerLabError as error:
    print(type(error).__name__, error)
"""


def test_another_user_may_not_open_the_engine(engine: LiveEngine, where: private.Paths) -> None:
    told = subprocess.check_output([sys.executable, "-c", AS_NOBODY, where.url], text=True)
    assert told.startswith(f"{EnginePermission.__name__} The engine's socket at {where.url} may not be opened")


# --- two checkouts ----------------------------------------------------------------------------------

# Steps that run nothing take a moment only, so the builds of the two end on top of each other.
ROUNDS = 20
CHECKOUT = """
import json, sys, time
from pathlib import Path
import layerlab
from layerlab import build
from layerlab.context import BuildContext
from layerlab.engine.live import LiveEngine
from layerlab.engine.protocol import BuildRequest
endpoint, folder, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
engine = LiveEngine.open(endpoint, kind="docker", why="test")
(folder / "ready").touch()
while not (folder.parent / "go").exists():
    time.sleep(0.001)
made = []
for number in range(rounds):
    text = f"FROM layerlab/tools:latest\\nENV WHO={folder.name} ROUND={number}\\n"
    (folder / "Dockerfile").write_text(text)
    request = BuildRequest(context=BuildContext.open(folder), tag="layerlab/shared:1")
    made.append(build.build(engine, request).image.id)
print(json.dumps({"code": layerlab.__file__, "made": made}))
"""


def test_two_checkouts_build_the_same_name_at_once(engine: LiveEngine, where: private.Paths, tmp_path: Path) -> None:
    runs = [checkout(tmp_path / name, where) for name in ("a", "b")]
    second_engine.until(lambda: all((tmp_path / name / "ready").exists() for name in ("a", "b")), seconds=30)
    (tmp_path / "go").touch()
    outputs = [run.communicate(timeout=240) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    told = [json.loads(output) for output, _ in outputs]
    # Really two copies of the code:
    assert [Path(one["code"]).is_relative_to(tmp_path / name) for name, one in zip("ab", told, strict=True)] == [
        True
    ] * 2
    made = {image for one in told for image in one["made"]}
    assert len(made) == 2 * ROUNDS
    assert_intact(engine.journal, lines_at_least=2 * ROUNDS)
    owned = engine.journal.owned()
    assert made <= owned.images
    assert owned.tags["layerlab/shared:1"] == engine.inspect("layerlab/shared:1")["Id"]
    assert owned.tags["layerlab/shared:1"] in {one["made"][-1] for one in told}


def checkout(folder: Path, where: private.Paths) -> subprocess.Popen[str]:
    """Begin the builds of one checkout, which has a copy of the library of its own."""
    source = Path(layerlab.__file__).parent
    shutil.copytree(source, folder / "code/layerlab", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", CHECKOUT, where.url, str(folder), str(ROUNDS)]
    environment = {**os.environ, "PYTHONPATH": str(folder / "code")}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder
    )


def assert_intact(journal: Journal, *, lines_at_least: int) -> None:
    """Every line is whole: none lost its end, and no two were written into each other."""
    lines = journal.path.read_text().splitlines()
    assert len(lines) >= lines_at_least
    for line in lines:
        said = set(json.loads(line)) - {"run", "edition", "about"}
        assert said in ({"own", "id"}, {"own", "id", "image"}, {"gone", "id"})
