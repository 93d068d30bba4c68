"""Hints of exercise 11, for the checks that are its own; the rest is in `ladders`."""

from __future__ import annotations

from collections.abc import Mapping

from layerlab.exercises.ladders import LADDERS

HINTS: Mapping[str, tuple[str, str, str]] = {
    **LADDERS,
    "harm": (
        "Take the two that the verdict names. Which of them would somebody ring you about tonight?",
        "A house with ten crooked tiles stands; a house with one missing stair does not let you in. Which of the two "
        "is a crooked tile?",
        "Another review: a server that starts in the wrong folder, a password in a copied file, a cache of 30 MB, a "
        "tag without a version. That is their order already. Which of your faults is like which?",
    ),
    "not root": (
        "Which instruction says as whom the process starts, and is it still there?",
        "Who cannot open a door can move the furniture out of that room, or break the door. What would moving be here?",
        "Another file: `COPY --from=builder /site /srv/site`, then `USER 101`: everybody may read /srv. Which folder "
        "of yours may everybody read?",
    ),
    "review": (
        "Go to the line that the verdict names. Who could read it, or what does it keep from working?",
        "A parcel is opened by whoever gets it. What lies in it that was not meant for them?",
        "Another file: `ENV MAIL_PASSWORD=…` is printed by `docker inspect`; given at start, it is in no image. "
        "Which line of yours gives something away?",
    ),
}
