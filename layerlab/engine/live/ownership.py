"""What a build made is ours by the name that it bore, never by what it printed.

Before a build its own name goes into the journal, beside the ids of all images that were there. Once it has ended, the
engine is asked what that name names; that image is ours unless it was there before, and so are the steps below it.
What the build's events say can only take something from us: a step that they call cached is somebody's, and so is what
a FROM took.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import docker.errors
from docker.utils import parse_repository_tag

from layerlab.engine.journal import BuildNote, Heard, Journal, Owned, is_full
from layerlab.engine.live.translate import TRANSPORT_ERRORS
from layerlab.errors import LayerLabError
from layerlab.image import normal_reference

if TYPE_CHECKING:
    from layerlab.engine.live.client import JournallingClient

_ID = re.compile("sha256:[0-9a-f]{64}")
# How the older builder names the image of a step: an event of its own, of 12 digits (Docker Engine 20.10).
_STEP_IMAGE = re.compile(" ---> ([0-9a-f]{12})\n")
_CACHED = " ---> Using cache\n"
_FROM = re.compile(r"Step \d+/\d+ : FROM\s.*", re.IGNORECASE | re.DOTALL)
_SHORT = 12
_EMPTY_TAR = bytes(1024)
_BAD_REQUEST = 400


class Listener:
    """Hears in a build's events what bears on ownership, each thing once."""

    def __init__(self) -> None:
        self._kind: Heard = "made"  # what the next image is said to be
        self._heard: set[tuple[Heard, str]] = set()

    def new(self, event: Mapping[str, Any]) -> Iterator[tuple[Heard, str]]:
        """Yield what this event says, as `layerlab.engine.journal.BuildNote` has it."""
        heard: tuple[Heard, str] | None = None
        text = str(event.get("stream", ""))
        if stage := (event.get("aux") or {}).get("ID"):
            heard = "stage", str(stage)
        elif match := _STEP_IMAGE.fullmatch(text):
            heard = self._kind, match[1]
        if text.strip():  # the line end of a FROM is an event of its own
            self._kind = "cached" if text == _CACHED else "base" if _FROM.fullmatch(text) else "made"
        if heard and heard not in self._heard:
            self._heard.add(heard)
            yield heard


def begin(client: JournallingClient) -> str | None:
    """Write down a build that is about to begin; return the name to give it, None where no journal is kept."""
    if client.journal is None:
        return None
    return client.journal.begin_build(_there(client, client.journal))


def begin_beside(client: JournallingClient) -> tuple[str | None, Callable[[], None]]:
    """Write down a build while it begins, where that takes longer than to list the engine's images.

    Returns
    -------
    The name to give it, and what waits for the list. An image that is in the list counts as there before: one that came
    in the meantime is taken for somebody's. Where no list can be had, all of them are.
    """
    journal = client.journal
    if journal is None:
        return None, lambda: None
    name = journal.begin_build(None)

    def note() -> None:
        with suppress(LayerLabError, OSError, docker.errors.DockerException, *TRANSPORT_ERRORS):
            journal.note_before(name, _there(client, journal))

    listing = threading.Thread(target=note, name="layerlab-images-before", daemon=True)
    listing.start()
    return name, listing.join


def _there(client: JournallingClient, journal: Journal) -> list[str]:
    # Read first: what another process comes to own after the engine was asked is not gone.
    owned = journal.owned().images
    there: list[str] = client.images(quiet=True, all=True)
    # An id that comes back later came back by somebody else's hand: the same steps make the same id.
    journal.forget("image", *(owned - set(there)))
    return there


def settle_quietly(client: JournallingClient, name: str, *, is_cancelled: bool = False) -> str | None:
    """Write down what of a build is ours, take its own name off, and return the image's id.

    Parameters
    ----------
    is_cancelled
        True where the engine may still be ending it: without an image it then stays open in the journal.

    Notes
    -----
    Never raises: an engine that is gone leaves the build open in the journal, and `layerlab clean` settles it.
    """
    with suppress(LayerLabError, OSError, docker.errors.DockerException, *TRANSPORT_ERRORS):
        return _settle(client, name, stays_open=is_cancelled)
    return None


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
            try:
                _settle(client, name, stays_open=not give_up)
            except OSError as error:
                if not is_full(error):
                    raise
                # It stays open, and a clean-up makes room.


def image_of(client: JournallingClient, name: str | None) -> str | None:
    """Return the id of what a build's own name names."""
    raw = inspected(client, name) if name else None
    return str(raw["Id"]) if raw else None


def remove(client: JournallingClient, image_id: str) -> None:
    """Remove an image without a name that is ours, or stands on one of ours; the engine refuses while it is used.

    Gone already is well too. Where it is neither, or has a name by now, it stays.
    """
    assert client.journal is not None
    raw, owned = inspected(client, image_id), client.journal.owned()
    if raw is not None:
        if names_of(raw) or not (image_id in owned.images or is_ours(client, image_id, owned)):
            return
        client.remove_image(image_id, noprune=True)
    client.journal.forget("image", image_id)


