"""Hints for the checks that most Dockerfile tasks share: where to look, the principle, a worked step elsewhere.

An exercise begins its ``hints`` with `LADDERS` and puts its own in the place of those that it can say better.
"""

from __future__ import annotations

from collections.abc import Mapping

LADDERS: Mapping[str, tuple[str, str, str]] = {
    "no blank left": (
        "Go to the line that the verdict names. What does the same kind of line do in the notebook before this?",
        "A form with an empty field goes back to the sender. Which field is empty, and who needs it?",
        "Another file: `RUN npm install ____`. The service imports express, so the blank is `express`. "
        "What does your service ask for at that place?",
    ),
    "reads": (
        "Look at the line that the verdict names. Does it begin with an instruction, such as RUN or COPY?",
        "A recipe is followed word by word: one misspelt verb, and the cook stops. Which verb is it?",
        "Another file: `COPPY app.js ./` stops every engine at that line, `COPY app.js` as well, since it does not "
        "say where to. Which of the two is yours?",
    ),
    "stages": (
        "Count the FROM lines. What does each of them begin?",
        "A workshop and a shop window: the customer gets what stands in the window. What is your window?",
        "Another file: `FROM node AS builder` … `FROM node:slim`, then `COPY --from=builder /site /site`. Where would "
        "the second FROM stand in yours?",
    ),
    "builds": (
        "The verdict names a line and what it printed. Which word in there is a file, a program or a package?",
        "Who follows a recipe stops at the first thing that is not in the kitchen. What is not there, and when "
        "should it have been bought?",
        "Another file: `RUN node build.js` prints `node: not found`. A line above has to bring node, or the base has "
        "to. Which line above yours should bring what is missing?",
    ),
    "serves": (
        "Read the last lines of the container in the verdict. What did it look for when it started?",
        "A house can be finished and still have no door key in it. What does the start need that only the building "
        "site had?",
        "Another file copies `/site` from its builder to `/www` and starts `serve /site`: it builds, and finds "
        "nothing. Which path does your start command expect?",
    ),
    "same answers": (
        "Compare the two answers in the verdict. What does the service read before it answers that?",
        "A moved shop sells the same goods. What did not come along in the move?",
        "Another file left its `prices.json` behind and answered with an empty list. What does your service read?",
    ),
    "no compiler added": (
        "Look at the last FROM and at what stands below it. Which line there brings more than the service calls?",
        "The scaffolding makes the house possible, and nobody moves in with it. What is the scaffolding here?",
        "Another file: `RUN apt-get install -y golang` in the builder, and below the second FROM only "
        "`COPY --from=builder /out/server /server`. What would `golang` below that FROM add?",
    ),
    "luggage": (
        "Which line of the last stage added most? Take its path: what else lies below it?",
        "For a trip you take a bag, not the wardrobe that it stands in. What is the bag here?",
        "Another file: `COPY --from=builder /usr /usr` carried 300 files for one that was needed; "
        "`COPY --from=builder /usr/share/app /usr/share/app` carries that one. What is the smallest folder in yours?",
    ),
}
