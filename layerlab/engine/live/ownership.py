"""What a build made is ours by the name that it bore, never by what it printed.

Before a build its own name goes into the journal, beside the ids of all images that were there. Once it has ended, the
engine is asked what that name names; that image is ours unless it was there before, and so are the steps below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import docker.errors
from docker.utils import parse_repository_tag

from layerlab.engine.journal import BUILDS, BuildNote, Owned
from layerlab.engine.protocol import MadeStep

if TYPE_CHECKING:
    from layerlab.engine.live.client import JournallingClient
    from layerlab.engine.protocol import BuildRequest

# The older builder writes every instruction but RUN into the history as a comment of the shell: "#(nop) COPY file:…".
_NO_RUN = re.compile(r"#\(nop\)\s+([A-Z]+)")
_ID = re.compile(r"sha256:[0-9a-f]{64}")

Ending = Literal["by itself", "cancelled", "before"]


@dataclass(frozen=True)
class StepImage:
    """The image that a step left: its id, its names, and what the history says made it."""

    id: str
    tags: tuple[str, ...]
    created_by: str


def begin(client: JournallingClient, instructions: Sequence[str] = ()) -> str | None:
    """Write down a build that is about to begin; return the name to give it, None where no journal is kept.

    Parameters
    ----------
    instructions
        The Dockerfile's instructions, which tell what is left of a failed build from other people's images.
    """
    if client.journal is None:
        return None
    return client.journal.begin_build(client.images(quiet=True, all=True), instructions)


def settle(
    client: JournallingClient, name: str, *, stages: Iterable[str] = (), ended: Ending = "by itself"
) -> str | None:
    """Ask the engine what a build made, write down what of it is ours, and return the image's id.

    Parameters
    ----------
    stages
        Ids of the images that finished stages led to, from the ``aux`` of the engine's events: a field of the
        engine's own, while output comes as ``stream`` (Docker Engine 20.10 to 28, older builder).
    ended
        "cancelled" where the engine may still be at it: without an image the build then stays open in the journal.
        "before", where it was cut short in another process: what appeared since then may be anybody's.

    Notes
    -----
    The name is taken off again, and the image has then the names that it was given besides.
    """
    journal = client.journal
    assert journal is not None
    is_settled = False
    try:
        with journal.locked():
            note = journal.build_note(name)
            raw = inspected(client, name)
            for image_id in {*([str(raw["Id"])] if raw else ()), *filter(partial(inspected, client), stages)}:
                _own(client, image_id, note, name)
            if raw is not None and not take_off(client, name):
                journal.note("tag", name, image=str(raw["Id"]), run=note.run)
            if raw is None and ended != "before":
                for image_id in _leftovers(client, note):
                    journal.note("leftover", image_id, run=note.run)
            is_settled = raw is not None or ended == "by itself"
    finally:
        (journal.end_build if is_settled else journal.abandon_build)(name)
    return str(raw["Id"]) if raw else None


def settle_cut_short(client: JournallingClient, *, give_up: bool = False) -> None:
    """Settle the builds that no process is at any more: cancelled ones, and those whose process was killed.

    Parameters
    ----------
    give_up
        Also forget those that led to no image: their engine has had the time to end them.
    """
    if client.journal is None:
        return
    with client.journal.cut_short() as names:
        for name in names:
            if settle(client, name, ended="before") is None and give_up:
                client.journal.end_build(name)


def made_steps(
    client: JournallingClient, name: str, stages: Sequence[str], request: BuildRequest
) -> tuple[MadeStep, ...] | None:
    """Say of each instruction which image it made, and whether that was there before the build began.

    Parameters
    ----------
    stages
        Id of the image that each stage led to, the target's last.

    Returns
    -------
    One for each instruction in file order up to the target's last, ARGs before the first FROM included; None where the
    images do not tell, so that nothing is made up.

    Notes
    -----
    The older builder leaves one image an instruction but FROM, and the triggers of a base lie below them.
    """
    assert client.journal is not None
    note, dockerfile = client.journal.build_note(name), request.context.dockerfile
    built = dockerfile.stages[: dockerfile.target(request.target).index + 1]
    if note.before is None or len(built) != len(stages):
        return None
    found = [MadeStep(None, is_cached=False) for _ in dockerfile.global_args]
    for stage, image_id in zip(built, stages, strict=True):
        own = list(islice(steps_below(client, image_id), len(stage.instructions)))
        if len(own) < len(stage.instructions):
            return None
        found += [MadeStep(None, is_cached=False)]
        found += [MadeStep(one.id, is_cached=note.was_there(one.id)) for one in reversed(own)]
    return tuple(found)


def remove(client: JournallingClient, image_id: str) -> None:
    """Remove an image of ours that has no name, nothing below it; the engine refuses while something stands on it."""
    assert client.journal is not None
    raw = inspected(client, image_id)
    if raw is not None and not raw.get("RepoTags") and client.journal.owns_image(image_id):
        client.remove_image(image_id, noprune=True)
        client.journal.forget("image", image_id)


def take_off(client: JournallingClient, name: str) -> bool:
    """Take a name that we gave off an image, which stays whatever other names it has; False where that can't be done.

    Notes
    -----
    To take the last name off is to delete the image. So the name moves to an image that has another one first.
    """
    image = inspected(client, name)
    if image is None:
        return True
    if len(image.get("RepoTags") or ()) == 1:
        other = next(_named(client, besides=str(image["Id"])), None)
        if other is None:
            return False
        client.tag(other, *parse_repository_tag(name))
    client.remove_image(name, noprune=True)
    return True


def finished_stage(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the id of the image that a stage led to, where this event is its end."""
    if made := (event.get("aux") or {}).get("ID"):
        yield str(made)


