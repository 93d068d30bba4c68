"""One JupyterLab and one browser for all tests of pages. They never see the checkout's notebooks, only copies:
JupyterLab saves outputs into what it opens.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lesson_01
import pytest
from notebook_page import NotebookPage
from playwright.sync_api import Browser, sync_playwright

from layerlab.course import browser as system_browser
from layerlab.course import jupyterlab as lab
from layerlab.course.engines import Prepared

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "screenshots"
FIRST_PORT = (8950, 8900)  # live, recorded: two workers may look for a free one at the same time
FLAGS = (
    "--no-sandbox",  # root has none, and root is who runs CI
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Course:
    """A copy of the course in JupyterLab: its folder, and where it answers."""

    folder: Path
    address: str
    token: str

    def link(self, notebook: str, workspace: str) -> str:
        """The address of a notebook, in a workspace where nothing else is open."""
        return f"{self.address}/lab/workspaces/{workspace}/tree/{notebook}?token={self.token}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's own browser, headless, with a new and empty profile; without one, the test is skipped."""
    program = system_browser.installed()
    if program is None:
        told = "This test needs Chromium. Run `make test`, which installs Debian's as root, or install it yourself."
        if os.environ.get("CI"):
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def course_on(
    chromium: Browser, work_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Course]]:
    """Give a function of an engine's kind: JupyterLab whose notebooks build on it, started when first asked for."""
    with contextlib.ExitStack() as servers:

        @functools.cache
        def of_kind(kind: str) -> Course:
            return servers.enter_context(jupyterlab(kind, work_folder, tmp_path_factory))

        yield of_kind


@contextlib.contextmanager
def jupyterlab(kind: str, work_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """Run JupyterLab as `make lab` starts it, on a copy of the course and with settings of its own."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("notebooks", "exercises", "apps"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("work", ".ipynb_checkpoints"))
    port, token = lab.free_port(FIRST_PORT[kind == "recorded"]), secrets.token_hex(16)
    environment = lab.environment(token, Prepared(kind)) | own_folders(tmp_path_factory.mktemp("jupyter"))
    environment |= {"LAYERLAB_ENGINE": kind, "LAYERLAB_WORK": str(work_folder)}
    with (folder / "jupyterlab.log").open("w") as log:
        server = subprocess.Popen(
            # The page's own objects are within reach, so that tests can wait until the kernel has answered.
            [*lab.command(port, folder), "--LabApp.expose_app_in_browser=True"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            lab._wait_until_it_answers(server, port, token)
            yield Course(folder, f"http://127.0.0.1:{port}", token)
        finally:
            lab._end(server)


def own_folders(home: Path) -> dict[str, str]:
    """The variables that keep Jupyter and IPython away from a user's own settings, workspaces and sockets."""
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return {name: str(home / name.lower()) for name in names}


@pytest.fixture(scope="session")
def new_page(chromium: Browser, course_on: Callable[[str], Course]) -> Callable[..., NotebookPage]:
    """Give a function that opens a notebook of the course, by its path, in a page of its own.

    Its notebooks run on the recordings unless ``engine`` names the kind of a live one.
    """
    SHOTS.mkdir(parents=True, exist_ok=True)
    numbers = itertools.count(1)

    def opened(path: str, *, engine: str = "recorded") -> NotebookPage:
        course, number = course_on(engine), next(numbers)
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        # A copy and a kernel for each page: two on one file would tell each other that it has changed.
        copy = course.folder / f"page{number}" / Path(path).name
        copy.parent.mkdir()
        shutil.copy(ROOT / path, copy)
        address = course.link(f"{copy.parent.name}/{copy.name}", f"test{number}")
        notebook = NotebookPage(page, copy, address=address, shots=SHOTS)
        notebook.open()
        return notebook

    return opened


@pytest.fixture(scope="module")
def open_notebook(new_page: Callable[..., NotebookPage]) -> Iterator[Callable[..., NotebookPage]]:
    """Open pages as `new_page` does, and close them after the module: an open page draws, which takes a processor."""
    with contextlib.ExitStack() as open_pages:

        def opened(path: str, *, engine: str = "recorded") -> NotebookPage:
            notebook = new_page(path, engine=engine)
            open_pages.callback(notebook.page.close)
            return notebook

        yield opened


@pytest.fixture(scope="session")
def lesson(new_page: Callable[..., NotebookPage]) -> NotebookPage:
    """Notebook 01, run from top to bottom once with nothing predicted, as by somebody who only looks around."""
    notebook = new_page("notebooks/01_naive.ipynb")
    notebook.run_all()
    return notebook


@pytest.fixture(scope="session")
def predicted(lesson: NotebookPage) -> NotebookPage:
    """The lesson after its first prediction was kept by clicking, and read off."""
    lesson_01.predict(lesson)
    return lesson
