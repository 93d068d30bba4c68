"""What a notebook works with: one engine, its bases, and the course's few verbs on them.

Everything here forwards to the library; a notebook that wants to see below uses `lab.engine` and
`lab.client` directly, and the first notebooks do.
"""

from __future__ import annotations

import difflib
import time
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from layerlab import bases, build, claims, compose, inspection, probe
from layerlab.bases.specs import OFFICIAL_MINOR
from layerlab.build import Build, BuildResult
from layerlab.context import BuildContext, reruns
from layerlab.dockerfile import Instruction
from layerlab.engine import connect
from layerlab.engine.protocol import BuildRequest, StartRequest, engine_text
from layerlab.errors import SetupError
from layerlab.image import SCRATCH, Image
from layerlab.lab.builds import BuildOptions, base_references, in_a_terminal, print_progress, tell_progress
from layerlab.lab.shown import Badge, Fold, Text
from layerlab.widgets.waiting import waiting
from layerlab.work.answers import Answers, work_folder

if TYPE_CHECKING:
    from layerlab.compose import Service
    from layerlab.engine.mounts import Missing
    from layerlab.engine.protocol import Container, Engine, ExecResult
    from layerlab.engine.registry import Registry
    from layerlab.inspection import Inspection, ThreeSizes
    from layerlab.lab.matrix import Matrix
    from layerlab.lab.pasted import AnswerPanel
    from layerlab.lab.progress_page import ProgressPage
    from layerlab.probe import Contents, CopiedItem, Running, Start
    from layerlab.review import Finding, Review
    from layerlab.widgets.explorer import Explorer
    from layerlab.widgets.prediction import Prediction, ReadOff


