"""A bench that follows the recipes of exercise 09: what runs again, and what uv fetches, without engine or network.

It keeps a cache of steps and a folder for each cache mount, as BuildKit does. Sizes are made up. Holds no test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fake_bench import APPS, MB, Begun, FakeBench

from layerlab.build import BuildResult, Step
from layerlab.context import BuildContext
from layerlab.dockerfile import Instruction
from layerlab.engine.protocol import Response
from layerlab.errors import DoesNotServe
from layerlab.image import HistoryEntry, Image
from layerlab.probe import Contents, Probe

UV_CACHE = "/root/.cache/uv"


@dataclass
class Pier(FakeBench):
    """Builds with one stage; the rest is its parent's."""

    steps: set[str] = field(default_factory=set)
    mounts: dict[str, set[str]] = field(default_factory=dict)
    sources: dict[str, bool] = field(default_factory=dict)
    edits: int = 0

    def image(self, reference: str) -> Image:
        return Image(f"sha256:{reference}", (), "", "", (HistoryEntry("base", 119 * MB),), ("base",), 0)

    def edited(self, app: str, name: str) -> dict[str, str]:
        self.edits += 1
        return {name: f"{(APPS / app / name).read_text()}# edit {self.edits}\n"}

    def begin(
        self,
        app: str,
        *,
        text: str | None = None,
        dockerfile: str = "Dockerfile",
        tag: str | None = None,
        target: str | None = None,
        changed: Mapping[str, str] | None = None,
        builder: str | None = None,
    ) -> Begun:
        assert builder == "buildkit"
        context = BuildContext.open(APPS / app, dockerfile, dockerfile_text=text).with_changed(changed or {})
        context.require_sources(build_args={"PY_MINOR": self.py_minor})
        return Begun(lambda: self._built(context))  # type: ignore[arg-type, return-value]

    def probe(self, image: str | Image, *paths: str, read_only: bool = False) -> Probe:
        assert isinstance(image, Image)
        if not self.sources[image.id]:
            raise DoesNotServe("The container ended with exit code 2. It printed:\ncan't open file '/srv/service.py'")
        return Probe(image.id, tuple((path, Response(200, "08:30")) for path in paths), 0, 0, 0.1)

    def contents(self, image: str | Image) -> Contents:
        return Contents((), 0, ())

    def _built(self, context: BuildContext) -> BuildResult:
        key, steps, history = "", [], [HistoryEntry("base", 119 * MB)]
        for number, one in enumerate(context.dockerfile.stages[-1].instructions, start=2):
            key = f"{key}\n{one.canonical} {context.digest(one.sources) if one.sources else ''}{_bound(one, context)}"
            if one.keyword not in ("RUN", "COPY", "WORKDIR"):
                continue
            is_cached = key in self.steps
            log = () if is_cached else self._run(one, context)
            steps.append(Step(number, one.logical, one.line, is_cached, 1.0, None, log))
            history.append(HistoryEntry(one.logical, _weight(one)))
            self.steps.add(key)
        id = f"sha256:made-{next(self.numbers)}"
        copied = {source for one in context.dockerfile.instructions for source in one.sources}
        self.sources[id] = bool(copied & {"service.py", "."})
        image = Image(id, (), "", "", tuple(history), ("base", id), 0)
        return BuildResult(image, None, "Dockerfile", tuple(steps), 1.0, "buildkit", True)

    def _run(self, one: Instruction, context: BuildContext) -> tuple[str, ...]:
        if "-r requirements.txt" not in one.logical:
            return ("Successfully installed uv-0.13.9",) if "pip install" in one.logical else ()
        listed = dict(context.changed).get("requirements.txt") or (context.folder / "requirements.txt").read_text()
        wanted = {line for line in listed.splitlines() if "==" in line}
        lent = UV_CACHE in [mount.target for mount in one.mounts if mount.type == "cache"]
        kept = self.mounts.setdefault(UV_CACHE, set()) if lent and "--no-cache" not in one.logical else set()
        new = wanted - kept
        kept |= wanted
        said = (f"Prepared {len(new)} package{'s' if len(new) > 1 else ''} in 3ms",) if new else ()
        return ("Resolved 6 packages in 2ms", *said, f"Installed {len(wanted)} packages in 1ms")


def _bound(one: Instruction, context: BuildContext) -> str:
    return "".join(context.digest((mount.source,)) for mount in one.mounts if mount.type == "bind" and mount.source)


def _weight(one: Instruction) -> int:
    if "-r requirements.txt" not in one.logical:
        return 20 * MB if "pip install" in one.logical else 900
    lent = UV_CACHE in [mount.target for mount in one.mounts]
    return 4 * MB if lent or "--no-cache" in one.logical else 8 * MB
