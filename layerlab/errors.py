"""Every error Layer Lab raises. Knows no other module, so everything may import it.

Each message says what happened (with the offending value) and then what to do.
"""

from __future__ import annotations


class LayerLabError(Exception):
    """Base of all errors of this package; a notebook shows its message, not its frames."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this hook before it prints frames. Forty frames of the Docker SDK
        # teach nobody anything; the cause stays chained for whoever wants `raise … from`.
        return [f"{type(self).__name__}: {self}"]


# --- engines ---------------------------------------------------------------------------------


class EngineError(LayerLabError):
    """The engine could not do what was asked of it."""


class NoEngine(EngineError):
    """No engine was found, and one was asked for by name."""


class EngineUnreachable(EngineError):
    """An engine was named (DOCKER_HOST, context, socket) and nothing answers there."""


class EnginePermission(EngineError):
    """The engine's socket is there, but this user may not open it."""


class EngineGone(EngineError):
    """The engine answered before and stopped answering in the middle of a request."""


class EngineRefused(EngineError):
    """The engine answered with an error that has no class of its own here."""


class DiskFull(EngineError):
    """No space is left where the engine or the course has to write."""


class PortTaken(EngineError):
    """The host port that a container should be published on is in use."""


class ImageNotFound(EngineError):
    """The engine holds no image of that name or id."""


class NotOurs(EngineError):
    """The tag, image or container belongs to the user, so it is left alone."""


class NoBuildKit(EngineError):
    """A build needs BuildKit, and there is no buildx here to drive it, or the engine builds with another builder."""


class PrivateEngineError(EngineError):
    """The private engine could not be installed, started, stopped or purged."""


class NoRegistry(EngineError):
    """No registry of the course's own can run on this machine, or the engine can't reach it."""


# --- image archives --------------------------------------------------------------------------


class ArchiveError(LayerLabError):
    """An image archive is damaged, cut off, hostile, or no image archive at all. Nothing of it was unpacked."""


# --- recordings ------------------------------------------------------------------------------


class NotRecorded(EngineError):
    """The recordings do not hold this step, run or request; only a live engine can answer.

    For a build it carries the first unrecorded ``step`` of ``total``, how many were ``replayed`` before
    it, and the ``image_id`` they led to.
    """

    def __init__(
        self,
        message: str,
        *,
        step: int | None = None,
        total: int | None = None,
        instruction: str | None = None,
        line: int | None = None,
        replayed: int = 0,
        image_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.step = step
        self.total = total
        self.instruction = instruction
        self.line = line
        self.replayed = replayed
        self.image_id = image_id


class RecordingDamaged(EngineError):
    """A recording cannot be read or does not match its own checksum."""


# --- bases -----------------------------------------------------------------------------------


class BaseError(LayerLabError):
    """A base image cannot be provided."""


class BaseUnavailable(BaseError):
    """Neither registry, mirror, bundle nor stand-in can provide this base."""


class BaseNotReady(BaseError):
    """The stand-in for this base is still being built."""


class PullFailed(BaseError):
    """A registry answered, but the image did not arrive."""


class RateLimited(PullFailed):
    """The registry refuses further pulls for now (HTTP 429)."""


class NoNetwork(PullFailed):
    """The registry could not be reached at all."""


class DigestMismatch(PullFailed):
    """What the registry sent is not what the pinned digest names."""


class BaseMismatch(BaseError):
    """An image does not stand on the base that it is compared with."""


# --- Dockerfile, context, build --------------------------------------------------------------


class DockerfileError(LayerLabError):
    """A Dockerfile cannot be read; carries the 1-based ``line`` and ``column`` of the fault."""

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class ContextError(LayerLabError):
    """The build context is missing, unreadable, or lacks a file the Dockerfile copies."""


class ComposeError(LayerLabError):
    """A compose file cannot be read, or asks for something that the course does not know."""


class ReviewError(LayerLabError):
    """A file cannot be reviewed: it cannot be read, or is no Dockerfile."""


class BuildFailed(LayerLabError):
    """A build stopped at a step; carries everything needed to show where and why."""

    def __init__(
        self,
        message: str,
        *,
        step: int | None = None,
        instruction: str | None = None,
        line: int | None = None,
        exit_code: int | None = None,
        log_tail: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.step = step
        self.instruction = instruction
        self.line = line
        self.exit_code = exit_code
        self.log_tail = log_tail


class BuildCancelled(LayerLabError):
    """The learner, or an interrupted kernel, cancelled the build."""


# --- running, answering, releasing -----------------------------------------------------------


class DoesNotServe(LayerLabError):
    """A container started but did not answer as a service should."""


class AnswerError(LayerLabError):
    """An answer file cannot be read or written, or holds something that is no answer."""


class CheckFailed(LayerLabError):
    """A visible check cell found that not every check passed."""


class ReleaseError(LayerLabError):
    """A solution cannot be turned into an exercise, or a released exercise has drifted."""


class SetupError(LayerLabError):
    """The environment of the course could not be prepared."""
