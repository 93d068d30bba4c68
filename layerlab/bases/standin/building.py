"""The order of the work: root file system and source, compiler, CPython, then slim and full, each kept once made.

Runs in the private engine only: everywhere else the names `python:…` belong to somebody.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from layerlab import build as builds
from layerlab.bases import inventory
from layerlab.bases.registry import Cancelled, never
from layerlab.bases.specs import BASES
from layerlab.bases.standin import cpython, debian, recipes, rootfs, site
from layerlab.bases.standin.timeline import Task, Timeline
from layerlab.bases.standin.watching import OnKeyProgress, cancelling, reporting
from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest, Engine
from layerlab.errors import BaseUnavailable, BuildFailed, EngineError

TOOLCHAIN = "layerlab/standin-toolchain:latest"
_CMD = '["python3"]'
_ATTEMPTS = 3

# Seconds on two idle cores.
_TOOL = Task("tool", "installing mmdebstrap from this system's packages", 4)
_ROOTFS = Task("rootfs", "making a Debian root file system", 28)
_SOURCE = Task("source", "fetching CPython's source", 4)
_TOOLCHAIN = Task("toolchain", "installing a compiler", 14)
_COMPILE = Task("compile", "compiling CPython", 125)
_SLIM = Task("slim", "putting the slim base together", 13)
_PACKAGES = Task("packages", "installing compilers and headers", 85)
_FULL = Task("full", "putting the full base together", 6)
_CPYTHON = (_TOOL, _ROOTFS, _SOURCE, _TOOLCHAIN, _COMPILE)
_PLANS = {"slim": (*_CPYTHON, _SLIM), "full": (*_CPYTHON, _PACKAGES, _FULL)}


def build(
    engine: Engine,
    keys: Sequence[str] = tuple(BASES),
    *,
    on_progress: OnKeyProgress | None = None,
    cancelled: Cancelled = never,
    folder: Path | None = None,
) -> None:
    """Build what of these stand-ins is missing or made by another recipe.

    Parameters
    ----------
    on_progress
        Called about once a second for each base, from a thread of its own.
    folder
        Where finished parts are kept; one for all checkouts of this user by default.

    Raises
    ------
    BaseUnavailable
        On another engine than the private one, or where the distribution cannot provide what it takes.
    BuildFailed, BuildCancelled, DiskFull, EngineGone
    """
    if engine.info.kind != "private":
        raise BaseUnavailable(
            f"Stand-ins are built in the private engine only, and this is {engine.info.name} at "
            f"{engine.info.endpoint}. Run `layerlab engine start`, then set LAYERLAB_ENGINE=private."
        )
    from layerlab.bases import background

    workshop = _Workshop(engine, folder or background.folder(), keys, cancelled)
    with reporting(workshop.timeline, keys, on_progress):
        workshop.make(keys)


class _Workshop:
    """The parts and how each is made; a part that lies in ``parts`` already is not made again."""

    def __init__(self, engine: Engine, folder: Path, keys: Sequence[str], cancelled: Cancelled) -> None:
        self.timeline = Timeline({key: _PLANS[key] for key in keys})
        self._engine = engine
        self._parts = folder / "parts"
        self._work = folder / "work"
        self._log = folder / "build.log"
        self._stopped = threading.Event()
        self._cancelled: Cancelled = lambda: self._stopped.is_set() or cancelled()
        self._parts.mkdir(parents=True, exist_ok=True)
        self._work.mkdir(parents=True, exist_ok=True)
        self._archive = debian.archive(log=self._log, cancelled=self._cancelled)
        self._site = site.here()
        trust = self._site.digest if self._archive.is_encrypted else ""
        facts = (self._archive.sources(), self._archive.architecture, *filter(None, [trust]))
        self._rootfs_digest = recipes.digest("rootfs", facts=facts)
        self._rootfs = self._parts / f"rootfs-{self._rootfs_digest}.tar"
        self._cpython = self._parts / f"cpython-{self._python_digest()}.tar"

    def make(self, keys: Sequence[str]) -> None:
        """Make these bases in order; whatever does not need CPython is made while it compiles."""
        wanted = [key for key in keys if not self._is_current(key)]
        if not wanted:
            return
        with ThreadPoolExecutor(2) as pool:
            try:
                self._make(wanted, pool)
            except BaseException:
                self._stopped.set()  # or leaving the pool would wait for the other thread's work
                raise
        self._tidy()

    def _make(self, wanted: Sequence[str], pool: ThreadPoolExecutor) -> None:
        python = self._begin_python(pool)
        self._make_rootfs()
        self._make_toolchain()
        packages = pool.submit(self._install_packages) if "full" in wanted else None
        made = python()
        for key in wanted:
            if key == "full" and packages:
                packages.result()
            self._put_together(key, made)

    def _begin_python(self, pool: ThreadPoolExecutor) -> Callable[[], cpython.CPython]:
        """Fetch the source, unless CPython was compiled before; return what gives the finished CPython."""
        if kept := cpython.finished(self._cpython):
            self._skip(_SOURCE, _TOOLCHAIN, _COMPILE)
            return lambda: kept
        source = pool.submit(self._fetch_source)
        return lambda: self._compile(source.result())

    # --- parts -------------------------------------------------------------------------------

    def _make_rootfs(self) -> None:
        if self._rootfs.exists():
            self._skip(_TOOL, _ROOTFS)
            return
        if rootfs.is_ready():
            self._skip(_TOOL)
        else:
            with self.timeline.running(_TOOL.key):
                rootfs.install_mmdebstrap(log=self._log, cancelled=self._cancelled)
        with self.timeline.running(_ROOTFS.key):
            rootfs.make(self._archive, self._rootfs, self._work, log=self._log, cancelled=self._cancelled)

    def _fetch_source(self) -> debian.Source:
        with self.timeline.running(_SOURCE.key):
            return debian.source(self._archive, self._parts, log=self._log, cancelled=self._cancelled)

    def _make_toolchain(self) -> None:
        if cpython.finished(self._cpython) is None:
            with self.timeline.running(_TOOLCHAIN.key):
                self._build("cpython", recipes.render("cpython", {}), (self._rootfs,), tag=TOOLCHAIN)

    def _compile(self, source: debian.Source) -> cpython.CPython:
        with self.timeline.running(_COMPILE.key):
            return cpython.compile(
                self._engine,
                TOOLCHAIN,
                source,
                self._parts / source.name,
                self._work / self._cpython.stem,
                self._cpython,
                cancelled=self._cancelled,
            )

    def _skip(self, *tasks: Task) -> None:
        for task in tasks:
            self.timeline.skip(task.key)

    def _install_packages(self) -> None:
        """Build the full base's first stage; the builder's cache keeps it until CPython is there."""
        with self.timeline.running(_PACKAGES.key):
            text = recipes.stage(recipes.render("full", {}), "buildpack")
            self._build("buildpack", text, (self._rootfs,))

    def _put_together(self, key: str, python: cpython.CPython) -> None:
        minor = ".".join(python.version.split(".")[:2])
        values = {
            "RUNTIME_LIBRARIES": " ".join(python.libraries),
            "CPYTHON_VERSION": python.version,
            "PY_MINOR": minor,
            "RECIPE": self._recipe(key),
        }
        with self.timeline.running(key):
            image = self._build(key, recipes.render(key, values), (self._rootfs, python.tar))
            if not self._site.is_empty:
                image = self._add_site(image)
            self._name(image, BASES[key].reference(minor))

    def _name(self, image: str, reference: str) -> None:
        """Give the base its name; an older stand-in that had it goes, if nothing of anybody's stands on it."""
        older = [one for one in inventory.held(self._engine) if one.reference == reference]
        self._engine.tag(image, reference)
        for one in older:
            if one.image_id != image:
                with suppress(EngineError):
                    self._engine.remove(one.image_id)

    def _add_site(self, image: str) -> str:
        from layerlab.engine.live import LiveEngine

        made = site.apply(self._engine.client, image, self._site, cmd=_CMD)
        if isinstance(self._engine, LiveEngine):
            self._engine.journal.note("image", made)  # committed, so no build's events named it
        return made

    # --- the engine --------------------------------------------------------------------------

    def _build(self, name: str, text: str, parts: Sequence[Path], *, tag: str | None = None) -> str:
        """Build a Dockerfile with these parts beside it; return the image's id."""
        context = self._context(name, text, parts)
        request = BuildRequest(context=context, tag=tag, args=self._proxies(), network=self._network())
        for attempt in range(1, _ATTEMPTS + 1):
            begun = builds.Build(self._engine, self._engine.build(request), request)
            try:
                with cancelling(begun, self._cancelled):
                    return begun.run().image.id
            except BuildFailed as error:
                # Somebody cleaned up while we built, and a step's image went before the next step used it.
                if attempt == _ATTEMPTS or "No such image" not in str(error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _context(self, name: str, text: str, parts: Sequence[Path]) -> BuildContext:
        folder = self._work / f"context-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for part in parts:
            (folder / f"{part.stem.split('-')[0]}.tar").hardlink_to(part)
        (folder / "Dockerfile").write_text(text, encoding="utf-8")
        return BuildContext.open(folder)

    def _proxies(self) -> dict[str, str]:
        # Predefined build arguments: apt and pip honour them, and neither history nor cache key shows them.
        return {name.upper(): value for name, value in self._archive.environment.items()}

    def _network(self) -> str | None:
        # A proxy on this machine's loopback is out of a container's reach, except on the host's own network.
        proxy = self._archive.proxy or ""
        return "host" if any(name in proxy for name in ("//127.", "//localhost", "//[::1]")) else None

    # --- what is there already ---------------------------------------------------------------

    def _is_current(self, key: str) -> bool:
        minor, recipe = debian.minor(), self._recipe(key)
        there = any(
            one.is_standin and (one.key, one.minor, one.recipe) == (key, minor, recipe)
            for one in inventory.held(self._engine)
        )
        if there:
            self._skip(*_PLANS[key])
        return there

    def _recipe(self, key: str) -> str:
        return recipes.digest(key, facts=(self._python_digest(), self._site.digest))

    def _python_digest(self) -> str:
        return recipes.digest("cpython", facts=(self._rootfs_digest, debian.minor()))

    def _tidy(self) -> None:
        """Remove what nobody needs again: the compiler's image, contexts, and parts of older recipes."""
        shutil.rmtree(self._work, ignore_errors=True)
        for part in self._parts.glob("*-*.tar"):
            if part not in (self._rootfs, self._cpython):
                part.unlink()
                part.with_suffix(".json").unlink(missing_ok=True)
        shutil.rmtree(self._parts / "apt", ignore_errors=True)
        if any(TOOLCHAIN in (raw.get("RepoTags") or ()) for raw in self._engine.images()):
            self._engine.remove(TOOLCHAIN)
