"""Hints of exercise 07, by failing check: where to look, the principle, a worked step on another file."""

from __future__ import annotations

from collections.abc import Mapping

from layerlab.exercises.ladders import LADDERS

HINTS: Mapping[str, tuple[str, str, str]] = {
    **LADDERS,
    "nothing spare": (
        "Take the recipe that the verdict names. Follow it line by line: which of its lines writes a model?",
        "A guest who was never invited needs no chair. Was the model ever in that image's house?",
        "Another file has no line that fetches a map; its containers get `-v /maps:/maps`. `docker images` shows the "
        "same size before and after. What could have made it grow?",
    ),
    "nothing missed": (
        "The verdict counts one that you left out. Which of them writes the model into a layer that is shipped, "
        "whatever happens later?",
        "A box that was packed, and a note on top of it: “ignore this one”. What does the van weigh? And what if "
        "the box was packed in another house and carried over?",
        "Another file: `RUN curl -o map.bin …`, then `RUN rm map.bin`. Its container shows no map; its image weighs as "
        "much as the map. Which layer holds it?",
    ),
    "no model": (
        "The verdict names the line that wrote the largest layer. What is in it, and does the image have to have it?",
        "Who moves house does not pack the library: it is public, and has an address. Which line packs the library "
        "here, and what is the address?",
        "Another file: `RUN curl -o /maps/europe.bin …` and `RUN rm /maps/europe.bin` weigh as much as the map. With "
        "both lines gone, `-v /maps:/maps:ro` brings it. Which lines of yours are those two?",
    ),
    "serves": (
        "Read the container's last words in the verdict. Which file did it look for, or try to write, and where?",
        "A mount covers what the image has at that place, and read-only means read-only. What does your start need "
        "that is not in the mount, or may not be written there?",
        "Another image ran `fetch /maps/europe.bin && serve` on a read-only mount and ended with `Read-only file "
        "system`: the map was there already. Which command could it leave out?",
    ),
    "ends at start": (
        "Start it without a mount and ask /health, then a bird. Which of the two needs the model? And when is the "
        "model opened?",
        "A cook looks into the larder before the guests sit down, and not when the first one orders. What is the "
        "larder here, and who looks into it when?",
        "Another image starts `serve --lazy`; without its map it serves an error to each request. `serve --check` "
        "opens the map first and ends if it cannot. Which word does your service have for that?",
    ),
    "says why": (
        "The verdict quotes the log of a container without a model. Which file would you go and look for after that?",
        "“It did not work” is no message. Somebody who has never seen this service reads one line. Which word must "
        "stand in it?",
        "Another image starts with `test -r /maps/europe.bin && serve` and ends without a word. With "
        "`|| { echo no /maps/europe.bin; exit 1; }` it says so. Who says so in yours?",
    ),
    "empty folder": (
        "Compare the two starts: without a mount, and with an empty folder. What is there in the second that is not "
        "in the first?",
        "A bookshelf in the room does not mean that there are books. What does your start look at: the shelf, or the "
        "book?",
        "Another image starts with `test -d /maps`. `docker run -v /mpas:/maps` makes the folder /mpas, empty, and the "
        "test holds. `test -r /maps/europe.bin` does not. Which path does yours name?",
    ),
}
