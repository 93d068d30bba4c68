"""What the journal says is ours and the engine still holds: for `layerlab clean` to show and remove."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import docker.errors

from layerlab.engine.journal import BUILDS
from layerlab.engine.live import ownership
from layerlab.engine.live.client import JournallingClient
from layerlab.engine.live.containers import end_and_remove
from layerlab.engine.live.engine import LiveEngine
from layerlab.engine.live.translate import TRANSPORT_ERRORS
from layerlab.errors import ImageNotFound, LayerLabError, NotOurs

_STANDIN = "layerlab.standin"  # the label that a stand-in base carries


@dataclass(frozen=True)
class Belonging:
    """One thing of ours. ``size_bytes`` is what the engine calls its size; 0 for containers and volumes."""

    kind: Literal["container", "volume", "tag", "image"]
    name: str
    size_bytes: int


@dataclass(frozen=True)
class Kept:
    """Something of ours that had to stay, and why."""

    belonging: Belonging
    reason: str


def belongings(engine: LiveEngine, *, run: str | None = None) -> tuple[Belonging, ...]:
    """List our containers, volumes, tags and untagged images that this engine still holds, in order of removal.

    Bases that we built ourselves, and what they stand on, are left out: see `built_bases`. So are steps of failed
    builds of which nothing proves that they are ours: see `leftovers`.

    Parameters
    ----------
    run
        Only what was made while ``LAYERLAB_RUN`` was this.
    """
    api = _api(engine)
    ownership.settle_cut_short(api)
    owned = engine.journal.made_by(run) if run else engine.journal.owned()
    bases = _with_parents(api, built_bases(engine))
    images = _untagged(api, owned.images - bases)
    # By its id, or by its name where the answer that would have told the id never came.
    held = {name for one in api.containers(all=True) for name in (one["Id"], *(n[1:] for n in one.get("Names") or ()))}
    found = [Belonging("container", one, 0) for one in sorted(owned.containers & held)]
    found += [Belonging("volume", name, 0) for name in sorted(owned.volumes) if _holds_volume(api, name)]
    # Before what they stand on, for that is what proves them to be ours.
    found += _newest_first(_proven_leftovers(engine, owned.leftovers - bases))
    for reference in sorted({*owned.tags, *owned.lent}):
        if not reference.startswith((engine.info.namespace, BUILDS)):
            continue
        raw = ownership.inspected(api, reference)
        # A tag that names another image by now was moved by its user, so it is the user's.
        if raw and owned.gave(reference, str(raw["Id"])):
            found.append(Belonging("tag", reference, int(raw.get("Size") or 0)))
    return (*found, *_newest_first(images))


def leftovers(engine: LiveEngine) -> tuple[str, ...]:
    """List ids of untagged images that may be steps of failed builds of ours, and may be somebody's: they stay."""
    api, owned = _api(engine), engine.journal.owned()
    left = owned.leftovers - _with_parents(api, built_bases(engine))
    proven = {raw["Id"] for raw in _proven_leftovers(engine, left)}
    return tuple(sorted(raw["Id"] for raw in _untagged(api, left) if raw["Id"] not in proven))


def built_bases(engine: LiveEngine) -> tuple[str, ...]:
    """List the stand-in bases that the private engine holds; no other engine has any.

    They take minutes to build and every lesson stands on them, so they go with the private engine
    (`layerlab engine purge`) and not with a clean-up.
    """
    if engine.info.kind != "private":
        return ()
    standins = (one for one in engine.images() if _STANDIN in (one.get("Labels") or {}))
    named = (tag for one in standins for tag in ownership.names_of(one))
    ours = (engine.info.namespace, BUILDS)
    return tuple(sorted(tag for tag in named if not tag.startswith(ours) and "@" not in tag))


def pulled_bases(engine: LiveEngine) -> tuple[str, ...]:
    """List the bases that the course pulled and the engine still holds; they are offered, never removed."""
    api = _api(engine)
    return tuple(base for base in sorted(engine.journal.owned().bases) if ownership.inspected(api, base))