class Lab:
    """A notebook's workbench. Open one with `open_lab`.

    Attributes
    ----------
    notebook
        Its name; what is answered in it is kept under it.
    root
        The checkout of the course.
    work
        The folder of this learner's files. Everything that is opened from here keeps its answers there.
    recordings
        The folder of recordings that was chosen; None for the usual one.
    """

    def __init__(
        self, notebook: str, engine: Engine, *, root: Path, work: Path, recordings: Path | None = None
    ) -> None:
        self.notebook = notebook
        self.engine = engine
        # Whatever becomes of the current folder, they stay what they are.
        self.root, self.work = root.expanduser().absolute(), work.expanduser().absolute()
        self.recordings = recordings

    @property
    def namespace(self) -> str:
        """What the names begin with that this session gives to images."""
        return self.engine.info.namespace

    @property
    def answers(self) -> Answers:
        """What was answered in this notebook: for questions that a page asks besides an exercise."""
        return Answers.open(self.notebook, work=self.work)

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

    def arguments(self, declared: Collection[str]) -> dict[str, str]:
        """Give the ARGs by which Dockerfiles of the course name their bases, as far as they are declared."""
        return bases.build_arguments(self.engine, declared)

    def folder(self, app: str | Path) -> Path:
        """Return the folder of one of the course's services ("service"); a path stays as it is."""
        if isinstance(app, Path):
            return app
        folder = self.root / "apps" / app
        if not folder.is_dir():
            known = ", ".join(sorted(one.name for one in (self.root / "apps").iterdir() if one.is_dir()))
            raise SetupError(f"There is no service {app!r} in {folder.parent}. The course has: {known}.")
        return folder

    def file(self, app: str | Path, name: str) -> Text:
        """Return a file of a service as it stands on disk, to be shown with line numbers."""
        return Text((self.folder(app) / name).read_text(encoding="utf-8"))

    def compose(self, app: str, name: str = "compose.yaml") -> tuple[Service, ...]:
        """Read a compose file of a service; see `layerlab.compose.load`."""
        return compose.load(self.folder(app) / name)

    def difference(self, app: str, before: str, after: str) -> Text:
        """Return what changed from one Dockerfile to the next, instructions only."""
        old, new = (self.file(app, name).code_lines for name in (before, after))
        lines = difflib.unified_diff(old, new, before, after, lineterm="", n=9)
        return Text("\n".join(lines), numbered=False)

    def base(self, key: str) -> Image:
        """Return the base image called "slim", "full", "musl" or "distroless", fetching or awaiting it first.

        "scratch" is the empty one. Raises BaseUnavailable, PullFailed or NotRecorded, each saying what to do.
        """
        if key == SCRATCH.name:
            return SCRATCH
        with waiting(f"looking for the base {key}"):
            return bases.resolve(self.engine, key, on_progress=print_progress()).image

    def begin(self, app: str | Path, dockerfile: str = "Dockerfile", **options: Unpack[BuildOptions]) -> Build:
        """Begin a build of one of the course's services, or any folder, and return at once; shows nothing.

        See `build` for the options, and for what it raises at once.
        """
        request = self._request(app, dockerfile, **options)
        self._await_bases(request, show=False)
        return build.begin(self.engine, request)

    def build(self, app: str | Path, dockerfile: str = "Dockerfile", **options: Unpack[BuildOptions]) -> BuildResult:
        """Build one of the course's services, or any folder, with a panel that shows how it goes.

        Prints the same build as a command for a terminal. Interrupting the kernel cancels the build.

        Parameters
        ----------
        text
            The Dockerfile itself, a learner's for instance; ``dockerfile`` then is the name that errors call it by.
        tag
            What to call the image: a name under ``layerlab/``.
        args
            Build arguments, besides those by which the course's Dockerfiles name their bases.
        target
            The stage to stop at, by default the last.
        changed
            File of the service → other content: what a build after such an edit would be. The disk stays as it is.
        no_cache
            True to run every step, whatever the engine remembers.
        builder
            "buildkit" where the engine's own builder is not wanted: ``RUN --mount`` needs it on Docker.
        secrets
            Id → content, for ``RUN --mount=type=secret``; BuildKit only.

        Raises
        ------
        ContextError, DockerfileError, NotOurs, NoBuildKit
            See `layerlab.build.begin`.
        BaseError, NotRecorded
            A base that the Dockerfile names cannot be had here.
        BuildFailed, BuildCancelled, EngineGone, DiskFull
            See `layerlab.build.Build.run`.
        """
        request = self._request(app, dockerfile, **options)
        self._await_bases(request, show=True)
        begun = build.begin(self.engine, request)
        result = self._run(begun, f"{request.context.folder.name}/{request.context.shown_name}")
        print(f"The same in a terminal, from the course's folder:\n{in_a_terminal(request, self.root)}")
        return result

    def image(self, reference: str) -> Image:
        """Describe an image that the engine holds. Raises ImageNotFound."""
        return build.image(self.engine, reference)

    def run(self, image: str | Image, command: Sequence[str] | None = None) -> ExecResult:
        """Run a command in a new container of the image, remove the container, and return what it printed."""
        return self.engine.run(_reference(image), command)

    def start(self, image: str | Image, command: Sequence[str] | None = None, **options: Any) -> Container:
        """Start a container and leave it running; see `layerlab.engine.protocol.StartRequest` for the options."""
        return self.engine.start(StartRequest(image=_reference(image), command=command, **options))

    def probe(
        self,
        image: str | Image,
        *paths: str,
        read_only: bool = False,
        user: str | None = None,
        mounts: Mapping[str, str] | None = None,
        wait_seconds: float = 60.0,
        stopping: bool = False,
    ) -> probe.Probe:
        """Ask whether the image still serves; see `layerlab.probe.probe`."""
        asked = paths or ("/health", "/")
        with waiting("starting a container"):
            return probe.probe(
                self.engine,
                _reference(image),
                paths=asked,
                read_only=read_only,
                user=user,
                mounts=mounts,
                wait_seconds=wait_seconds,
                stopping=stopping,
            )

    def starts(
        self,
        image: str | Image,
        path: str = "/health",
        *,
        mounts: Mapping[str, str] | None = None,
        missing: Missing = "refuse",
    ) -> Start:
        """Start a container and say what becomes of it: it answers, or it ends; see `layerlab.probe.start`."""
        with waiting("starting a container"):
            return probe.start(self.engine, _reference(image), path=path, mounts=mounts, missing=missing)

    def context(self, app: str | Path, dockerfile: str = "Dockerfile", *, text: str | None = None) -> BuildContext:
        """Return what a build of a service is sent: the files that its ignore file leaves. Builds nothing."""
        return self._context(app, dockerfile, text=text)

    def contents(self, image: str | Image) -> Contents:
        """Ask an image what lies in it: distributions, application, tools; see `layerlab.probe.contents`."""
        with waiting("looking into the image"):
            return probe.contents(self.engine, _reference(image))

    def running(self, image: str | Image, *paths: str, base: str | Image) -> Running:
        """Let a service answer, and return what it uses that its base has not; see `layerlab.probe.running`."""
        with waiting("starting a container"):
            return probe.running(self.engine, _reference(image), base=_reference(base), paths=paths or ("/health", "/"))

    def inspect(self, image: str | Image | BuildResult, *, base: Image | None = None) -> Inspection:
        """Look into an image: layers, files, waste and causes; see `layerlab.inspection.of_engine`.

        Of a build it knows which line of the Dockerfile made each layer.
        """
        lines = dict(image.lines) if isinstance(image, BuildResult) else {}
        with waiting("reading the image's layers"):
            return inspection.of_engine(self.engine, self._described(image), base=base, lines=lines)

    def sizes(self, image: str | Image | BuildResult) -> ThreeSizes:
        """Weigh an image in three ways, and say what each tool prints; see `layerlab.inspection.three_sizes`."""
        with waiting("packing the image's layers to weigh them"):
            return inspection.three_sizes(self.engine, self._described(image))

    def registry(self) -> Registry:
        """Open a registry of the course's own, which holds nothing yet; see `layerlab.engine.registry`."""
        return self.engine.registry()

    def copied(
        self,
        app: str | Path,
        dockerfile: str = "Dockerfile",
        *,
        text: str | None = None,
        args: Mapping[str, str] | None = None,
    ) -> tuple[CopiedItem, ...]:
        """Return what each ``COPY --from`` of a Dockerfile really carries; see `layerlab.probe.copied`."""
        request = self._request(app, dockerfile, text=text, args=args)
        self._await_bases(request, show=False)
        with waiting("looking at what the COPY lines carry"):
            return probe.copied(self.engine, request.context, args=request.args)

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
        request = self._request(app, dockerfile, text=text, args=args)
        return reruns(request.context, changed, build_args=request.args)

    def review(
        self,
        app: str | Path,
        dockerfile: str = "Dockerfile",
        *,
        text: str | None = None,
        image: str | Image | None = None,
    ) -> Review:
        """Review a Dockerfile, the worst finding first; with the image that it made, prices are measured.

        See `layerlab.review.review`.
        """
        from layerlab.review import review

        context = self._context(app, dockerfile, text=text)
        return review(context.dockerfile, context=context, inspection=self.inspect(image) if image else None)

    def prompt(self, app: str, *, findings: Iterable[Finding] = ()) -> Text:
        """Compose what to ask an assistant for a service; see `layerlab.lab.prompt`."""
        from layerlab.lab.prompt import prompt

        files = [*sorted(path.name for path in self.folder(app).glob("*.py")), "requirements.txt"]
        listed = self.file(app, "requirements.txt").content
        return Text(prompt(listed, files=files, findings=findings), numbered=False)

    def pasted(self, app: str) -> AnswerPanel:
        """Return the panel that an assistant's answer is pasted into; see `layerlab.lab.pasted`."""
        from layerlab.lab.pasted import panel

        is_official = bases.provenance(self.engine).kind == "official"
        return panel(self, app, self.notebook, py_minor=None if is_official else self.py_minor)

    def edited(self, app: str | Path, name: str, comment: str = "# edited now") -> dict[str, str]:
        """Return an edit of a service's file for ``changed``: one comment more, which no build has seen before.

        An engine remembers what it built yesterday, so there the comment carries the time. On one that began empty
        with this session, as a recording does, it is always the same.
        """
        content = ((app if isinstance(app, Path) else self.folder(app)) / name).read_text(encoding="utf-8")
        when = "" if self.engine.info.is_fresh else f", at {time.time():.3f}"
        return {name: f"{content}{comment}{when}\n"}

    def predict(self, id: str, question: str, choices: Sequence[str]) -> Prediction:
        """Return a question to answer before the measurement; the answer is kept in a file."""
        from layerlab.widgets.prediction import Prediction

        kept = Answers.open(self.notebook, kind=Prediction.kind, work=self.work)
        return Prediction(id, question, choices=choices, answers=kept)

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
    ) -> claims.ComparedClaim:
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

    def explorer(self) -> Explorer:
        """Return the panel of the design space, with six builds to spend; see `layerlab.widgets.explorer`."""
        from layerlab.lab.explorer import explorer

        return explorer(self.engine, self.root, self.notebook, source=str(self.badge), work=self.work)

    def matrix(self, *, live: bool = False) -> Matrix:
        """Return every combination of the design space as it was recorded.

        Parameters
        ----------
        live
            Measure all of them on this engine instead. That takes a quarter of an hour or more, and says how far it is.
        """
        from layerlab.lab import matrix

        if live:
            return matrix.measured(self.engine, self.root)
        return matrix.recorded(self.root, recordings=self.recordings)

    def progress(self) -> ProgressPage:
        """Return where the learner stands; see `layerlab.lab.progress_page`. It has `export` and `import_file`."""
        from layerlab.lab.progress_page import open_page

        with waiting("reading what you saved"):
            return open_page(self.root, work=self.work)

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

    def _context(self, app: str | Path, dockerfile: str, *, text: str | None) -> BuildContext:
        return BuildContext.open(self.folder(app), dockerfile, dockerfile_text=text)

    def _request(
        self,
        app: str | Path,
        dockerfile: str,
        *,
        text: str | None = None,
        args: Mapping[str, str] | None = None,
        changed: Mapping[str, str] | None = None,
        tag: str | None = None,
        target: str | None = None,
        no_cache: bool = False,
        builder: Literal["buildkit"] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> BuildRequest:
        """Turn what a notebook says of a build into one value: the one place that knows both."""
        context = self._context(app, dockerfile, text=text).with_changed(changed or {})
        declared = {name for arg in context.dockerfile.global_args for name, _ in arg.pairs}
        return BuildRequest(
            context=context, tag=tag, args={**self.arguments(declared), **(args or {})}, target=target,
            no_cache=no_cache, builder=builder, secrets=secrets or {},
        )  # fmt: skip

    def _await_bases(self, request: BuildRequest, *, show: bool) -> None:
        progress = print_progress() if show else tell_progress
        for reference in base_references(request.context, request.args):
            with waiting(f"looking for the base {reference}"):
                bases.resolve(self.engine, reference, on_progress=progress)

    def _run(self, begun: Build, title: str) -> BuildResult:
        from layerlab.widgets.build_panel import BuildPanel

        return BuildPanel(begun.run, begun.cancel, title=title).run()


def open_lab(
    notebook: str,
    *,
    engine: Engine | str | None = None,
    root: Path | None = None,
    work: Path | None = None,
    recordings: Path | None = None,
) -> Lab:
    """Open a notebook's workbench. What is given is taken; environment and current folder decide only the rest.

    Parameters
    ----------
    notebook
        Its name, under which predictions and answers are kept.
    engine
        An engine, or the kind of one as `layerlab.engine.connect` takes it. By default what that picks.
    root
        The course's checkout. By default the one that the current folder lies in, else the one of this package.
    work
        The folder of the learner's files. By default ``LAYERLAB_WORK``, else ``exercises/work`` of ``root`` where that
        is given, else of the checkout that the current folder lies in; see `layerlab.work.answers.work_folder`.
    recordings
        The folder to replay from. By default see `layerlab.engine.connect`. An engine that is given has its own.

    Raises
    ------
    NoEngine, EngineUnreachable, EnginePermission
        An engine was named (LAYERLAB_ENGINE, DOCKER_HOST, Docker context) and does not answer.
    SetupError
        The course's files are not found above the current folder.
    """
    if engine is None or isinstance(engine, str):
        engine = connect(engine, notebook=notebook, recordings=recordings)
    work = work or work_folder(root and root.absolute())
    return Lab(notebook, engine, root=root or course_root(), work=work, recordings=recordings)


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
