"""What an exercise may ask for, as shapes: `layerlab.lab.lab.Lab` has them, and so has a test's double."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from layerlab.events import StepStarted
from layerlab.narration import tell

if TYPE_CHECKING:
    from layerlab.build import BuildResult
    from layerlab.image import Image
    from layerlab.inspection import Inspection
    from layerlab.probe import Contents, CopiedItem, Probe, Running, Start


class Built(Protocol):
    """What a build gave."""

    @property
    def image(self) -> Image:
        """The image."""


class Begun(Protocol):
    """A build under way."""

    def run(self, on_event: Callable[[Any], None] | None = ...) -> BuildResult:
        """Read it to its end."""

    def cancel(self) -> None:
        """End it; ``run`` raises BuildCancelled."""


def built(begun: Begun, what: str) -> BuildResult:
    """Run a build that no panel shows to its end, and tell its steps to whoever listens.

    Parameters
    ----------
    what
        What is built, in words that go on after "building".
    """
    tell(f"building {what}")

    def hear(event: object) -> None:
        if isinstance(event, StepStarted):
            tell(f"building {what}: step {event.number} of {event.total}")

    return begun.run(hear)


class Ran(Protocol):
    """A command that ended in a container."""

    @property
    def exit_code(self) -> int:
        """0 where the command succeeded."""

    @property
    def output(self) -> str:
        """What it printed."""


class Bench(Protocol):
    """What an exercise may ask for."""

    @property
    def work(self) -> Path:
        """The folder of the learner's files."""

    @property
    def namespace(self) -> str:
        """What the names begin with that this session gives to images."""

    @property
    def py_minor(self) -> str:
        """The Python that the bases carry, for `ARG PY_MINOR`."""

    def arguments(self, declared: Collection[str]) -> Mapping[str, str]:
        """Give the ARGs by which Dockerfiles of the course name their bases, as far as they are declared."""

    def folder(self, app: str | Path) -> Path:
        """Return a folder below ``apps``; one that is given whole stays as it is."""

    def base(self, key: str) -> Image:
        """Return the base called "slim", "full", "musl" or "distroless"."""

    def build(self, app: str, dockerfile: str = ..., *, tag: str | None = ...) -> Built:
        """Build a folder below ``apps``."""

    def begin(
        self,
        app: str | Path,
        *,
        text: str | None = ...,
        dockerfile: str = ...,
        tag: str | None = ...,
        target: str | None = ...,
        changed: Mapping[str, str] | None = ...,
        builder: Literal["buildkit"] | None = ...,
    ) -> Begun:
        """Begin a build of a folder below ``apps``, of this text where one is given, and return at once."""

    def edited(self, app: str | Path, name: str) -> dict[str, str]:
        """Return an edit of a file, for ``changed``, that no build has seen: one comment more at its end."""

    def image(self, reference: str) -> Image:
        """Describe an image that is there. Raises ImageNotFound."""

    def run(self, image: str | Image, command: Sequence[str] | None = ...) -> Ran:
        """Run a command in a new container of the image."""

    def probe(
        self,
        image: str | Image,
        *paths: str,
        read_only: bool = ...,
        user: str | None = ...,
        mounts: Mapping[str, str] | None = ...,
        stopping: bool = ...,
    ) -> Probe:
        """Start the service and ask it; with ``stopping`` see how it ends on SIGTERM, too. Raises DoesNotServe."""

    def inspect(self, image: str | Image | BuildResult, *, base: Image | None = ...) -> Inspection:
        """Look into an image: layers, files, waste."""

    def starts(self, image: str | Image, path: str = ..., *, mounts: Mapping[str, str] | None = ...) -> Start:
        """Start the service and say what becomes of it: it answers, or it ends."""

    def contents(self, image: str | Image) -> Contents:
        """List what lies in the image."""

    def running(self, image: str | Image, *paths: str, base: str | Image) -> Running:
        """Let a service answer, and return what it uses that its base has not."""

    def copied(self, app: str | Path, dockerfile: str = ..., *, text: str | None = ...) -> tuple[CopiedItem, ...]:
        """Return what each `COPY --from` of a Dockerfile carries."""
