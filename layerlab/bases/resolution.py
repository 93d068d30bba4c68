"""Finds the image behind a FROM: present, else registry or mirror, else stand-in. Never changes the engine."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from layerlab import build
from layerlab.bases import background, inventory, registry
from layerlab.bases.progress import OnProgress, Progress
from layerlab.bases.registry import Cancelled, never
from layerlab.bases.specs import BASES, Wanted, parse
from layerlab.engine.protocol import Engine
from layerlab.errors import (
    BaseNotReady,
    BaseUnavailable,
    BuildCancelled,
    DigestMismatch,
    ImageNotFound,
    NoNetwork,
    NotRecorded,
    PullFailed,
)
from layerlab.image import Image

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Base:
    """A base that is there: its image, and whether it is a stand-in of ours. ``digest`` is the registry's."""

    reference: str
    image: Image
    is_standin: bool
    digest: str | None


def resolve(
    engine: Engine,
    reference_or_key: str,
    *,
    on_progress: OnProgress | None = None,
    wait: bool = True,
    cancelled: Cancelled = never,
) -> Base:
    """Provide a base on this engine: present, else pulled, else (private engine only) a stand-in.

    Parameters
    ----------
    reference_or_key
        "slim", "full", "musl", "distroless", or what stands after FROM; a digest pinned there is checked.
    wait
        False: where the stand-in still has to be built, see to it that it is being built, and raise BaseNotReady.
    cancelled
        Asked a few times a second. Ends the pull, or the waiting; a build in the background goes on.

    Raises
    ------
    BaseUnavailable
        No way leads to this base from here; says which ways there would be.
    BaseNotReady
        See ``wait``.
    NoNetwork, RateLimited, PullFailed, DigestMismatch
        Pulling was the only way, and failed.
    NotRecorded
        The recordings do not hold this base.
    BuildCancelled
        ``cancelled`` said so.
    """
    wanted = _wanted(engine, reference_or_key)
    if found := present(engine, wanted):
        return found
    if not engine.info.is_live:
        raise NotRecorded(
            f"The recordings do not hold the base {wanted.pinned}. Use `ARG PY_MINOR={inventory.py_minor(engine)}` "
            "and the bases of the course, or start an engine (`layerlab engine start`)."
        )
    if _is_standin_by_name(wanted):
        _refuse_elsewhere(engine, wanted)
    elif not _is_being_built(engine, wanted):
        try:
            registry.fetch(engine, wanted, on_progress=on_progress, cancelled=cancelled)
            return _needed(engine, wanted)
        except DigestMismatch:
            raise
        except (PullFailed, BaseUnavailable) as error:
            _refuse_without_standin(engine, wanted, error)
    return _standin(engine, wanted, on_progress=on_progress, wait=wait, cancelled=cancelled)


def present(engine: Engine, wanted: Wanted) -> Base | None:
    """Return the base if the engine holds it, as somebody's own image or as a stand-in that says so."""
    name = _name(engine, wanted)
    if name is None:
        return None
    image = build.image(engine, name)
    named = [str(one).partition("@") for one in engine.inspect(name).get("RepoDigests") or ()]
    is_standin = image.config.label(inventory.STANDIN) == "true"
    # Podman and the containerd store compute a digest for whatever was built or loaded, and no registry knows it.
    digests = [digest for repo, _, digest in named if not (is_standin or repo.startswith("localhost/"))]
    if wanted.digest and wanted.digest not in digests:
        return None
    return Base(
        reference=wanted.reference,
        image=image,
        is_standin=is_standin,
        digest=wanted.digest or (digests[0] if digests else None),
    )


def _wanted(engine: Engine, reference_or_key: str) -> Wanted:
    return inventory.wanted(engine, reference_or_key) if reference_or_key in BASES else parse(reference_or_key)


def _name(engine: Engine, wanted: Wanted) -> str | None:
    """Find the name under which the engine holds a base: its own, or for a pinned one the mirror's as well."""
    # A digest belongs to the registry it came from, and no engine gives it to another name.
    names = (wanted.pinned, registry.source_of(wanted).pinned) if wanted.digest else (wanted.pinned,)
    for name in names:
        try:
            engine.inspect(name)
        except ImageNotFound:
            continue
        return name
    return None


def _needed(engine: Engine, wanted: Wanted) -> Base:
    found = present(engine, wanted)
    if found is None:
        raise PullFailed(
            f"The pull of {wanted.pinned} ended without an error, and the engine does not hold it. Run it again."
        )
    return found


