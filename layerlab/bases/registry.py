"""Fetches a base from its registry or a configured mirror, through the engine. Builds nothing, never waits for ever."""

from __future__ import annotations

import os
import queue
import re
import time
from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from layerlab.bases.progress import OnProgress, PullMeter
from layerlab.bases.specs import Wanted
from layerlab.engine.protocol import Engine
from layerlab.errors import (
    BaseUnavailable,
    DigestMismatch,
    EngineError,
    ImageNotFound,
    LayerLabError,
    NoNetwork,
    PullFailed,
    RateLimited,
)

PREFIX = "LAYERLAB_BASE_PREFIX"
MIRROR = "LAYERLAB_REGISTRY_MIRROR"
DOCKER_HUB = "https://registry-1.docker.io"

# A registry that is reachable names the image's layers in a second or two. A closed network often drops packets
# instead of refusing them, and then dockerd itself would wait for minutes.
FIRST_ANSWER_SECONDS = 8.0
# dockerd tries a layer again five times, five seconds longer each time, and says so; silence is something else.
SILENCE_SECONDS = 120.0

Cancelled = Callable[[], bool]

# The last is the containerd store's (28.5): "failed to resolve reference …: not found".
_LACKS = re.compile(r"manifest unknown|pull access denied|failed to resolve reference .*: not found", re.DOTALL)
_MISMATCH = re.compile(
    r"manifest verification failed|does not match (?:the )?(?:provided )?digest|content digest .*mismatch"
    r"|unexpected commit digest"  # containerd 2.1
)


def never() -> bool:
    """Say that nobody has cancelled."""
    return False


def fetch(
    engine: Engine,
    wanted: Wanted,
    *,
    on_progress: OnProgress | None = None,
    cancelled: Cancelled = never,
    first_answer_seconds: float = FIRST_ANSWER_SECONDS,
    silence_seconds: float = SILENCE_SECONDS,
) -> None:
    """Pull a base; afterwards the engine knows it under the name that was asked for.

    Parameters
    ----------
    first_answer_seconds
        How long the registry may take to say anything at all.

    Raises
    ------
    NoNetwork
        Nothing answered, or not in time.
    RateLimited
        The registry counts this address as one that pulled enough.
    DigestMismatch
        What came is not what the digest names.
    PullFailed
        The registry answered and the image did not arrive.
    BaseUnavailable
        The registry has no such image.
    BuildCancelled
        ``cancelled`` said so.
    """
    from layerlab.bases.pull import Pull

    source = source_of(wanted)
    meter = PullMeter(wanted.reference)
    pull = Pull(engine, source.pinned)
    try:
        for event in pull.events(
            cancelled=cancelled, first_answer_seconds=first_answer_seconds, silence_seconds=silence_seconds
        ):
            progress = meter.read(event.data)
            if on_progress:
                on_progress(progress)
    except (EngineError, PullFailed) as error:
        raise _explained(error, wanted, source) from error
    finally:
        pull.stop()
    _check_digest(engine, wanted, source)
    _name(engine, wanted, source)


def source_of(wanted: Wanted, prefix: str | None = None) -> Wanted:
    """Say where a base is pulled from: ``LAYERLAB_BASE_PREFIX`` before its name, if that is set.

    >>> source_of(Wanted("python:3.12-slim", key="slim"), "127.0.0.1:5000/library/").reference
    '127.0.0.1:5000/library/python:3.12-slim'
    """
    before = os.environ.get(PREFIX, "") if prefix is None else prefix
    if not before or wanted.key is None:
        return wanted
    return Wanted(f"{before.rstrip('/')}/{wanted.reference}", wanted.digest, wanted.key, wanted.minor)


@cache
def answers(seconds: float = 3.0) -> bool:
    """Ask, once a process, whether any registry can be reached from this machine within ``seconds``.

    Notes
    -----
    Meant for the private engine, which lives on this machine and has our environment's proxies. Every HTTP status
    is an answer: Docker Hub's to a stranger is 401.
    """
    import threading

    found: queue.SimpleQueue[bool] = queue.SimpleQueue()
    for url in _addresses():
        # A thread, since no time limit reaches the name lookup inside.
        threading.Thread(target=lambda url=url: found.put(_answers(url, seconds)), daemon=True).start()
    deadline = time.monotonic() + seconds
    for _ in _addresses():
        try:
            if found.get(timeout=max(0.0, deadline - time.monotonic())):
                return True
        except queue.Empty:
            return False
    return False


