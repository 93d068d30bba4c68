"""A bench with four made-up bases, one of them without a shell, that follows the recipes of exercise 06.

Every size is made up; which base has what is as on the real ones. Holds no test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fake_bench import APPS, MB, Begun, Ended, FakeBench, Made

from layerlab.context import BuildContext
from layerlab.dockerfile import Dockerfile, Stage
from layerlab.engine.protocol import Response
from layerlab.errors import BuildFailed, DoesNotServe, EngineRefused
from layerlab.image import HistoryEntry, Image
from layerlab.probe import Contents, CopiedItem, Distribution, Probe

SIZES = {"full": 950 * MB, "slim": 130 * MB, "musl": 45 * MB, "distroless": 51 * MB}
# What the exercise's questions have in them → the bases that say yes.
YES = {
    "git": ("full",),
    "sh": ("full", "slim", "musl"),
    "SOABI": ("full", "slim", "distroless"),
    "import http": ("full", "slim", "musl", "distroless"),
    "which('sh')": ("distroless",),
    "os.walk": ("musl", "distroless"),
}
FASTAPI, PIP = Distribution("fastapi", "1", 9 * MB, "/packages"), Distribution("pip", "23", 7 * MB, "/usr/local")


@dataclass(frozen=True)
class State:
    """What a stage has come to: folders with packages, environment, and how it starts."""

    base: str
    folders: frozenset[str] = frozenset()
    env: frozenset[str] = frozenset()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


@dataclass
class Bare(FakeBench):
    """Builds, starts and lists what exercise 06 has; the rest is its parent's."""

    states: dict[str, State] = field(default_factory=dict)  # type: ignore[assignment]

    def base(self, key: str) -> Image:
        return Image(f"sha256:{key}", (), "", "", (HistoryEntry("base", SIZES[key]),), (key,), 0)

    def image(self, reference: str) -> Image:
        return self.base(_key(reference))

    def run(self, image: str | Image, command: Sequence[str] | None = None) -> Ended:
        assert isinstance(image, Image)
        base, said = image.id.removeprefix("sha256:"), " ".join(command or ())
        self.ran.append((base, said))
        has = next(bases for words, bases in reversed(YES.items()) if words in said)
        return Ended(0, "") if base in has else Ended(127, "not found")

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
        context = BuildContext.open(APPS / app, dockerfile, dockerfile_text=text)
        context.require_sources(build_args=self.arguments({"PY_MINOR", "DISTROLESS"}))
        return Begun(lambda: self._built(context.dockerfile), self.during)

    def probe(self, image: str | Image, *paths: str, read_only: bool = False) -> Probe:
        assert isinstance(image, Image)
        _start(self.states[image.id])
        return Probe(image.id, tuple((path, Response(200, "fine")) for path in paths), 65532, 0, 0.1)

    def contents(self, image: str | Image) -> Contents:
        assert isinstance(image, Image)
        state = self.states.get(image.id)
        if state is None or "/usr/local" not in state.folders:
            return Contents((FASTAPI,) if state else (), 800, ())
        return Contents((FASTAPI, PIP), 800, ())

    def copied(self, app: str, dockerfile: str = "Dockerfile", *, text: str | None = None) -> tuple[CopiedItem, ...]:
        line = next((n for n, one in enumerate((text or "").splitlines(), 1) if "builder /usr/local" in one), None)
        return (CopiedItem(line, "/usr/local/lib/pip", 7 * MB, "pip", False, False),) if line else ()

    def _built(self, dockerfile: Dockerfile) -> Made:
        states: dict[int, State] = {}
        for stage in dockerfile.stages:
            states[stage.index] = _followed(stage)
        state = states[max(states)]
        id = f"sha256:made-{next(self.numbers)}"
        self.states[id] = state
        added = 10 * MB + (60 * MB if "/usr/local" in state.folders else 0)
        history = (HistoryEntry("base", SIZES[state.base]), HistoryEntry("COPY something", added))
        return Made(Image(id, (), "", "", history, (state.base, id), 0))


def _followed(stage: Stage) -> State:
    base = _key(stage.raw_base)
    state = State(base, entrypoint=("/usr/bin/python3.13",) if base == "distroless" else ())
    for step in stage.instructions:
        words = step.arguments
        if step.keyword == "RUN" and base == "distroless":
            raise BuildFailed("no shell", line=step.line, exit_code=127, log_tail=("/bin/sh: no such file",))
        if step.keyword == "COPY" and step.flag("from"):
            state = State(base, state.folders | {words[0]}, state.env, state.entrypoint, state.command)
        elif step.keyword == "ENV":
            state = State(base, state.folders, state.env | {"".join(words)}, state.entrypoint, state.command)
        elif step.keyword in ("CMD", "ENTRYPOINT"):
            told = tuple(words[0].split()) if step.form == "shell" else tuple(words)
            # A new ENTRYPOINT takes the CMD away that stood before it (Dockerfile reference).
            entrypoint, command = (told, ()) if step.keyword == "ENTRYPOINT" else (state.entrypoint, told)
            state = State(base, state.folders, state.env, entrypoint, command)
    return state


def _start(state: State) -> None:
    if state.base != "distroless":
        return
    if state.entrypoint[0].startswith("/opt/venv"):
        raise EngineRefused(f'The engine refused: exec: "{state.entrypoint[0]}": no such file or directory: unknown.')
    if state.command[0] != "-m":
        raise _ended(f"/usr/bin/python3.13: can't open file '/app/{state.command[0]}': [Errno 2] No such file")
    if not any("PYTHONPATH" in one for one in state.env):
        raise _ended("/usr/bin/python3.13: No module named uvicorn")


def _ended(last: str) -> DoesNotServe:
    return DoesNotServe(f"The container ended with exit code 1. Its last lines:\n{last}\nCheck CMD, host and port.")


def _key(reference: str) -> str:
    if "DISTROLESS" in reference or "distroless" in reference:
        return "distroless"
    return "slim" if reference.endswith("-slim") else "full"
