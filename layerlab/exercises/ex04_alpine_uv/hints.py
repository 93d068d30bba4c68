"""Hints of exercise 04, by failing check: where to look, the principle, a worked step on another file."""

from __future__ import annotations

from collections.abc import Mapping

HINTS: Mapping[str, tuple[str, str, str]] = {
    "nothing spare": (
        "Take the name in the verdict. When did it last do something: while the image was built, or for a request?",
        "The removal van brings the furniture and drives away. What in your list is furniture, and what is the van? "
        "And what stood in the flat already?",
        "Another service, in Node: its COPY brought `express`, `npm` and `node`. Requests run express; npm put it "
        "there; node was in the base. So it would miss express alone. Which of yours is like npm, which like node?",
    ),
    "nothing missed": (
        "Begin with the import lines of main.py. Which of the names in the list do they lead to?",
        "A lamp needs its cable, though nobody asks for a cable. What is the cable of the packages that main.py names?",
        "Another service imports `requests` alone. At its start Python loads requests, and requests loads urllib3: "
        "both must be there. FastAPI checks every answer with another package, part of it compiled. Which ones?",
    ),
    "serves": (
        "Read the container's last words in the verdict. Is it a program or a file that was not found?",
        "Things carried to a new house still have to be found there, by the address that everybody uses. By which "
        "names does Python, or the shell, look for what you copied?",
        'Another image got its tools in `/opt/node/bin`, and `CMD ["node", …]` ended with `not found` until it said '
        "`ENV PATH=/opt/node/bin:$PATH`. Which line of yours says where to look?",
    ),
    "no installer added": (
        "The verdict names a line or a folder. Is that the line that brings it, or one that hides it again?",
        "A parcel that is on its way can't be made lighter by a note “please ignore the tools in it”. Which line "
        "packs the parcel?",
        "Another file copied `/usr` from its builder, then ran `rm /usr/bin/npm`: npm still travelled. It was cured "
        "by `npm install --prefix /site` in the builder and `COPY --from=builder /site /site`. What is the folder in "
        "yours that holds packages and nothing else, and who makes it?",
    ),
    "luggage": (
        "Which line of the last stage adds most? List for yourself what it brings besides the packages.",
        "Who unpacks leaves traces: boxes kept for later (a cache), notes made while reading (bytecode, also of the "
        "installer). Where do they lie, and do they come along?",
        "Another builder ran `npm install` with its cache in `/site/.npm` and copied `/site`: every package came "
        "twice. `--cache /tmp/npm` kept the second copy behind. Where does your installer keep its own?",
    ),
    "agrees with all four": (
        "Take the two images that the verdict names and lay your sentence beside them. What would it foretell?",
        "A fast removal firm packs your flat in an hour. Does the new flat get smaller by that, and what does decide?",
        "Another table: two ovens, two recipes. In both ovens the cake with two eggs is the larger one, so the recipe "
        "decides and not the oven. Which column plays the oven in yours?",
    ),
    "evidence decides": (
        "Name, for your pair, everything that differs in its two rows. How many things are these?",
        "Who changes the oven and the recipe on one day learns nothing about the oven. Which pair changed the oven "
        "alone?",
        "Another claim: “this tyre saves fuel”. Two cars with other tyres and other engines show nothing; one car, "
        "driven on both tyres, does. Which of your pairs is one car, and does it contradict the claim?",
    ),
}
