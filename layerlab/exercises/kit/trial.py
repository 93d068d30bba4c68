"""One learner's Dockerfile, tried at one bench: parsed, built, asked and looked into, each at most once.

Knows what to ask for and in which order it can fail. What an answer is worth is for the checks to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from layerlab.checks import Sizes
from layerlab.context import BuildContext
from layerlab.dockerfile import Dockerfile, parse, resolve
from layerlab.errors import (
    BaseError,
    BuildCancelled,
    DoesNotServe,
    EngineRefused,
    ImageNotFound,
    LayerLabError,
    NotRecorded,
)
from layerlab.exercises.kit.bench import built
from layerlab.image import SCRATCH
from layerlab.narration import about
from layerlab.units import size

if TYPE_CHECKING:
    from pathlib import Path

    from layerlab.build import BuildResult
    from layerlab.exercises.kit.bench import Begun, Bench
    from layerlab.exercises.kit.file_task import FileTask
    from layerlab.image import Image
    from layerlab.inspection import Inspection
    from layerlab.probe import Contents, CopiedItem, Probe

_T = TypeVar("_T")
# What an exercise's attempts share: what was asked, and of which image → the answer.
Remembered = dict[Hashable, Any]
_AS_IT_WAS = "the service as it was, to compare with"
# runc and crun, as Docker and Podman hand it on: the image is there, and its start command is not.
_NO_COMMAND = re.compile(r"executable file .*not found|no such file or directory|permission denied|exec format error")


class NeedsEngine(Exception):
    """A static look came to the first thing that only an engine can say."""


class Trial:
    """What a Dockerfile did. Ask for what a check needs: nothing is built before something needs it.

    Every attribute raises what its first asking raised, again and again, and asks nobody a second time.

    Parameters
    ----------
    tag
        Asked for the name of the image once it is built.
    remembered
        What earlier trials at the same bench were told of images that do not change between attempts: the service as it
        was, and what lies in an image. An image is known by its id, so other files or another Dockerfile of before make
        another image, which is asked anew. Only answers are remembered, never errors.

    Attributes
    ----------
    asking
        Name of the check that waits for what was asked for last: where a measurement cannot be made,
        this is what is left undecided.
    """

    def __init__(
        self,
        bench: Bench,
        task: FileTask,
        text: str,
        *,
        tag: Callable[[], str] | None = None,
        has_engine: bool = True,
        remembered: Remembered | None = None,
    ) -> None:
        self.bench = bench
        self.task = task
        self.text = text
        self.asking = "reads"
        self._tag = tag
        self.on_event: Callable[[Any], None] | None = None
        self._has_engine = has_engine
        self._is_cancelled = False
        self._begun: Begun | None = None
        self._known: dict[str, Any] = {}
        self._remembered: Remembered = {} if remembered is None else remembered

    @property
    def mounts(self) -> Mapping[str, str]:
        """Folder of this machine → place in the container, for services that need one; see `Engine.start`."""
        return {}

    @property
    def starter(self) -> str:
        """What the learner began with."""
        return given(self.bench, self.task.app, self.task.starter)

    @property
    def dockerfile(self) -> Dockerfile:
        """The text as a Dockerfile. Raises DockerfileError with the line."""
        return self._once("dockerfile", partial(parse, self.text))

    @property
    def built(self) -> BuildResult:
        """The finished build. Raises BuildFailed, DockerfileError, ContextError, NotRecorded."""
        return self._ask("built", "builds", lambda: self._build(tag=self._tag() if self._tag else None))

    @property
    def image(self) -> Image:
        """The image of the last stage; see `built`."""
        return self.built.image

    @property
    def base(self) -> Image:
        """The image that the last stage stands on, however many stages lie between."""
        return self._ask("base", "luggage", lambda: self._look_for_base(self.dockerfile))

    @property
    def base_reference(self) -> str:
        """How the file names that image, arguments filled in; needs no engine."""
        return self._base_of(self.dockerfile)

    @property
    def probe(self) -> Probe:
        """What the service answers to the task's paths. Raises DoesNotServe where it does not even start."""
        return self._ask("probe", "serves", lambda: self._probe(self.image, stopping=self.task.stopping))

    @property
    def read_only_probe(self) -> Probe:
        """The same with a root folder that nobody can write to."""
        return self._ask("read-only", "read-only", lambda: self._probe(self.image, read_only=True))

    @property
    def contents(self) -> Contents:
        """What lies in the image: distributions, application, tools."""
        return self._contents(self.image)

    @property
    def base_contents(self) -> Contents:
        """What lies in the base already."""
        return self._contents(self.base)

    @property
    def added(self) -> Contents:
        """What lies in the image and not in its base."""
        return self.contents.added_to(self.base_contents)

    @property
    def copied_files(self) -> tuple[CopiedItem, ...]:
        """What each `COPY --from` of the last stage carries, whatever a later line hides of it."""

        def copied() -> tuple[CopiedItem, ...]:
            return self.bench.copied(self.task.app, self.task.file, text=self.text)

        return self._ask("copied_files", "no installer added", copied)

    @property
    def image_before(self) -> Image:
        """The image of the service as it was, before the learner touched it."""
        return self._ask("image before", "same answers", self._build_before)

    @property
    def added_before(self) -> int:
        """The bytes that one added to the base that it stood on."""
        return self.image_before.added_bytes(self.base_before)

    @property
    def base_before(self) -> Image:
        """The image that one stands on."""
        written = given(self.bench, self.task.app, self._name_before)
        return self._ask("base before", "luggage", lambda: self._look_for_base(parse(written)))

    @property
    def before(self) -> Probe:
        """What that one answered."""

        def probe() -> Probe:
            image = self.image_before
            with about("the service as it was"):
                return self._once_a_session(("probe", image.id, *self.task.paths), lambda: self._probe(image))

        return self._ask("before", "same answers", probe)

    @property
    def inspection(self) -> Inspection:
        """What the image's layers hold, and hide."""
        return self._ask("inspection", "waste", lambda: self.bench.inspect(self.built, base=self.base))

    @property
    def inspection_before(self) -> Inspection:
        """The same of the service as it was, on the base of now."""

        def inspect() -> Inspection:
            image, base = self.image_before, self.base
            with about("the service as it was"):
                return self._once_a_session(
                    ("inspection", image.id, base.id), lambda: self.bench.inspect(image, base=base)
                )

        return self._ask("inspection before", "waste", inspect)

    @property
    def sizes(self) -> Sizes:
        """What the image is made of; luggage is what was added and no running service needs."""
        return self._ask("sizes", "luggage", lambda: self._weigh(self.image, self.base))

    @property
    def sizes_before(self) -> Sizes:
        """The same of the service as it was, above the base that it stood on then."""
        return self._ask("sizes before", "luggage", self._weigh_before)

    @property
    def is_weighed(self) -> bool:
        """True where a check has asked for the sizes already."""
        return "sizes" in self._known

    @property
    def final_sizes(self) -> Sizes | None:
        """The sizes, where an image came of it and can be weighed; builds nothing for it."""
        if not isinstance(self._known.get("built"), LayerLabError | None):
            with suppress(LayerLabError):
                return self.sizes
        return None

    @property
    def weight(self) -> str:
        """What the image takes on disk, beside what the service took before where a check built that."""
        before = self._known.get("image before")
        now = size(self.image.size_bytes)
        return now if before is None or isinstance(before, LayerLabError) else f"{size(before.size_bytes)} → {now}"

    def stage(self, name: str) -> Image:
        """Return the image of one stage, by name or number: what a COPY could have taken from."""
        return self._ask(f"stage {name}", "luggage", lambda: self._build(target=name, what=f"stage {name} alone").image)

    def rebuilt(self, changed: Mapping[str, str]) -> BuildResult:
        """Build again as after an edit: file → its other content. The build before it fills the cache."""

        def build() -> BuildResult:
            assert self.built
            return self._build(changed=changed, what=f"it again after an edit of {', '.join(sorted(changed))}")

        return self._ask(f"rebuilt {sorted(changed.items())}", "rebuild", build)

    def unbuilt(self) -> Trial:
        """Return the same text for a look without an engine: what only an engine can say raises NeedsEngine."""
        return Trial(self.bench, self.task, self.text, has_engine=False)

    def cancel(self) -> None:
        """End what runs, from any thread; whoever waits for it gets BuildCancelled."""
        self._is_cancelled = True
        if self._begun:
            self._begun.cancel()

    # --- asking --------------------------------------------------------------------------------

    def _ask(self, key: str, check: str, ask: Callable[[], _T]) -> _T:
        if not self._has_engine:
            raise NeedsEngine(check)
        self._refuse_if_cancelled()
        if key not in self._known:
            self.asking = check
        return self._once(key, ask)

    def _once(self, key: str, ask: Callable[[], _T]) -> _T:
        if key not in self._known:
            try:
                self._known[key] = ask()
            except BuildCancelled:
                raise
            except LayerLabError as error:
                self._known[key] = error
        if isinstance(known := self._known[key], LayerLabError):
            raise known
        made: _T = known
        return made

    def _once_a_session(self, question: Hashable, ask: Callable[[], _T]) -> _T:
        """Return what an earlier trial was answered, or ask and remember it."""
        if question not in self._remembered:
            self._remembered[question] = ask()
        known: _T = self._remembered[question]
        return known

    def _build(
        self,
        *,
        tag: str | None = None,
        target: str | None = None,
        changed: Mapping[str, str] | None = None,
        what: str = "",
    ) -> BuildResult:
        """Build this text, telling its events; with ``what``, a variant of it, of which only that is told."""
        task = self.task
        begun = self.bench.begin(
            task.app, text=self.text, dockerfile=task.file, tag=tag, target=target, changed=changed,
            builder=task.builder,
        )  # fmt: skip
        return self._run(begun, what)

    def _run(self, begun: Begun, what: str) -> BuildResult:
        self._begun = begun
        if self._is_cancelled:  # between the last look and now
            begun.cancel()
        try:
            if what or self.on_event is None:  # a check cell has no panel that shows the build
                return built(begun, what or self.task.file)
            return begun.run(self.on_event)
        finally:
            self._begun = None

    def _refuse_if_cancelled(self) -> None:
        if self._is_cancelled:
            raise BuildCancelled("This attempt was cancelled. Press Build & check to try it again.")

    def _probe(self, image: Image, *, read_only: bool = False, stopping: bool = False) -> Probe:
        options: dict[str, Any] = {"mounts": self.mounts} if self.mounts else {}
        options |= {"stopping": True} if stopping else {}
        try:
            return self.bench.probe(image, *self.task.paths, read_only=read_only, **options)
        except EngineRefused as refused:
            if _NO_COMMAND.search(str(refused)):
                raise DoesNotServe(f"The container did not start: {refused}") from refused
            raise

    def _build_before(self) -> Image:
        context = BuildContext.open(self.bench.folder(self.task.app), self._name_before)
        made_from = ("image", self.task.app, context.text, context.digest(["."]), self.task.builder)
        if (known := self._remembered.get(made_from)) is not None and self._is_there(known):
            image: Image = known
            return image
        try:
            begun = self.bench.begin(self.task.app, dockerfile=self._name_before, builder=self.task.builder)
            image = self._run(begun, _AS_IT_WAS).image
        except NotRecorded as missing:
            # Its lines are of the file that was given, and a learner would look for them in their own.
            raise NotRecorded(f"The service as it was is not recorded. {missing}") from missing
        self._remembered[made_from] = image
        return image

    def _is_there(self, image: Image) -> bool:
        # `layerlab clean` may have removed it since, and questions to come need it.
        with suppress(ImageNotFound):
            return self.bench.image(image.id).id == image.id
        return False

    @property
    def _name_before(self) -> str:
        return self.task.before or self.task.starter

    def _look_for_base(self, dockerfile: Dockerfile) -> Image:
        if (reference := self._base_of(dockerfile)) == SCRATCH.name:
            raise BaseError(
                "An image on scratch brings a whole system along, and what of that is luggage no base can tell. "
                "Stand it on a base with a Python to have it weighed."
            )
        return self.bench.image(reference)

    def _base_of(self, dockerfile: Dockerfile) -> str:
        declared = {name for arg in dockerfile.global_args for name, _ in arg.pairs}
        stages = resolve(dockerfile, build_args=self.bench.arguments(declared)).stages
        stage = stages[-1]
        while (below := stage.stage.base_stage) is not None:
            stage = stages[below]
        return stage.base

    def _weigh_before(self) -> Sizes:
        return self._weigh(self.image_before, self.base_before)

    def _weigh(self, image: Image, base: Image) -> Sizes:
        added = image.added_bytes(base)
        needed = (self._used if self.task.weighs_running else self._there)(image, base)
        return Sizes(base.size_bytes, needed, added - needed)

    def _there(self, image: Image, base: Image) -> int:
        return self._contents(image).needed_bytes(self._contents(base))

    def _used(self, image: Image, base: Image) -> int:
        question = ("running", image.id, base.id, *self.task.paths)
        used = self._ask(
            f"running {image.id}",
            "luggage",
            lambda: self._once_a_session(question, lambda: self.bench.running(image, *self.task.paths, base=base)),
        )
        # The application of before is whole: what lies beside it now is not needed for that.
        own = min(self._contents(one).application_bytes for one in (image, self.image_before))
        return used.needed_bytes + own

    def _contents(self, image: Image) -> Contents:
        # Often the base of now is the base of before: each image is asked once.
        return self._ask(
            f"contents of {image.id}",
            "luggage",
            lambda: self._once_a_session(("contents", image.id), lambda: self.bench.contents(image)),
        )


def given(bench: Bench, app: str | Path, name: str) -> str:
    """Return a file of a service as the course ships it."""
    return (bench.folder(app) / name).read_text(encoding="utf-8")
