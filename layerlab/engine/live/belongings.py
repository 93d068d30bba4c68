"""What the journal says is ours and the engine still holds: for `layerlab clean` to show and remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import docker.errors

from layerlab.engine.live.client import JournallingClient
from layerlab.engine.live.engine import NAMESPACE, LiveEngine
from layerlab.errors import LayerLabError, NotOurs

_SHORT = 12  # digits of an id in a builder's events


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

    Bases that we built ourselves, and what they stand on, are left out: see `built_bases`.

    Parameters
    ----------
    run
        Only what was made while ``LAYERLAB_RUN`` was this.
    """
    api, owned = _api(engine), engine.journal.made_by(run) if run else engine.journal.owned()
    bases = _with_parents(api, built_bases(engine))
    found: list[Belonging] = []
    # Each step of a classic build has had a container, so there are thousands of ids, and hardly one is still there.
    held = {str(one["Id"])[:_SHORT] for one in api.containers(all=True)}
    found += [Belonging("container", short, 0) for short in sorted({one[:_SHORT] for one in owned.containers} & held)]
    found += [Belonging("volume", name, 0) for name in sorted(owned.volumes) if _found(api.inspect_volume, name)]
    for reference, image_id in sorted(owned.tags.items()):
        if not reference.startswith(NAMESPACE):
            continue
        raw = _found(api.inspect_image, reference)
        # A tag that names another image by now was moved by its user, so it is the user's.
        if raw and raw["Id"] == image_id:
            found.append(Belonging("tag", reference, int(raw.get("Size") or 0)))
    for image in _newest_first(api, owned.images):
        if not image.get("RepoTags") and image["Id"] not in bases:
            found.append(Belonging("image", image["Id"], int(image.get("Size") or 0)))
    return tuple(found)


def built_bases(engine: LiveEngine) -> tuple[str, ...]:
    """List the stand-in bases that we built and the engine still holds.

    They take minutes to build and every lesson stands on them, so they go with the private engine
    (`layerlab engine purge`) and not with a clean-up.
    """
    api, tags = _api(engine), engine.journal.owned().tags
    named = ((reference, _found(api.inspect_image, reference)) for reference in sorted(tags))
    return tuple(
        reference
        for reference, raw in named
        if raw and raw["Id"] == tags[reference] and not reference.startswith(NAMESPACE)
    )


def pulled_bases(engine: LiveEngine) -> tuple[str, ...]:
    """List the bases that the course pulled and the engine still holds; they are offered, never removed."""
    api = _api(engine)
    return tuple(base for base in sorted(engine.journal.owned().bases) if _found(api.inspect_image, base))


def remove(engine: LiveEngine, *, run: str | None = None) -> tuple[tuple[Belonging, ...], tuple[Kept, ...]]:
    """Remove all that `belongings` lists; return what went and what had to stay (with the reason)."""
    gone: list[Belonging] = []
    kept: dict[str, Kept] = {}
    # Taking off a tag leaves an untagged image, and removing an image frees its parent: go on while it helps.
    progress = True
    while progress:
        progress = False
        for one in belongings(engine, run=run):
            reason = _remove_one(engine, one)
            if reason is None:
                gone.append(one)
                kept.pop(one.name, None)
                progress = True
            else:
                kept[one.name] = Kept(one, reason)
    return tuple(gone), tuple(kept.values())


def _remove_one(engine: LiveEngine, one: Belonging) -> str | None:
    """Remove one thing; return None, or why it stays."""
    api = _api(engine)
    try:
        if one.kind == "container":
            api.remove_container(one.name, force=True, v=True)
            _forget_container(engine, one.name)
        elif one.kind == "volume":
            api.remove_volume(one.name)
            engine.journal.forget("volume", one.name)
        else:
            engine.remove(one.name)
    except NotOurs as error:
        return str(error)
    except docker.errors.APIError as error:
        return _reason(str(error.explanation))
    except LayerLabError as error:
        return _reason(str(error))
    return None


def _reason(message: str) -> str:
    if "volume is in use" in message:
        return "a container of yours uses it"
    if any(words in message for words in ("dependent child", "being used", "in use by a container")):
        return "an image or container of yours is built on it"
    return message


def _with_parents(api: JournallingClient, references: tuple[str, ...]) -> set[str]:
    """Return the ids of images and of all that they were built from, as far as the engine remembers."""
    found: set[str] = set()
    for reference in references:
        raw = _found(api.inspect_image, reference)
        while raw and raw["Id"] not in found:
            found.add(raw["Id"])
            raw = _found(api.inspect_image, raw["Parent"]) if raw.get("Parent") else None
    return found


def _forget_container(engine: LiveEngine, short: str) -> None:
    for container in engine.journal.owned().containers:
        if container.startswith(short):
            engine.journal.forget("container", container)


def _newest_first(api: JournallingClient, ids: set[str]) -> list[dict[str, Any]]:
    present = [raw for image in ids if (raw := _found(api.inspect_image, image))]
    return sorted(present, key=lambda raw: str(raw.get("Created")), reverse=True)


def _found(verb: Any, name: str) -> dict[str, Any] | None:
    try:
        return cast(dict[str, Any], verb(name))
    except docker.errors.NotFound:
        return None


def _api(engine: LiveEngine) -> JournallingClient:
    return engine.client.api
