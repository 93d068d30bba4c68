"""Hints of exercise 05: where to look, the principle by an everyday image, a worked step in another file."""

from __future__ import annotations

from collections.abc import Mapping

from layerlab.exercises.ladders import LADDERS

HINTS: Mapping[str, tuple[str, str, str]] = {
    **LADDERS,
    "luggage": (
        "The gauge shows what is needed and what rides along; the verdict names the line that wrote most of it. Which "
        "later line was meant to take that away, and what did the image weigh after it?",
        "Each instruction hands over a sealed box. A later note, “please ignore what is in box five”, makes no box "
        "lighter for whoever carries them up the stairs. Until when can you still take something out of box five?",
        "Another file draws maps: `RUN fetch-terrain /tmp/t && draw /tmp/t map.png && rm -r /tmp/t`. Fetched, used and "
        "gone before the box is sealed. Which of your lines belong together like that? And which line would then run "
        "after every edit, if all of them did?",
    ),
    "rebuild": (
        "The verdict says which lines run again. Take the first of them: which of the files that it brings did the "
        "edit change, and which did it not?",
        "Who paints a room every week and moves house every ten years does not unpack the paint first. Which of your "
        "lines is the move, and which is the paint?",
        "Another file: `COPY package.json ./`, `RUN npm install`, and below them `COPY src ./src`. An edit in `src` "
        "finds the installation in the cache. Which files do your `RUN` lines read, and which do they never open?",
    ),
    "failures count": (
        "The verdict names a line that stayed green with a broken part. Read that line from left to right: which "
        "command ends last, and what is its exit status?",
        "A smoke alarm that somebody unplugged to have peace at breakfast is still on the wall. Which sign in the line "
        "is the plug?",
        "Another file: `RUN make || true` is green without a compiler, `RUN make; ls` as well, since only the last "
        "status counts. `RUN make && ls` stops at make. What stands between the commands of your line?",
    ),
    "q3-green: serves": (
        "Read the last line that the container printed: it names something. Which line of the recipe was to bring "
        "that, and what did it print while it was built?",
        "A receipt says that somebody paid, not that the parcel was full. Which line gave the receipt here, and did "
        "you look into the parcel?",
        "Another file ends a `RUN bundle install` with `|| exit 0`; its container says `cannot load such file -- "
        "rack`. Without the last three words the build stops, and says why. Which words would you take away to hear "
        "yours?",
    ),
    "q4-all: serves": (
        "Read the last line that the container printed: it names a file. Which line was to write it, and from what?",
        "A cook who calls “done!” whether or not the oven was on tells you nothing. Which line says here that all is "
        "well, and what does it know of it?",
        "Another file: `RUN draw map.svg; echo drawn` prints `drawn` without a drawing. `RUN draw map.svg` alone "
        "stops, and prints what was not found. Which command of yours would you let speak for itself?",
    ),
    "builds": (
        "The verdict names the line and what it printed. Which file does that line look for, where, and is it there "
        "at that moment?",
        "Nobody can read a letter that has been burnt, or one that is still in the post. Which of the two is it: gone "
        "already, or not there yet?",
        "Another file runs `npm ci` above `COPY package-lock.json ./` and stops: the list is not there yet. Moved one "
        "line down, it finds it. Which file must be where, before your line runs?",
    ),
}
