"""The seam between the course and whatever builds: a handful of verbs, and nothing of any one engine.

Live, recorded and recording engines all have this shape; the contract suite holds them to it.
Raw API answers (dicts) cross this seam upwards only as far as `build`, which turns them into values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from layerlab.archive import LayerFiles, PackedLayer
    from layerlab.context import BuildContext
    from layerlab.engine.mounts import Missing
    from layerlab.engine.registry import Registry

EngineKind = Literal["docker", "podman", "private", "recorded"]
Builder = Literal["classic", "buildah", "buildkit"]
# Under which a session names its images unless it is told another namespace.
USUAL_NAMESPACE = "layerlab/"


@dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """Which engine answers, and why it was chosen.

    For a recorded engine ``name``, ``version``, ``platform``, ``storage`` and ``builder`` are those of the
    engine that was recorded, and ``recorded_on`` says when. ``builder`` is what builds. ``is_fresh`` engines have no
    build cache from before this session, or behave as if. Below ``namespace`` lie all names that this session may give
    to images; it ends with a slash.
    """

    kind: EngineKind
    name: str
    version: str
    api_version: str
    platform: str
    storage: str
    builder: Builder
    endpoint: str
    why: str
    recorded_on: date | None = None
    is_fresh: bool = False
    namespace: str = USUAL_NAMESPACE

    @property
    def is_live(self) -> bool:
        """True where builds really run."""
        return self.kind != "recorded"


def engine_text(info: EngineInfo) -> str:
    """Say which engine the numbers come from, and when it was recorded, if it was."""
    said = "Live on" if info.is_live else f"Recorded on {info.recorded_on:%-d %b %Y} with"
    # Distributions append their own mark ("20.10.24+dfsg1"), which says nothing to a learner.
    return f"{said} {info.name} {info.version.partition('+')[0]}"


@dataclass(frozen=True)
class RawEvent:
    """One event as the engine sent it; ``at`` is seconds since the build began, stamped on arrival."""

    at: float
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that a container may use; None leaves it to the engine.

    ``memory_bytes`` counts swap too, ``cpus`` may be a fraction of one, and ``pids`` counts processes and threads.
    """

    memory_bytes: int | None = None
    cpus: float | None = None
    pids: int | None = None


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """What is to be built. ``tag`` must lie in the session's namespace; see `EngineInfo`.

    ``builder`` is for recordings made with the older builder, which hold some builds by BuildKit besides: a live
    engine builds with the one that it has. ``secrets`` are contents by the id under which ``RUN --mount=type=secret``
    knows them; only BuildKit can hand them over. There are no limits: BuildKit heeds none.
    """

    context: BuildContext
    tag: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    no_cache: bool = False
    network: str | None = None
    builder: Literal["buildkit"] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class StartRequest:
    """A container that is to be started.

    Attributes
    ----------
    command
        Replaces CMD, not ENTRYPOINT.
    ports
        Container ports to publish on a free port of 127.0.0.1, or container port → host port.
    mounts
        ``volume-or-folder → "/path:ro"`` in the container. A folder is one of this machine, by its full path; an
        engine that does not see this machine's folders gets a copy in a volume, which goes with the container.
    missing
        What to do where such a folder is not there: refuse it, as ``--mount`` does, or let the engine make an
        empty one, as ``-v`` does.
    """

    image: str
    command: Sequence[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    read_only: bool = False
    ports: Sequence[int] | Mapping[int, int] = ()
    mounts: Mapping[str, str] = field(default_factory=dict)
    missing: Missing = "refuse"
    cap_drop: Sequence[str] = ()
    network: str | None = None
    limits: Limits = Limits()


class BuildHandle(Protocol):
    """A build under way. Iterate it for events; ``cancel`` may be called from any thread, more than once."""

    def __iter__(self) -> Iterator[RawEvent]:
        """Yield events until the build ends.

        A failing build ends with the engine's own ``error`` event. Raises EngineGone, DiskFull,
        BuildCancelled, DockerfileError or NotRecorded.
        """

    def cancel(self) -> None:
        """End the build soon; no image of it stays, and steps that had ended are build cache."""

    @property
    def image_id(self) -> str | None:
        """Id of the image once the events are exhausted and the build succeeded."""


@dataclass(frozen=True)
class ExecResult:
    """A command that ended in a container: its exit code, and stdout and stderr as one text."""

    exit_code: int
    output: str

    def __repr__(self) -> str:
        # What a notebook shows of it: words, because a constructor call looks like a crash.
        return f"exit code {self.exit_code}\n{self.output.rstrip()}"


@dataclass(frozen=True)
class Response:
    """An HTTP answer from a service in a container."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Stopped:
    """How a container ended when it was asked to: exit code, and seconds from the signal to the end."""

    exit_code: int
    seconds: float


class Container(Protocol):
    """A container that we started. As a context manager it is removed on leaving."""

    @property
    def id(self) -> str:
        """The container's id."""

    def exec(self, command: Sequence[str], *, user: str | None = None) -> ExecResult:
        """Run a command in it and wait; a missing program gives exit code 126 or 127, not an error."""

    def request(self, path: str = "/", *, port: int = 8000, wait_seconds: float = 20.0) -> Response:
        """Send an HTTP GET to a published port, waiting up to ``wait_seconds`` until something listens.

        Raises DoesNotServe where nothing answered in time, with the container's last log lines.
        """

    def logs(self) -> str:
        """Return stdout and stderr so far."""

    def wait(self, *, seconds: float = 60.0) -> int:
        """Wait until its main process ends by itself and return the exit code."""

    def stop(self, *, grace_seconds: float = 10.0) -> Stopped:
        """Send SIGTERM, then SIGKILL after the grace period."""

    def remove(self) -> None:
        """Remove it, running or not. Removing twice is no error."""

    def __enter__(self) -> Container:
        """Return itself."""

    def __exit__(self, *exc_info: object) -> None:
        """Remove the container."""


class Engine(Protocol):
    """What the course asks of an engine. Sizes are bytes, histories base-first nowhere yet: raw is raw."""

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""

    @property
    def client(self) -> Any:
        """The Docker SDK's client, or, replayed, an object with just the calls that notebooks show raw."""

    def build(self, request: BuildRequest) -> BuildHandle:
        """Start a build: with BuildKit on Docker, through buildx; with its own builder on Podman.

        Raises NotOurs where ``tag`` is held by an image we did not make, and NoBuildKit where there is no buildx, or
        where the build mounts a secret and the engine's builder can't be given one.
        """

    def inspect(self, image: str) -> dict[str, Any]:
        """Return the raw answer of ``GET /images/{image}/json``. Raises ImageNotFound."""

    def history(self, image: str) -> list[dict[str, Any]]:
        """Return the raw answer of ``GET /images/{image}/history``, newest first. Raises ImageNotFound."""

    def save(self, image: str) -> Iterator[bytes]:
        """Stream the image archive (`docker save`)."""

    def layer_files(self, image: str) -> tuple[LayerFiles, ...]:
        """Return what each layer of the image holds, base-first. A layer is read once and then kept by its diff_id.

        Raises ImageNotFound, ArchiveError or NotRecorded.
        """

    def layer_sizes(self, image: str) -> tuple[int, ...]:
        """Return the size on disk of each layer, base-first: the bytes of its files, read from the layer.

        Never from the engine's history, which on the containerd store counts whole blocks. A layer that is unknown is
        read first, which takes seconds where the engine has to send it; `layerlab.narration` tells of that.

        Raises ImageNotFound, ArchiveError or NotRecorded.
        """

    def packed_layers(self, image: str) -> tuple[PackedLayer, ...]:
        """Return what each layer of the image takes packed, base-first; measured once, then kept by its diff_id.

        Raises ImageNotFound, ArchiveError or NotRecorded.
        """

    def pull(self, reference: str) -> Iterator[RawEvent]:
        """Pull an image, yielding the registry's progress events as they come.

        Raises RateLimited, NoNetwork, PullFailed or ImageNotFound.
        """

    def push(self, reference: str) -> Iterator[RawEvent]:
        """Push an image under a tag of ours."""

    def registry(self) -> Registry:
        """Open a registry of the course's own, empty, which this engine can reach; close it after use.

        Raises
        ------
        NoRegistry
            There is no program to be one, or the engine is out of its reach.
        """

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name. Raises NotOurs where that name is the user's."""

    def start(self, request: StartRequest) -> Container:
        """Start a container and return at once.

        Raises
        ------
        EngineRefused
            A mount or a limit cannot be had on this engine, or it cannot start the command.
        ImageNotFound, PortTaken, NotRecorded
        """

    def run(self, image: str, command: Sequence[str] | None = None, *, user: str | None = None) -> ExecResult:
        """Run a container to its end, remove it, and return what it printed."""

    def remove(self, image: str) -> None:
        """Remove an image, or its tag, that the journal owns. Raises NotOurs otherwise."""

    def images(self) -> list[dict[str, Any]]:
        """Return the raw answer of ``GET /images/json``."""

    def close(self) -> None:
        """Close connections. Containers and images stay."""