def remove(engine: LiveEngine, *, run: str | None = None) -> tuple[tuple[Belonging, ...], tuple[Kept, ...]]:
    """Remove all that `belongings` lists; return what went and what had to stay (with the reason)."""
    gone: dict[Belonging, None] = {}
    kept: dict[str, Kept] = {}
    # Taking off a tag leaves an untagged image, and removing an image frees its parent: go on while it helps.
    progress = True
    while progress:
        progress = False
        for one in belongings(engine, run=run):
            reason = _remove_one(engine, one, run=run)
            if reason is None:
                progress = progress or one not in gone
                gone[one] = None
                kept.pop(one.name, None)
            else:
                kept[one.name] = Kept(one, reason)
    ownership.settle_cut_short(_api(engine), give_up=True)
    return tuple(gone), tuple(kept.values())


def build_cache_bytes(engine: LiveEngine) -> int | None:
    """Return what BuildKit's cache takes on this engine's disk; None where the engine can't say it now.

    It bears no names, so no part of it is anybody's.
    """
    try:
        return sum(int(one.get("Size") or 0) for one in _api(engine).df().get("BuildCache") or ())
    except (
        docker.errors.APIError,
        *TRANSPORT_ERRORS,
    ):  # it counts for one asker at a time, and on a large disk for long
        return None


def prune_build_cache(engine: LiveEngine) -> int:
    """Empty BuildKit's cache on the private engine; return the bytes that became free. Elsewhere it raises NotOurs."""
    if engine.info.kind != "private":
        raise NotOurs("BuildKit's cache on this engine serves other builds too. Empty it with `docker builder prune`.")
    return int(_api(engine).prune_builds(all=True).get("SpaceReclaimed") or 0)


def _remove_one(engine: LiveEngine, one: Belonging, *, run: str | None) -> str | None:
    """Remove one thing; return None, or why it stays."""
    api = _api(engine)
    try:
        if one.kind == "container":
            end_and_remove(api, one.name)
            engine.journal.forget("container", one.name)
        elif one.kind == "volume":
            api.remove_volume(one.name)
            engine.journal.forget("volume", one.name)
        elif one.kind == "image":
            ownership.remove(api, one.name)
        elif run and str(api.inspect_image(one.name)["Id"]) not in engine.journal.made_by(run).images:
            # The run named an image that was there before it: the name goes, and the image stays.
            ownership.take_off(api, one.name)
            engine.journal.forget("tag", one.name)
        else:
            engine.remove(one.name)
    except (docker.errors.NotFound, ImageNotFound):
        return None  # somebody else was quicker
    except NotOurs as error:
        return str(error)
    except docker.errors.APIError as error:
        return _reason(str(error.explanation))
    except LayerLabError as error:
        return _reason(str(error))
    return None


def _newest_first(raws: list[dict[str, Any]]) -> list[Belonging]:
    ordered = sorted(raws, key=lambda raw: str(raw.get("Created")), reverse=True)
    return [Belonging("image", raw["Id"], int(raw.get("Size") or 0)) for raw in ordered]


def _untagged(api: JournallingClient, ids: Iterable[str]) -> list[dict[str, Any]]:
    return [raw for raw in _held(api, ids) if not ownership.names_of(raw)]


def _held(api: JournallingClient, ids: Iterable[str]) -> list[dict[str, Any]]:
    there = set(ids) & set(api.images(quiet=True, all=True))
    return [raw for image in there if (raw := ownership.inspected(api, image))]


def _proven_leftovers(engine: LiveEngine, ids: set[str]) -> list[dict[str, Any]]:
    api, owned = _api(engine), engine.journal.owned()
    return [raw for raw in _untagged(api, ids) if ownership.is_ours(api, raw["Id"], owned)]


def _reason(message: str) -> str:
    if "volume is in use" in message:
        return "a container of yours uses it"
    if any(words in message for words in ("dependent child", "being used", "in use by a container")):
        return "an image or container of yours is built on it"
    return message


def _with_parents(api: JournallingClient, references: tuple[str, ...]) -> set[str]:
    """Return the ids of images and of all that they were built from, as far as the engine remembers."""
    raws = (ownership.inspected(api, reference) for reference in references)
    return {id for raw in raws if raw for id in ownership.steps_below(api, str(raw["Id"]))}


def _holds_volume(api: JournallingClient, name: str) -> bool:
    try:
        api.inspect_volume(name)
    except docker.errors.NotFound:
        return False
    return True


def _api(engine: LiveEngine) -> JournallingClient:
    return engine.client.api
