"""What every test stands on: answers in a folder of their own, and a live engine only for those that ask for one.

Nothing here speaks to an engine while tests are collected.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from strangers import Strangers
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from layerlab.engine.journal import RUN
from layerlab.engine.protocol import Engine
from layerlab.errors import LayerLabError

TESTS = Path(__file__).parent
# Cheap before dear: a broken parser should be told in seconds, not after the builds that it breaks as well.
ORDER = ("unit", "repository", "recorded", "engine", "notebooks", "browser")
# What one worker does alone when tests run side by side, told by their ids: some compare what an engine holds before
# and after, so that only one test at a time may build on it; others share a server or a pass over many notebooks.
ENGINE = "live engine"
ALONE = {
    ENGINE: re.compile(r"[^\[]*(tests/engine/|_on_an_engine\.py::)"),
    "pages": re.compile(r"[^\[]*tests/browser/"),
}
PASS = re.compile(r"[^\[]*/test_run\.py::\w+\[((?:live|recorded)-[a-z]+)-")
# The course itself on the live engine. Any worker may do a part of it, as learners do who share an engine, but only
# when the engine's own tests are over.
LIVE_COURSE = re.compile(r"[^\[]*tests/notebooks/[^\[]*\[([^\[]+-)?live[\]-]")

# How many examples a property is shown; `generated.examples` keeps those that name a number of their own in step.
# A deadline would tell how busy the machine is.
for _profile, _examples in {"check": 10, "full": 100, "nightly": 1000}.items():
    settings.register_profile(_profile, max_examples=_examples, deadline=None)
settings.load_profile("full")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option with which CI makes sure that the live tests have run."""
    parser.addoption(
        "--require-engine",
        action="store_true",
        help="a test that needs a live engine fails where none answers, instead of being skipped",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the folders in the order of what they cost; within a folder nothing moves.

    Side by side (``-n``) one worker begins with the engine's tests, and all end with the course on the live engine.
    """
    side_by_side = any(hasattr(item.config, "workerinput") for item in items[:1])
    items.sort(key=lambda item: (_turn(item.nodeid) if side_by_side else 0, _cost(item)))


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count what the verb leaves to a longer one, by the mark that says so."""
    for item in items:
        LEFT.update(mark for mark in TO if item.get_closest_marker(mark))


@pytest.hookimpl(tryfirst=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Take over what a worker has counted; each has collected all tests, so one is enough."""
    LEFT.clear()
    LEFT.update(getattr(node, "workeroutput", {}).get("left", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran, and how many of those asked for are left to a longer verb."""
    if not LEFT:
        return
    ran = sum(len(terminalreporter.stats.get(outcome, ())) for outcome in ("passed", "failed", "skipped"))
    left = "; ".join(f"{count:,} marked {mark} are left to {TO[mark]}" for mark, count in LEFT.items())
    terminalreporter.write_line(f"{ran:,} tests were run; {left}.")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Give a test to whichever worker is free, but all of a group to one; xdist's own where no groups are asked for.

    xdist's own ``--dist loadgroup`` passes the group on in a test's id, and pytest 9.2 keeps that change to itself.
    """
    return _ByGroup(config, log) if config.getoption("dist") == "loadscope" else None


# A run leaves out what bears one of these marks, and says where that runs.
TO = {"slow": "`make test`", "nightly": "`layerlab test --nightly`"}
LEFT: Counter[str] = Counter()

STRANGERS = pytest.StashKey[Strangers]()
HOW_MANY_STRANGERS = 20


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before a run that bears a name, let twenty strangers own things on the engine; see `pytest_sessionfinish`."""
    if os.environ.get(RUN) and not hasattr(session.config, "workerinput"):
        with contextlib.suppress(LayerLabError):
            session.config.stash[STRANGERS] = _settled_strangers()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run that bears a name, as `make test` gives it one, take with it what it made on the engine.

    Thousands of images would stay otherwise, and the classic builder looks at each step through all that stand on
    its base. What the strangers own must be as it was before the run, whatever was built, cancelled and cleaned.
    """
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left"] = dict(LEFT)
    run = os.environ.get(RUN)
    if not run or hasattr(session.config, "workerinput"):
        return
    with contextlib.suppress(LayerLabError):
        _tidy(run)
    if strangers := session.config.stash.get(STRANGERS, None):
        if harmed := strangers.harmed():
            _report_failure(session, "\n".join(["The run has touched what is not ours:", *harmed]))
        strangers.leave()


def _settled_strangers() -> Strangers:
    with contextlib.closing(_live_engine()) as found:
        named = {tag for image in found.images() for tag in image.get("RepoTags") or ()}
        sleeps = next((tag for tag in sorted(named) if tag.startswith("python:") and tag.endswith("-slim")), None)
        return Strangers(found.info.endpoint, count=HOW_MANY_STRANGERS, runs=sleeps)


def _report_failure(session: pytest.Session, told: str) -> None:
    """Count an error that belongs to no test, so that pytest's own summary tells of it."""
    report = pytest.TestReport(
        nodeid="tests/strangers.py::untouched",
        location=("tests/strangers.py", 0, "untouched"),
        keywords={},
        outcome="failed",
        longrepr=told,
        when="teardown",
    )
    session.config.hook.pytest_runtest_logreport(report=report)
    session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _tidy(run: str) -> None:
    from layerlab.engine.live import LiveEngine
    from layerlab.engine.live.belongings import remove

    with contextlib.closing(_live_engine()) as found:
        assert isinstance(found, LiveEngine)
        remove(found, run=run)


class _ByGroup(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid) or nodeid

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        units, scope = self.assigned_work[node], self._split_scope(self.registered_collections[node][item_index])
        if all(units[scope].values()):  # xdist would look at all that is done each time it hands something out
            del units[scope]
        for other in self.nodes:  # one may have waited for this test
            self._reschedule(other)

    def _reschedule(self, node: WorkerController) -> None:
        if not self._must_wait(node):
            super()._reschedule(node)

    def _must_wait(self, node: WorkerController) -> bool:
        """True while the course's turn has come and another worker is still at the engine's own tests."""
        following = next(iter(next(iter(self.workqueue.values()), ())), "")
        return bool(LIVE_COURSE.match(following)) and any(
            not all(units.get(ENGINE, {}).values()) for other, units in self.assigned_work.items() if other is not node
        )


def _group(nodeid: str) -> str | None:
    if of_pass := PASS.match(nodeid):
        return of_pass[1]
    return next((name for name, ids in ALONE.items() if ids.match(nodeid)), None)


def _turn(nodeid: str) -> int:
    """Long things first, so that no worker is left alone with one: the passes, then the single tests of the course."""
    if _group(nodeid) == ENGINE:
        return 0
    return 1 if not LIVE_COURSE.match(nodeid) else 2 if PASS.match(nodeid) else 3


def _cost(item: pytest.Item) -> int:
    if not item.path.is_relative_to(TESTS):
        return len(ORDER)
    folder = item.path.relative_to(TESTS).parts[0]
    return ORDER.index(folder) if folder in ORDER else len(ORDER)


@pytest.fixture(scope="session", autouse=True)
def work_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point ``LAYERLAB_WORK`` at an empty folder: no test may meet, and so overwrite, a learner's work."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("work")
        patch.setenv("LAYERLAB_WORK", str(folder))
        yield folder


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A live engine: the one that ``connect()`` picks, else a private one that runs; else the test is skipped."""
    from layerlab.errors import EngineError

    try:
        found = _live_engine()
    except EngineError as error:
        told = f"This test needs a live engine. {error}"
        if request.config.getoption("--require-engine"):
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    yield found
    found.close()


def _live_engine() -> Engine:
    """Return the engine; raise EngineError where it is not there, or where only recordings answer."""
    from layerlab.engine import connect
    from layerlab.errors import NoEngine

    found = connect()
    if found.info.is_live:
        return found
    found.close()
    if os.environ.get("LAYERLAB_ENGINE"):
        raise NoEngine("LAYERLAB_ENGINE asks for the recordings.")
    return connect("private")  # one without bases is passed by above; the tests bring their own


@pytest.fixture(scope="session")
def slim(engine: Engine) -> str:
    """The name of the slim base on the live engine, fetched or built first."""
    from layerlab import bases

    return bases.resolve(engine, "slim").reference


@pytest.fixture
def cut_socket(engine: Engine, tmp_path: Path) -> Iterator[Relay]:
    """A socket that passes everything on to the live engine, until it is cut."""
    relay = Relay(tmp_path / "relay.sock", engine.info.endpoint.removeprefix("unix://"))
    yield relay
    relay.cut()


class Relay:
    """Stands for an engine that dies in mid-request: passes bytes on both ways and can be cut at any time."""

    def __init__(self, path: Path, behind: str) -> None:
        self.path = path
        self._behind = behind
        self._open: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Close every connection, and answer no more."""
        self.path.unlink(missing_ok=True)
        for one in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._behind)
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