def steps_below(client: JournallingClient, image_id: str) -> Iterator[StepImage]:
    """Yield an image and the images that it was built on, newest first, as far down as the engine knows them.

    The older builder leaves one for each instruction, and `docker history` names them; "<missing>" is what was pulled.
    """
    for number, entry in enumerate(client.history(image_id)):
        # Podman leaves the algorithm away.
        found = image_id if number == 0 else f"sha256:{str(entry['Id']).removeprefix('sha256:')}"
        if not _ID.fullmatch(found):
            return
        yield StepImage(found, tuple(entry.get("Tags") or ()), str(entry.get("CreatedBy") or ""))


def inspected(client: JournallingClient, name: str) -> dict[str, Any] | None:
    """Return what the engine says of an image; None where it has none of that name."""
    try:
        found: dict[str, Any] = client.inspect_image(name)
    except docker.errors.NotFound:
        return None
    return found


def is_ours(client: JournallingClient, image_id: str, owned: Owned) -> bool:
    """True where an image without a name stands on one of ours, with nothing but leftovers of builds between."""
    named = set(owned.tags.values())
    for one in steps_below(client, image_id):
        if one.id in owned.images or one.id in named:
            return True
        if one.tags or one.id not in owned.leftovers:
            return False
    return False


def _own(client: JournallingClient, image_id: str, note: BuildNote, name: str) -> None:
    assert client.journal is not None
    owned = client.journal.owned()
    for one in steps_below(client, image_id):
        # What was there, or bears a name that we did not give, is not ours, and neither is what it stands on.
        given = all(tag.endswith(name) or owned.tags.get(tag) == image_id for tag in one.tags)
        if note.was_there(one.id) or one.id in owned.images or not given:
            return
        client.journal.note("image", one.id, proof=name, run=note.run)


def _leftovers(client: JournallingClient, note: BuildNote) -> Iterator[str]:
    """Yield the untagged images that were not there before and look like a step of this Dockerfile."""
    if note.before is None or not note.instructions:
        return
    for image in client.images(all=True):
        if image["Id"] in note.before or any(tag != "<none>:<none>" for tag in image.get("RepoTags") or ()):
            continue
        with suppress(docker.errors.NotFound):
            newest = next(steps_below(client, image["Id"]))
            if any(_is_step(newest.created_by, one) for one in note.instructions):
                yield newest.id


def _is_step(created_by: str, instruction: str) -> bool:
    keyword, _, rest = instruction.partition(" ")
    if match := _NO_RUN.search(created_by):
        return match[1] == keyword.upper()
    return keyword.upper() == "RUN" and _words(rest).rstrip(" ") in _words(created_by)


def _words(text: str) -> str:
    return " ".join(text.replace("[", " ").replace("]", " ").replace('"', " ").replace(",", " ").split())


def _named(client: JournallingClient, *, besides: str) -> Iterator[str]:
    for image in client.images():
        names = [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>" and not tag.startswith(BUILDS)]
        if names and image["Id"] != besides:
            yield str(image["Id"])
