"""Which bases an engine holds, and where they come from. Reads what the engine lists; fetches and builds nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from layerlab.bases import registry
from layerlab.bases.specs import BASES, OFFICIAL_MINOR, Wanted, parse
from layerlab.engine.protocol import Engine
from layerlab.errors import BaseUnavailable

STANDIN = "layerlab.standin"
MINOR = "layerlab.py_minor"
RECIPE = "layerlab.recipe"
# The comment, in the history, of the layer by which a stand-in reaches this machine's package indexes.
SITE_LAYER = "layerlab site layer"

# The ARGs that the course's Dockerfiles name their bases by.
PY_MINOR = "PY_MINOR"
DISTROLESS = "DISTROLESS"

BaseState = Literal["official", "stand-in", "building", "absent"]
Origin = Literal["official", "stand-in", "mixed", "none"]


@dataclass(frozen=True)
class BaseStatus:
    """One base of the course on this engine.

    ``official`` means "no stand-in of ours": an image of the user's own that bears the name is used as it is.
    ``fraction`` (0 to 1) and ``detail`` speak of a base that is still being built; ``lacks`` is what a stand-in
    cannot have, whoever waits for it.
    """

    key: str
    reference: str
    state: BaseState
    image_id: str | None = None
    digest: str | None = None
    created: date | None = None
    detail: str = ""
    fraction: float = 0.0
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """Where an engine's bases come from, for the line under every figure; ``on`` is the youngest one's date."""

    kind: Origin
    on: date | None
    text: str


@dataclass(frozen=True)
class Held:
    """A base that an engine lists under one of the names the Dockerfiles use."""

    key: str
    minor: str
    reference: str
    image_id: str
    is_standin: bool
    digest: str | None
    created: date | None
    recipe: str | None


def held(engine: Engine) -> tuple[Held, ...]:
    """List the course's bases that the engine holds, of whatever Python and origin."""
    return tuple(one for raw in engine.images() for one in _bases_of(raw))


def py_minor(engine: Engine) -> str:
    """Give the minor version of Python for ``ARG PY_MINOR``: that of the bases this engine has or can have.

    Notes
    -----
    Where official and stand-in bases lie side by side, the Python wins that more of the bases carry, and the
    official one on a draw: a build of several bases must find them all.
    """
    there = {(one.minor, one.key) for one in held(engine) if _is_ours_or_current(one)}
    if there:
        counts = Counter(minor for minor, _ in there)
        return max(counts, key=lambda minor: (counts[minor], minor == OFFICIAL_MINOR))
    if engine.info.kind == "private" and not registry.answers():
        # Without apt there is nothing to make a stand-in of; `resolve` says so where a base is really needed.
        from layerlab.bases import system_python

        with suppress(BaseUnavailable):
            return system_python.minor()
    return OFFICIAL_MINOR


def wanted(engine: Engine, key: str) -> Wanted:
    """Name the base "slim", "full", "musl" or "distroless" as this engine has it, or can have it."""
    spec = BASES[key]
    if spec.follows_course:
        return parse(spec.reference(py_minor(engine)))
    there = held(engine)
    for one in there:
        if one.key == key:
            return parse(one.reference)
    if engine.info.kind == "private" and (any(one.is_standin for one in there) or not registry.answers()):
        from layerlab.bases import system_python

        with suppress(BaseUnavailable):
            return parse(spec.standin_reference(system_python.minor()))
    return parse(spec.reference())


def build_arguments(engine: Engine, declared: Collection[str]) -> dict[str, str]:
    """Give the ARGs by which the course's Dockerfiles name their bases, as far as this one declares them.

    Notes
    -----
    A distroless base has the Python that its Debian has, whatever the course's is: a Dockerfile that ends on it
    needs that Python in its builder too.
    """
    given: dict[str, str] = {}
    if DISTROLESS in declared:
        base = wanted(engine, "distroless")
        given = {DISTROLESS: base.reference, PY_MINOR: base.minor or ""}
    elif PY_MINOR in declared:
        given = {PY_MINOR: py_minor(engine)}
    return {name: value for name, value in given.items() if name in declared}


def status(engine: Engine) -> tuple[BaseStatus, ...]:
    """Say of every base of the course whether this engine has it, and of which origin."""
    there = held(engine)
    return tuple(_status(engine, wanted(engine, key), there) for key in BASES)


def provenance(engine: Engine) -> Provenance:
    """Say where the bases come from that this engine's images stand on."""
    minor = py_minor(engine)
    used = [one for one in held(engine) if one.minor == minor or not BASES[one.key].follows_course]
    kinds = {one.is_standin for one in used}
    on = max((one.created for one in used if one.created), default=None)
    if not used:
        return Provenance("none", None, "no bases yet")
    kind: Origin = "mixed" if len(kinds) == 2 else "stand-in" if True in kinds else "official"
    named = "official and stand-in" if kind == "mixed" else kind
    return Provenance(kind, on, f"{named} bases" + (f", {on.day} {on:%b %Y}" if on else ""))


def _is_ours_or_current(one: Held) -> bool:
    # A python:3.9 that happens to lie on the user's engine says nothing about the course, nor does distroless.
    return BASES[one.key].follows_course and (one.is_standin or one.minor == OFFICIAL_MINOR)


def _status(engine: Engine, base: Wanted, there: tuple[Held, ...]) -> BaseStatus:
    key, reference = str(base.key), base.reference
    for one in there:
        if (one.key, one.minor) == (key, base.minor):
            state: BaseState = "stand-in" if one.is_standin else "official"
            lacks = BASES[key].lacks if one.is_standin else ()
            return BaseStatus(key, reference, state, one.image_id, one.digest, one.created, state, 1.0, lacks)
    if engine.info.kind == "private":
        from layerlab.bases import background

        if progress := background.status().of(key):
            return BaseStatus(key, reference, "building", detail=progress.detail, fraction=progress.fraction)
    return BaseStatus(key, reference, "absent", detail="not there yet")


def _bases_of(raw: Mapping[str, Any]) -> Iterator[Held]:
    labels = raw.get("Labels") or {}
    for tag in raw.get("RepoTags") or ():
        found = parse(str(tag))
        if found.key and found.minor:
            is_standin = labels.get(STANDIN) == "true"
            yield Held(
                key=found.key,
                minor=found.minor,
                reference=found.reference,
                image_id=str(raw.get("Id", "")),
                is_standin=is_standin,
                digest=None if is_standin else _digest(raw),  # the containerd store computes one for what was built
                created=_date(raw.get("Created")),
                recipe=labels.get(RECIPE),
            )


def _digest(raw: Mapping[str, Any]) -> str | None:
    for one in raw.get("RepoDigests") or ():
        name, _, digest = str(one).partition("@")
        # Podman computes one for whatever was loaded, and no registry knows it.
        if name.endswith(("python", "python3-debian13")) and digest and not name.startswith("localhost/"):
            return digest
    return None


def _date(created: object) -> date | None:
    # `GET /images/json` gives seconds since 1970.
    return datetime.fromtimestamp(created, UTC).date() if isinstance(created, int) and created > 0 else None
