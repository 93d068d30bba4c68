"""Hints of exercise 08: where to look, the principle by an everyday image, a worked step in another image."""

from __future__ import annotations

from collections.abc import Mapping

from layerlab.exercises.ladders import LADDERS

HINTS: Mapping[str, tuple[str, str, str]] = {
    **LADDERS,
    "wrote it": (
        "Lay the two tables beside each other: bytes by line, and bytes by folder as a container sees them. Which line "
        "has no folder?",
        "The removal firm's bill lists what was loaded, and the flat shows what was unpacked. A heavy wardrobe that "
        "stands in the flat is no loss. What is on the bill and not in the flat?",
        "Another image: `RUN render` 90 MB, `RUN index` 30 MB; `du` shows 90 MB of pictures, and no index. The larger "
        "line is in use. Which of the two would you ask about?",
    ),
    "hid it": (
        "Go through the layers above the one that you named and list their entries. Which layer has one of kind "
        "whiteout or opaque?",
        "Who took the cake is not told by the label on a coat, but by crumbs in a pocket. Which layer has the crumbs?",
        "Another image: `RUN rm -rf /var/log/*` removed nothing, since nothing lay there; `RUN ./finish.sh` has a "
        "whiteout for `index`. What do the layers of yours say, apart from what their lines are called?",
    ),
    "evidence decides": (
        "Take each sentence, and say it of the layer that you named in part 1. Does it hold there too?",
        "Both twins have brown hair, so hair tells nobody apart. What do these two layers not have in common?",
        "Another image: “the video is old” holds of the film that is shown and of the one that was deleted. That it "
        "plays holds of one. Which of your sentences is like “it plays”?",
    ),
    "waste": (
        "The verdict names two lines: who wrote it and who hid it. How many layers are closed between the two?",
        "What is in a sealed box is carried upstairs, whatever a later note says of it. Until when can the drawers be "
        "taken out of their box?",
        "Another recipe: `RUN unpack && build && rm -r unpacked`, three commands and one layer. Which of your commands "
        "have to stand together like that, and which need not?",
    ),
    "nothing left lying": (
        "Compare with what the image showed before: which folder is new to the eye?",
        "A cellar that nobody opens costs the same rent with its door open. Who needs what lies there, once the image "
        "is built?",
        "Another recipe stopped removing its `node_modules/.cache`: no waste any more, and not a byte less. Its cure "
        "was to remove it in the line that made it. In which line of yours would that be?",
    ),
    "builds": (
        "The verdict names a line and what it missed. Which command made that, and which took it away?",
        "Nobody reads a letter that has been burnt. Was it gone before its reader came?",
        "Another recipe: `RUN fetch && rm data` and below it `RUN plot data` stops with `data: not found`. In which "
        "order do your three commands need the drawers?",
    ),
    "serves": (
        "The verdict quotes the container's last words: a file that it looked for. Which line was to write it?",
        "A shop that throws out its shelves to save rent has little to sell. What does this service hand out at each "
        "request?",
        "Another service ended with `prices.json: No such file`: the line that wrote it had been cut together with a "
        "cache. What does serve.py open when it starts?",
    ),
}
