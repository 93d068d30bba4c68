"""What a notebook works with: one engine, its bases, and the course's few verbs on them.

Everything here forwards to the library; a notebook that wants to see below uses `lab.engine` and
`lab.client` directly, and the first notebooks do.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerlab import bases, build, claims, engine, inspection, probe
from layerlab.bases.specs import OFFICIAL_MINOR
from layerlab.build import Build, BuildResult
from layerlab.context import BuildContext, reruns
from layerlab.course.session_builds import base_references, in_a_terminal, print_progress
from layerlab.course.session_shown import Badge, Fold, Text, engine_text
from layerlab.dockerfile import Instruction
from layerlab.errors import SetupError
from layerlab.image import Image

if TYPE_CHECKING:
    from layerlab.course.logbook import ProgressPage
    from layerlab.engine.protocol import Container, Engine, ExecResult
    from layerlab.inspection import Inspection, ThreeSizes
    from layerlab.probe import Contents, Ride
    from layerlab.widgets.prediction import Prediction, ReadOff


class Lab:
    """A notebook's workbench. Open one with `open_lab`."""

    def __init__(self, notebook: str, engine: Engine, root: Path) -> None:
        self.notebook = notebook
        self.engine = engine
        self.root = root

    @property
    def badge(self) -> Badge:
        """Which engine and which bases every number of this notebook comes from."""
        info = self.engine.info
        return Badge(engine_text(info), bases.provenance(self.engine).text, info.why)

    @property
    def client(self) -> Any:
        """The Docker SDK's client (replayed: just the calls that the notebooks show raw)."""
        return self.engine.client

    @property
    def py_minor(self) -> str:
        """The Python that the bases carry, for `ARG PY_MINOR`."""
        return bases.py_minor(self.engine)

    def folder(self, app: str) -> Path:
        """Return the folder of one of the course's services ("service")."""
        folder = self.root / "apps" / app
        if not folder.is_dir():
            known = ", ".join(sorted(one.name for one in (self.root / "apps").iterdir() if one.is_dir()))
            raise SetupError(f"There is no service {app!r} in {folder.parent}. The course has: {known}.")
        return folder

    def file(self, app: str, name: str) -> Text:
        """Return a file of a service as it stands on disk, to be shown with line numbers."""
        return Text((self.folder(app) / name).read_text(encoding="utf-8"))

    def difference(self, app: str, before: str, after: str) -> Text:
        """Return what changed from one Dockerfile to the next, instructions only."""
        old, new = (self.file(app, name).code_lines for name in (before, after))
        lines = difflib.unified_diff(old, new, before, after, lineterm="", n=9)
        return Text("\n".join(lines), numbered=False)

    def base(self, key: str) -> Image:
        """Return the base image called "slim", "full" or "musl", fetching or awaiting it first.

        Raises BaseUnavailable, PullFailed or NotRecorded, each saying what to do.
        """
        return bases.resolve(self.engine, key, on_progress=print_progress()).image

    def begin(
        self,
        app: str | Path,
        *,
        text: str | None = None,
        dockerfile: str = "Dockerfile",
        tag: str | None = None,
        args: Mapping[str, str] | None = None,
        target: str | None = None,
        changed: Mapping[str, str] | None = None,
        no_cache: bool = False,
    ) -> Build:
        """Begin a build of one of the course's services, or any folder, and return at once; shows nothing.

        Parameters
        ----------
        text
            The Dockerfile itself, a learner's for instance; ``dockerfile`` then is the name that errors call it by.
        target
            The stage to stop at, by default the last.
        changed
            File of the service → other content: what a build after such an edit would be. The disk stays as it is.

        Raises
        ------
        ContextError, DockerfileError, NotOurs
            See `layerlab.build.begin`.
        BaseError, NotRecorded
            A base that the Dockerfile names cannot be had here.
        """
        context = self._context(app, dockerfile, text=text, changed=changed)
        arguments = self._arguments(context, args)
        self._await_bases(context, arguments, show=False)
        return build.begin(self.engine, context, tag=tag, args=arguments, target=target, no_cache=no_cache)

    def build(
        self,
        app: str | Path,
        dockerfile: str = "Dockerfile",
        *,
        text: str | None = None,
        tag: str | None = None,
        args: Mapping[str, str] | None = None,
        target: str | None = None,
        changed: Mapping[str, str] | None = None,
        no_cache: bool = False,
    ) -> BuildResult:
        """Build one of the course's services, or any folder, with a panel that shows how it goes.

        Prints the same build as a command for a terminal. Interrupting the kernel cancels the build.
        See `begin` for the parameters and `layerlab.build.Build.run` for what it raises.
        """
        context = self._context(app, dockerfile, text=text, changed=changed)
        arguments = self._arguments(context, args)
        self._await_bases(context, arguments, show=True)
        begun = build.begin(self.engine, context, tag=tag, args=arguments, target=target, no_cache=no_cache)
        result = self._run(begun, f"{context.folder.name}/{context.shown_name}")
        told = in_a_terminal(context, tag, arguments, self.root, target=target)
        print(f"The same in a terminal, from the course's folder:\n{told}")
        return result

    def image(self, reference: str) -> Image:
        """Describe an image that the engine holds. Raises ImageNotFound."""
        return build.image(self.engine, reference)

    def run(self, image: str | Image, command: Sequence[str] | None = None) -> ExecResult:
        """Run a command in a new container of the image, remove the container, and return what it printed."""
        return self.engine.run(_reference(image), command)

    def start(self, image: str | Image, command: Sequence[str] | None = None, **options: Any) -> Container:
        """Start a container and leave it running; see `layerlab.engine.protocol.Engine.start`."""
        return self.engine.start(_reference(image), command, **options)

    def probe(self, image: str | Image, *paths: str, read_only: bool = False) -> probe.Probe:
        """Ask whether the image still serves; see `layerlab.probe.probe`."""
        return probe.probe(self.engine, _reference(image), paths=paths or ("/health", "/"), read_only=read_only)

    def contents(self, image: str | Image) -> Contents:
        """Ask an image what lies in it: distributions, application, tools; see `layerlab.probe.contents`."""
        return probe.contents(self.engine, _reference(image))

    def inspect(self, image: str | Image | BuildResult, *, base: Image | None = None) -> Inspection:
        """Look into an image: layers, files, waste and causes; see `layerlab.inspection.of_engine`.

        Of a build it knows which line of the Dockerfile made each layer.
        """
        lines = dict(image.lines) if isinstance(image, BuildResult) else {}
        return inspection.of_engine(self.engine, self._described(image), base=base, lines=lines)

    def sizes(self, image: str | Image | BuildResult) -> ThreeSizes:
        """Weigh an image in three ways, and say what each tool prints; see `layerlab.inspection.three_sizes`."""
        return inspection.three_sizes(self.engine, self._described(image))

    def copied(
        self,
        app: str | Path,
        dockerfile: str = "Dockerfile",
        *,
        text: str | None = None,
        args: Mapping[str, str] | None = None,
    ) -> tuple[Ride, ...]:
        """Return what each ``COPY --from`` of a Dockerfile really carries; see `layerlab.probe.copied`."""
        context = self._context(app, dockerfile, text=text, changed=None)
        arguments = self._arguments(context, args)
        self._await_bases(context, arguments, show=False)
        return probe.copied(self.engine, context, args=arguments)

    def reruns(
        self,
        app: str | Path,
        dockerfile: str = "Dockerfile",
        *,
        changed: str,
        text: str | None = None,
        args: Mapping[str, str] | None = None,
    ) -> tuple[Instruction, ...]:
        """Return the instructions that run again after a file of the service changed; builds nothing.

        See `layerlab.context.reruns`.
        """
        context = self._context(app, dockerfile, text=text, changed=None)
        return reruns(context, changed, build_args=self._arguments(context, args))

    def predict(self, id: str, question: str, choices: Sequence[str]) -> Prediction:
        """Return a question to answer before the measurement; the answer is kept in a file."""
        from layerlab.widgets.prediction import Prediction

        return Prediction(id, question, choices=choices, notebook=self.notebook)

    def readoff(self, prediction: Prediction, actual: str | float, *, found: str = "") -> ReadOff:
        """Set a prediction beside what came, with the explanation that `notebooks/explanations.toml` has for it.

        ``actual`` is the choice that came true, or the measured number where the choices are bands.
        """
        path = self.root / "notebooks" / "explanations.toml"
        told = tomllib.loads(path.read_text(encoding="utf-8"))[self.notebook][prediction.id]
        return prediction.readoff(actual, found=found, short=told["short"], full=told["full"])

    def claim(
        self,
        claim_id: str,
        measured_bytes: int | None = None,
        *,
        added_bytes: int | None = None,
        base: str | None = None,
        found: str | None = None,
    ) -> claims.Beside:
        """Hold a claim of the lesson against what this engine measured; see `layerlab.claims.beside`.

        ``base`` ("full", "slim") names the base it stands on, whose official size is shown where this
        engine has only a stand-in for it.
        """
        return claims.beside(
            claim_id,
            measured_bytes,
            added_bytes=added_bytes,
            found=found,
            is_standin=bases.provenance(self.engine).kind != "official",
            official=_official_text(base) if base else None,
        )

    def progress(self) -> ProgressPage:
        """Return where the learner stands; see `layerlab.course.logbook`. It has `export` and `take_in`."""
        from layerlab.course.logbook import open_page

        return open_page(self.root)

    def fold(self, title: str, *shown: Any) -> Fold:
        """Put several results behind one line that opens on demand."""
        return Fold(title, shown)

    def __repr__(self) -> str:
        return repr(self.badge)

    def _repr_html_(self) -> str:
        return self.badge._repr_html_()

    def _described(self, image: str | Image | BuildResult) -> Image:
        if isinstance(image, BuildResult):
            return image.image
        return image if isinstance(image, Image) else self.image(image)

    def _context(
        self, app: str | Path, dockerfile: str, *, text: str | None, changed: Mapping[str, str] | None
    ) -> BuildContext:
        folder = app if isinstance(app, Path) else self.folder(app)
        return BuildContext.open(folder, dockerfile, dockerfile_text=text).with_changed(changed or {})

    def _arguments(self, context: BuildContext, given: Mapping[str, str] | None) -> dict[str, str]:
        declared = {name for arg in context.dockerfile.global_args for name, _ in arg.pairs}
        ours = {"PY_MINOR": self.py_minor} if "PY_MINOR" in declared else {}
        return {**ours, **(given or {})}

    def _await_bases(self, context: BuildContext, arguments: Mapping[str, str], *, show: bool) -> None:
        progress = print_progress() if show else None
        for reference in base_references(context, arguments):
            bases.resolve(self.engine, reference, on_progress=progress)

    def _run(self, begun: Build, title: str) -> BuildResult:
        from layerlab.widgets.build_panel import BuildPanel

        return BuildPanel(begun.run, begun.cancel, title=title).run()


def open_lab(notebook: str, *, prefer: str | None = None) -> Lab:
    """Connect to an engine and say which; `notebook` is where predictions and answers are kept.

    Raises
    ------
    NoEngine, EngineUnreachable, EnginePermission
        An engine was named (LAYERLAB_ENGINE, DOCKER_HOST, Docker context) and does not answer.
    SetupError
        The course's files are not found above the current folder.
    """
    return Lab(notebook, engine.connect(prefer, notebook=notebook), course_root())


def course_root() -> Path:
    """Return the checkout that the current folder lies in."""
    here = Path.cwd().resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "notebooks").is_dir() and (folder / "apps").is_dir():
            return folder
    raise SetupError(f"No course lies in or above {here}. Open the notebook from its own folder in the checkout.")


def _official_text(key: str) -> str:
    record = bases.official(bases.BASES[key].reference(OFFICIAL_MINOR))
    return f"{record.tag} takes {record.uncompressed_published} ({record.platform}, built {record.built:%-d %b %Y})"


def _reference(image: str | Image) -> str:
    return image if isinstance(image, str) else image.id
