"""Hints of the capstone: where to look, the principle by an everyday image, a worked step in another file."""

from __future__ import annotations

from collections.abc import Mapping

from layerlab.exercises.ladders import LADDERS

HINTS: Mapping[str, tuple[str, str, str]] = {
    **LADDERS,
    "serves": (
        "Read the last line that the container printed, or the status of the path that failed. Does it name a file, a "
        "library or a letter?",
        "A kitchen moved to a smaller house: the stove fits, and the gas pipe stayed behind. What did the old base "
        "give your service that nobody had written down?",
        "Another service said `libpng16.so.16: cannot open shared object file`; `dpkg -S libpng16.so.16` in the old "
        "image named the package. One on musl was healthy, and sorted every name wrongly. Which of the two is yours?",
    ),
    "q3-kinds: builds": (
        "The verdict names a line and what was not found. Is it a package, a program, or a file of another stage?",
        "A shopping list works in the shop it was written for. Which distribution's names does your line use?",
        "Another file: `apk add file` on a base of Debian says `apk: not found`. Which package manager has your base?",
    ),
    "stops": (
        "Which process has number 1 in your container? The first word of CMD decides it.",
        "A message left with the doorman reaches nobody if he doesn't pass it on. Who is the doorman here?",
        'Another file: `CMD ["sh", "-c", "node server.js; echo bye"]` was killed after the grace period; '
        '`CMD ["node", "server.js"]` ended at once. What stands between the signal and your service?',
    ),
    "not root": (
        "Which line of your last stage says as whom the process starts? If there is none, who is it then?",
        "Nobody gives the night porter the keys to the vault. Which keys does your service need?",
        "Another file ends with `USER 65534` above its CMD, and its files were copied by root and are readable for "
        "all. Where in yours would such a line stand?",
    ),
    "read-only": (
        "What does the container say that it could not write, and to which folder?",
        "A page under glass can be read, and nobody writes on it. What wants to write there, and must it?",
        "Another service wrote its cache to `/srv/cache`; made while the image was built, it was there to be read. "
        "What does yours make at its start that the build could make?",
    ),
    "no compiler": (
        "The verdict names the programs. Did one of your lines bring them, or the last FROM?",
        "The scaffolding makes the house possible, and nobody moves in with it. On whose ground does it stand?",
        "Another file compiled below `FROM node AS builder` and shipped `FROM node:slim`, with one COPY between them. "
        "Which base would be enough for your last stage?",
    ),
    "no installer added": (
        "The verdict names a path. Who put it there, and who calls it while the service runs?",
        "The van that brought the furniture does not stay in the living room. What was the van here?",
        "Another file made an environment with an installer inside, and copied both; made without one, the copy was a "
        "third smaller. Which command makes yours?",
    ),
    "luggage": (
        "The gauge shows need and luggage; the attempts show what changed it. Which layer of yours is larger than what "
        "it was made for?",
        "A parcel of books may come with more paper than books. What in your layers is paper: caches, lists, the "
        "bytecode of a program that ran once?",
        "Another file: `RUN apt-get install -y libpng16-16` left 40 files of lists; removed in the same RUN, the layer "
        "was the library and little else. Copied out of a builder, it was the library alone. Which way takes yours?",
    ),
    "bronze": (
        "The verdict names the service and the check. What does the panel of that service say?",
        "Nobody polishes a door that does not close yet. What is still open?",
        "Another capstone had a fine pin and a service that ran as root. Which of your checks comes first?",
    ),
    "rebuild": (
        "Which is the first line of your file that an edit of the source touches, and what stands below it?",
        "Who paints a room every week does not move house for it. Which of your lines is the paint?",
        "Another file copies `package.json`, installs, and copies `src` last: an edit in `src` copies one folder. What "
        "does yours copy last?",
    ),
    "base pinned": (
        "Read the name behind the last FROM aloud. Which part of it could mean something else next month?",
        "“The usual, please” works until the cook changes. What would you have to say to get the same dish?",
        "Another file: `FROM node` changed its major version one night; `FROM node:22.4.1-slim@sha256:…` did not. "
        "Which of the three parts does your name have?",
    ),
    "prediction": (
        "Compare your prediction with the gauge: which part of the image had you counted wrongly?",
        "An estimate that is far off has left out a room of the house. Which room?",
        "Another learner foresaw a tenth, since “the compiler goes”; the library that stayed weighs nine tenths. What "
        "of yours stays?",
    ),
    "six lines": (
        "Compare your file with the template in the notebook. Which line is gone or reads otherwise?",
        "A form without its headings is a letter. Which heading is missing?",
        "Another record had “Removed:” twice and no “Kept”. Which label do you have in other words?",
    ),
    "filled": (
        "The verdict names the line. What happened there when you changed your file?",
        "A logbook with an empty day is asked about that day. What was there?",
        "Another record: “What I gave up: `pip` in the image, so nobody installs a debugger in a running container.” "
        "What can nobody do any more in yours?",
    ),
    "measured": (
        "The gauge and the table of attempts hold figures. Which two of them belong here?",
        "“Much lighter” is no weight. What do the scales say, before and after?",
        "Another record: “from 61.0 to 12.4 MB above the base, on Engine 28, amd64”. What are your two, and where "
        "were they measured?",
    ),
}
