"""Hints of exercise 09: where to look, the principle by an everyday image, a worked step in another file."""

from __future__ import annotations

from collections.abc import Mapping

from layerlab.exercises.ladders import LADDERS

HINTS: Mapping[str, tuple[str, str, str]] = {
    **LADDERS,
    "rebuild": (
        "The verdict names the lines that ran again. Take the first of them: which files does it copy, and which of "
        "these does the next line read?",
        "Who changes the tablecloth every day does not lay it under the cupboard. Which of your lines is the cupboard?",
        "Another file: `COPY package.json ./`, `RUN npm ci`, then `COPY src ./src`. An edit in `src` runs one line. "
        "Which file does your installation read, and which does it never open?",
    ),
    "second install": (
        "Read what the installation says the second time: how many packages did it prepare? Then look at its line: "
        "which folder is lent to it, and which options has it?",
        "A locker at the station keeps your bag until the next trip, if you use the same one and if you put something "
        "in. Which of the two is missing here?",
        "Another file: `RUN --mount=type=cache,target=/root/.npm npm ci` fetches once, for npm looks in /root/.npm. "
        "Were the target /tmp/npm, it would fetch every time and say nothing. Where does uv look?",
    ),
    "no cache carried": (
        "Compare the two sizes in the verdict. Which line has become heavier, and into which folder does it write?",
        "What you leave in the hotel room is not in your suitcase. Which folder here is the room, and which the "
        "suitcase?",
        "Another file runs `npm ci` without a mount and without cleaning: /root/.npm is then in its layer. With "
        "`--mount=type=cache,target=/root/.npm` the folder is lent, and is in no layer. Which of the two is yours?",
    ),
}