def _addresses() -> tuple[str, ...]:
    prefix = os.environ.get(PREFIX, "")
    named = [prefix.split("/")[0]] if prefix else [one.strip() for one in os.environ.get(MIRROR, "").split(",")]
    urls = tuple(_url(name) for name in named if name)
    # With a prefix only that place is asked for bases; mirrors stand before Docker Hub, which stays behind them.
    return urls if prefix else (*urls, DOCKER_HUB)


def _url(name: str) -> str:
    if "://" in name:
        return name.rstrip("/")
    host = urlsplit(f"//{name}").hostname or ""
    return f"{'http' if host == 'localhost' or host.startswith('127.') else 'https'}://{name}"


def _answers(url: str, seconds: float) -> bool:
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, build_opener

    host = urlsplit(url).hostname or ""
    direct = host == "localhost" or host.startswith("127.")
    try:
        with build_opener(*([ProxyHandler({})] if direct else [])).open(f"{url}/v2/", timeout=seconds):
            return True
    except HTTPError:
        return True
    except (OSError, ValueError):
        return False


def _explained(error: Exception, wanted: Wanted, source: Wanted) -> LayerLabError:
    """Say of a pull that failed what happened and what to do, for each kind of failure."""
    said = str(error.__cause__ or error)
    if isinstance(error, RateLimited):
        return RateLimited(
            f"The registry sends {source.pinned} no more for now: too many pulls from this address (Docker Hub "
            "allows 100 in six hours, everybody behind one router together). Wait up to six hours, run `docker login`, "
            f"or name a mirror in {PREFIX} (as in `mirror.example/library/`) or {MIRROR}; `layerlab engine start` "
            "gives a private engine with stand-ins."
        )
    if isinstance(error, NoNetwork):
        return NoNetwork(
            f"The registry of {source.pinned} cannot be reached ({_first_line(said)}). Check network and proxy "
            f"(`layerlab doctor`), or name a mirror that is reachable in {PREFIX} or {MIRROR}."
        )
    if wanted.digest and _MISMATCH.search(f"{error} {said}"):
        return _mismatch(wanted, "something else")
    if isinstance(error, ImageNotFound) or _LACKS.search(said):
        return BaseUnavailable(
            f"The registry has no {source.pinned}. Look at the name in FROM"
            + (f", or at {PREFIX}." if source is not wanted else ".")
        )
    return error if isinstance(error, LayerLabError) else PullFailed(str(error))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else "no reason given"


def _check_digest(engine: Engine, wanted: Wanted, source: Wanted) -> None:
    if wanted.digest is None:
        return
    known = {str(one).partition("@")[2] for one in engine.inspect(source.pinned).get("RepoDigests") or ()}
    if wanted.digest not in known:
        raise _mismatch(wanted, ", ".join(sorted(known)) or "an image without a digest")


def _mismatch(wanted: Wanted, got: str) -> DigestMismatch:
    return DigestMismatch(
        f"{wanted.reference} is pinned to {wanted.digest}, and the registry sent {got}. Don't use it; compare the "
        "digest with the one that the image's publisher names, and mend the pin or the mirror."
    )


def _name(engine: Engine, wanted: Wanted, source: Wanted) -> None:
    """Give what came from a mirror the name the Dockerfiles use, if nobody's image bears it."""
    if source is wanted:
        return
    if wanted.digest is None:
        try:
            engine.inspect(wanted.reference)
        except ImageNotFound:
            repository, _, tag = wanted.reference.rpartition(":")
            # Not the seam's `tag`, which names images of ours only: this one stays the registry's.
            engine.client.images.get(source.pinned).tag(repository, tag)
            _note(engine, wanted.reference)


def _note(engine: Engine, reference: str) -> None:
    """Enter the second name among the pulled bases, which `clean` offers and never removes by itself."""
    from layerlab.engine.live import LiveEngine

    if isinstance(engine, LiveEngine):
        engine.journal.note("base", reference)
