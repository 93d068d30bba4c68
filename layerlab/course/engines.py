"""Sees to it that an engine runs before the course opens or is tested: the user's own, else a private one.

What connects, fetches and starts is `layerlab.engine`'s; this knows only the order, and what to say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerlab.errors import LayerLabError
from layerlab.setup import steps

if TYPE_CHECKING:
    from layerlab.engine.live import LiveEngine


@dataclass(frozen=True)
class Prepared:
    """What there is to build on.

    Attributes
    ----------
    kind
        The engine's kind; ``recorded`` where there is none to build on.
    started_here
        True where the private engine runs because of this call.
    why_not
        Why there is no live engine, and what to do; None where there is one.
    may_start
        True where nothing stands against a private engine, for nobody named another.
    """

    kind: str
    started_here: bool = False
    why_not: str | None = None
    may_start: bool = False

    @property
    def is_live(self) -> bool:
        """True where builds really run."""
        return self.kind != "recorded"


def prepare_engine() -> Prepared:
    """Find an engine; where there is none, fetch and start the private one, saying so.

    Never raises for want of an engine: the reason comes back as ``why_not``.
    """
    found = find_engine()
    return start_private(found) if found.may_start else found


def find_engine() -> Prepared:
    """Ask `connect` which engine answers; starts nothing and never raises for want of one."""
    from layerlab.engine import connect

    wanted = os.environ.get("LAYERLAB_ENGINE")
    if wanted == "private":
        return Prepared("recorded", why_not="LAYERLAB_ENGINE=private", may_start=True)
    try:
        engine = connect()
    except LayerLabError as error:
        return Prepared("recorded", why_not=str(error))
    info = engine.info
    engine.close()
    if info.is_live:
        steps.say(f"Engine: {info.name} {info.version} ({info.why}).")
        return Prepared(info.kind)
    if wanted:
        return Prepared("recorded", why_not=f"Recordings were asked for ({info.why}).")
    return Prepared("recorded", why_not=info.why, may_start=True)


def variables(kind: str) -> dict[str, str]:
    """Give the variables that kernels and terminals get beside their own, so that `docker build` works as printed.

    Parameters
    ----------
    kind
        Of the engine that is used. The private one is named, and its docker command with the plugins comes first.

    Notes
    -----
    buildx adds an attestation of provenance to each build unless ``BUILDX_NO_DEFAULT_ATTESTATIONS`` is set (buildx
    0.10 and later). It holds times, so a build that comes from the cache whole would be another image each time.
    """
    from layerlab.engine import private

    ours = private.variables() if kind == "private" else {}
    return {**ours, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


def private_is_possible() -> bool:
    """Say whether this user may start an engine on this machine at all."""
    from layerlab.engine import private

    try:
        private.check_system()
    except LayerLabError:
        return False
    return True


def live_engines() -> Iterator[LiveEngine]:
    """Open every live engine the course may have worked on: the one `connect` picks, and the private one.

    Raises
    ------
    EngineError
        An engine was named and does not answer.
    """
    from layerlab.engine import connect, private
    from layerlab.engine.live import LiveEngine

    chosen = connect()
    if isinstance(chosen, LiveEngine):
        yield chosen
    if chosen.info.kind != "private" and private.is_running():
        own = connect("private")
        if isinstance(own, LiveEngine):
            yield own


def start_private(found: Prepared) -> Prepared:
    """Start the private engine unless it runs: until its first base is there, `connect` leaves it aside.

    Where it can't be started, the reason is added to why there was no engine before.
    """
    from layerlab.engine import private

    because = found.why_not or "none was found"
    if private.is_running():
        steps.say("Engine: the private one is running.")
        return Prepared("private")
    steps.say(f"No engine to build on yet ({because}); a private one is set up, apart from anything of yours.")
    try:
        if private.installed() is None:
            with steps.Quietly("Fetching Docker from Debian's packages; nothing is installed") as step:
                private.install(on_line=step)
        with steps.Quietly("Starting the private engine") as step:
            private.start(on_line=step)
    except LayerLabError as error:
        return Prepared("recorded", why_not=f"{because[:1].upper()}{because[1:]}. {error}")
    return Prepared("private", started_here=True)