# --- stand-ins -------------------------------------------------------------------------------


def _is_being_built(engine: Engine, wanted: Wanted) -> bool:
    """True where the stand-in is on its way already: then no registry was there a moment ago."""
    if engine.info.kind != "private" or wanted.key is None or wanted.digest:
        return False
    return background.status().of(wanted.key) is not None


def _is_standin_by_name(wanted: Wanted) -> bool:
    """True for a name that only a stand-in bears, which no registry is asked for."""
    spec = BASES.get(wanted.key or "")
    return spec is not None and not spec.follows_course and wanted.reference != spec.reference()


def _refuse_elsewhere(engine: Engine, wanted: Wanted) -> None:
    if engine.info.kind != "private":
        raise BaseUnavailable(
            f"{wanted.reference} is a stand-in, and those are built in the private engine only. Build with "
            f"{BASES[wanted.key or ''].reference()}, or run `layerlab engine start`, then LAYERLAB_ENGINE=private."
        )


def _refuse_without_standin(engine: Engine, wanted: Wanted, error: Exception) -> None:
    """Raise where no stand-in may or can take this base's place."""
    if engine.info.kind != "private":
        if isinstance(error, NoNetwork):
            raise BaseUnavailable(
                f"{error} Stand-ins are built in the private engine only: `layerlab engine start`, then "
                "LAYERLAB_ENGINE=private."
            ) from error
        raise error
    if wanted.key is None or wanted.digest:
        raise BaseUnavailable(f"{error} A stand-in can take the place of {_names()} only, without a digest.") from error

    from layerlab.bases import system_python

    minor = system_python.minor()
    if wanted.key == "distroless":
        raise BaseUnavailable(
            f"No registry gives {wanted.reference}, and the stand-in made on this machine is called by another name. "
            f"Build with `--build-arg DISTROLESS={BASES[wanted.key].standin_reference(minor)}`, after an "
            f"`ARG DISTROLESS={wanted.reference}` before the first FROM and `FROM ${{DISTROLESS}}` in its place."
        ) from error
    if wanted.minor != minor:
        raise BaseUnavailable(
            f"No registry gives {wanted.reference}, and the stand-ins made on this machine carry Python {minor}. "
            f"Build with `PY_MINOR={minor}` (`docker build --build-arg PY_MINOR={minor}`)."
        ) from error


def _names() -> str:

    from layerlab.bases import system_python

    minor = system_python.minor()
    *names, last = (spec.reference(minor if spec.follows_course else None) for spec in BASES.values())
    return f"{', '.join(names)} and {last}"


def _standin(
    engine: Engine, wanted: Wanted, *, on_progress: OnProgress | None, wait: bool, cancelled: Cancelled
) -> Base:
    """Wait for the process in the background that builds it, starting one where none is at work."""
    started = 0
    while True:
        if found := present(engine, wanted):
            return found
        state = background.status()
        if not state.is_running:
            # Its end and its image may have come between our two looks.
            if found := present(engine, wanted):
                return found
            if started or (state.state == "failed" and not wait):
                raise _failed(wanted, state)
            background.start()
            started += 1
            state = background.status()
        progress = state.of(wanted.key or "") or Progress(wanted.reference, "being prepared", 0.0)
        if not wait:
            raise _not_ready(wanted, progress)
        if on_progress:
            on_progress(replace(progress, reference=wanted.reference))
        if cancelled():
            raise BuildCancelled(f"Waiting for {wanted.reference} was cancelled; it is still built in the background.")
        time.sleep(_POLL_SECONDS)


def _not_ready(wanted: Wanted, progress: Progress) -> BaseNotReady:
    from layerlab.units import duration

    left = f", about {duration(progress.eta_seconds)} left" if progress.eta_seconds else ""
    return BaseNotReady(
        f"The stand-in for {wanted.reference} is being built: {progress.detail} ({progress.fraction:.0%}{left}). "
        "Go on reading, and run this cell again then."
    )


def _failed(wanted: Wanted, state: background.Background) -> BaseUnavailable:
    said = state.message or "the process that built it was ended"
    return BaseUnavailable(
        f"The stand-in for {wanted.reference} could not be built: {said.rstrip('.')}. "
        f"Mend that and run it again, it goes on where it stopped (log: {state.log})."
    )
