"""The order of the work: root file system and sources, compiler, CPython, that kit's bases, the next kit, distroless.

Runs in the private engine only: everywhere else the names `python:…` belong to somebody.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from layerlab import build as builds
from layerlab.bases import inventory, system_python
from layerlab.bases.registry import Cancelled, never
from layerlab.bases.specs import BASES
from layerlab.bases.standin import cpython, debian, distroless, recipes, rootfs, site
from layerlab.bases.standin.kits import KITS, Kit
from layerlab.bases.standin.timeline import Task, Timeline
from layerlab.bases.standin.watching import OnKeyProgress, cancelling, reporting
from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest, Engine
from layerlab.errors import BaseUnavailable, BuildFailed, EngineError

_CMD = '["python3"]'
_ATTEMPTS = 3

# Seconds on two idle cores.
_TOOL = Task("tool", "installing mmdebstrap from this system's packages", 4)
_ROOTFS = Task("rootfs", "making a Debian root file system", 28)
_SLIM = Task("slim", "putting the slim base together", 13)
_PACKAGES = Task("packages", "installing compilers and headers", 85)
_FULL = Task("full", "putting the full base together", 6)
_MUSL = Task("musl", "putting the musl base together", 4)
_LAST = {"slim": (_SLIM,), "full": (_PACKAGES, _FULL), "musl": (_MUSL,)}
_DEBS = Task("debs", "fetching and unpacking Debian's own Python", 12)
_DISTROLESS = Task("distroless", "putting the distroless base together", 3)
PLANS = {
    **{key: (_TOOL, _ROOTFS, *kit.tasks, *_LAST[key]) for key, kit in KITS.items()},
    "distroless": (_DEBS, _DISTROLESS),
}


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
        self.timeline = Timeline({key: PLANS[key] for key in keys})
        self._engine = engine
        self._parts = folder / "parts"
        self._work = folder / "work"
        self._log = folder / "build.log"
        self._stopped = threading.Event()
        self._apt = threading.Lock()  # which has lists and locks of its own in `parts`
        self._cancelled: Cancelled = lambda: self._stopped.is_set() or cancelled()
        self._parts.mkdir(parents=True, exist_ok=True)
        self._work.mkdir(parents=True, exist_ok=True)
        self._archive = debian.archive(log=self._log, cancelled=self._cancelled)
        self._site = site.here()
        trust = self._site.digest if self._archive.is_encrypted else ""
        facts = (self._archive.sources(), self._archive.architecture, *filter(None, [trust]))
        self._rootfs_digest = recipes.digest("rootfs", facts=facts)
        self._rootfs = self._parts / f"rootfs-{self._rootfs_digest}.tar"

    def make(self, keys: Sequence[str]) -> None:
        """Make these bases in the order of need; whatever does not need CPython is made while it compiles."""
        wanted = [key for key in PLANS if key in keys and not self._is_current(key)]
        if not wanted:
            return
        if compiled := [key for key in wanted if key in KITS]:
            with ThreadPoolExecutor(2) as pool:
                try:
                    self._make(compiled, pool)
                except BaseException:
                    self._stopped.set()  # or leaving the pool would wait for the other thread's work
                    raise
        if "distroless" in wanted:
            self._make_distroless()
        self._tidy()

    def _make(self, wanted: Sequence[str], pool: ThreadPoolExecutor) -> None:
        kits = tuple(dict.fromkeys(KITS[key] for key in wanted))
        begun = [(kit, self._begin(kit, pool)) for kit in kits]
        self._make_rootfs()
        for kit, python in begun:
            self._make_toolchain(kit)
            keys = [key for key in wanted if KITS[key] is kit]
            packages = pool.submit(self._install_packages) if "full" in keys else None
            made = python()
            for key in keys:
                if key == "full" and packages:
                    packages.result()
                self._put_together(key, made)

    def _begin(self, kit: Kit, pool: ThreadPoolExecutor) -> Callable[[], cpython.CPython]:
        """Fetch the sources, unless this kit was compiled before; return what gives the finished CPython."""
        if kept := self._finished(kit):
            self._skip(*kit.tasks)
            return lambda: kept
        sources = pool.submit(self._fetch_sources, kit)
        return lambda: self._compile(kit, sources.result())

    def _finished(self, kit: Kit) -> cpython.CPython | None:
        return cpython.finished(kit, self._parts, self._python_digest(kit))

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

    def _fetch_sources(self, kit: Kit) -> dict[str, debian.Source]:
        with self._apt, self.timeline.running(kit.source.key):
            packages = {"source": None, **{name: name for name in kit.libraries}}
            return {
                name: debian.source(self._archive, self._parts, package, log=self._log, cancelled=self._cancelled)
                for name, package in packages.items()
            }

    def _make_toolchain(self, kit: Kit) -> None:
        if self._finished(kit) is None:
            with self.timeline.running(kit.installing.key):
                self._build(kit.recipe, recipes.render(kit.recipe, {}), (self._rootfs,), tag=kit.toolchain)

    def _compile(self, kit: Kit, sources: Mapping[str, debian.Source]) -> cpython.CPython:
        digest = self._python_digest(kit)
        with self.timeline.running(kit.compiling.key):
            return cpython.compile(
                self._engine,
                kit,
                {name: self._parts / source.name for name, source in sources.items()},
                self._parts,
                self._work / f"{kit.recipe}-{digest}",
                digest=digest,
                version=sources["source"].version,
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
        parts = python.tars if KITS[key].has_system else (self._rootfs, *python.tars)
        with self.timeline.running(key):
            image = self._build(key, recipes.render(key, values), parts)
            if not self._site.is_empty:
                image = self._add_site(image)
            self._name(image, BASES[key].standin_reference(minor))

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
            self._engine.journal.note("image", made)
        return made

    def _make_distroless(self) -> None:
        minor, digest = system_python.minor(), self._distroless_digest()
        with self.timeline.running(_DEBS.key):
            tars = distroless.finished(self._parts, digest) or distroless.make(
                self._archive, self._parts, self._work, digest=digest, log=self._log, cancelled=self._cancelled
            )
        values = {"PY_MINOR": minor, "RECIPE": self._recipe("distroless")}
        with self.timeline.running(_DISTROLESS.key):
            # No site layer: nothing in it fetches anything while an image is built.
            image = self._build("distroless", recipes.render("distroless", values), tars)
            self._name(image, BASES["distroless"].standin_reference(minor))

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
        minor, recipe = system_python.minor(), self._recipe(key)
        there = any(
            one.is_standin and (one.key, one.minor, one.recipe) == (key, minor, recipe)
            for one in inventory.held(self._engine)
        )
        if there:
            self._skip(*PLANS[key])
        return there

    def _recipe(self, key: str) -> str:
        if key not in KITS:
            return self._distroless_digest()
        return recipes.digest(key, facts=(self._python_digest(KITS[key]), self._site.digest))

    def _python_digest(self, kit: Kit) -> str:
        return recipes.digest(kit.recipe, facts=(self._rootfs_digest, system_python.minor()))

    def _distroless_digest(self) -> str:
        facts = (self._archive.sources(), self._archive.architecture, system_python.minor())
        return recipes.digest("distroless", facts=facts)

    def _tidy(self) -> None:
        """Remove what nobody needs again: the compilers' images, contexts, and parts of older recipes."""
        kits = tuple(dict.fromkeys(KITS.values()))
        digests = {self._rootfs_digest, self._distroless_digest(), *map(self._python_digest, kits)}
        shutil.rmtree(self._work, ignore_errors=True)
        for part in self._parts.glob("*-*.tar"):
            if part.stem.rpartition("-")[2] not in digests:
                part.unlink()
                part.with_suffix(".json").unlink(missing_ok=True)
        shutil.rmtree(self._parts / "apt", ignore_errors=True)
        tags = {tag for raw in self._engine.images() for tag in raw.get("RepoTags") or ()}
        for kit in kits:
            if kit.toolchain in tags:
                self._engine.remove(kit.toolchain)