def take_off(client: JournallingClient, name: str) -> None:
    """Take a name that we gave off an image, which stays whatever other names it has.

    Notes
    -----
    To remove the last name of an image is to delete the image, and another name may go at any moment. So the name moves
    to an empty image first, and only that is removed with it.
    """
    if inspected(client, name) is None:
        return
    repository, tag = parse_repository_tag(name)
    client.import_image_from_data(_EMPTY_TAR, repository=repository, tag=tag)
    client.remove_image(name, noprune=True)


def steps_below(client: JournallingClient, image_id: str) -> Iterator[str]:
    """Yield the ids of an image and of what it was built on, newest first, as far down as the engine knows them.

    The older builder leaves one for each instruction, and `docker history` names them; "<missing>" is what was pulled.
    """
    yield image_id
    for entry in client.history(image_id)[1:]:
        found = client.dialect.image_id(str(entry["Id"]))
        if not _ID.fullmatch(found):
            return
        yield found


def inspected(client: JournallingClient, name: str) -> dict[str, Any] | None:
    """Return what the engine says of an image; None where it has none of that name, or where that can be no name."""
    try:
        found: dict[str, Any] = client.inspect_image(name)
    except docker.errors.NotFound:
        return None
    except docker.errors.APIError as error:
        if error.status_code == _BAD_REQUEST:
            return None
        raise
    return client.dialect.inspected(found)


def is_ours(client: JournallingClient, image_id: str, owned: Owned) -> bool:
    """True where a leftover of a failed build stands on an image of ours, with nothing but such leftovers between."""
    for one in steps_below(client, image_id):
        if one in owned.images:
            return True
        if one not in owned.leftovers:
            return False
    return False


def names_of(image: Mapping[str, Any]) -> frozenset[str]:
    """Return tags and digests of an image, as `docker images` and `docker inspect` give them.

    Notes
    -----
    On the containerd store an image has its own id as a digest in every repository in which it has a tag (Docker Engine
    28.5): these are no names besides the tags. Without a tag there, such a digest is what it was pulled by.
    """
    tags = {tag for tag in image.get("RepoTags") or () if not tag.startswith("<none>")}
    repositories = {parse_repository_tag(tag)[0] for tag in tags}
    digests = {digest for digest in image.get("RepoDigests") or () if not digest.startswith("<none>")}
    derived = {f"{repository}@{image.get('Id')}" for repository in repositories}
    return frozenset(tags | (digests - derived))


def short(image_id: str) -> str:
    """Cut an id as the builder prints it."""
    return image_id.removeprefix("sha256:")[:_SHORT]


def _settle(client: JournallingClient, name: str, *, stays_open: bool) -> str | None:
    journal = client.journal
    assert journal is not None
    is_settled = False
    try:
        note, raw = journal.build_note(name), inspected(client, name)
        image_id = str(raw["Id"]) if raw else None
        _note_ours(client, name, note, image_id)
        _note_leftovers(client, note)
        if raw:
            _take_off_own(client, name, raw)
        is_settled = image_id is not None or not stays_open
    finally:
        if is_settled:
            journal.end_build(name)
        else:
            journal.abandon_build(name)
    return image_id


def _take_off_own(client: JournallingClient, name: str, raw: Mapping[str, Any]) -> None:
    """Take a build's own name off: at once where the image is ours and has another name, so that it stays."""
    assert client.journal is not None
    owned, image_id = client.journal.owned(), str(raw["Id"])
    if image_id in owned.images and any(owned.gave(normal_reference(one), image_id) for one in names_of(raw)):
        client.remove_image(name, noprune=True)
    else:
        take_off(client, name)


def _note_ours(client: JournallingClient, name: str, note: BuildNote, image_id: str | None) -> None:
    """Own what the name and the ends of stages lead to, down to what was there, was taken or bears another name."""
    assert client.journal is not None
    if note.before is None:
        return
    owned = client.journal.owned()
    for end in {*note.heard_of("stage"), *([image_id] if image_id else ())}:
        # A base may have come since, and have lost its name.
        taken = {*note.heard_of("cached", until_stage=end), *note.heard_of("base", until_stage=end)}
        with suppress(docker.errors.NotFound):
            for one in steps_below(client, end):
                if note.was_there(one) or short(one) in taken or not _names_are_given(client, one, name, owned):
                    break
                client.journal.note("image", one, during=note)


def _names_are_given(client: JournallingClient, image_id: str, own_name: str, owned: Owned) -> bool:
    """True where an image is there and we gave every name that it bears: tags, and digests of pulled ones."""
    raw = inspected(client, image_id)
    return raw is not None and all(
        normal_reference(name) == own_name or owned.gave(normal_reference(name), image_id) for name in names_of(raw)
    )


def _note_leftovers(client: JournallingClient, note: BuildNote) -> None:
    """Write down the steps that a build says it made and that bear no name, where it is not ours by then."""
    assert client.journal is not None
    taken, owned = {*note.heard_of("cached"), *note.heard_of("base")}, client.journal.owned().images
    for said in note.heard_of("made"):
        raw = inspected(client, said) if said not in taken else None
        if raw and not (note.was_there(raw["Id"]) or names_of(raw) or raw["Id"] in owned):
            client.journal.note("leftover", str(raw["Id"]), during=note)
