"""A small variant of each task, for whoever needed its last hint: a question, and what it comes to.

A worked step helps those who explain it to themselves, so the last hint is followed by something to do alone. Nothing
is judged or kept. Figures in these questions are made up, and so are their services.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Variant(NamedTuple):
    """A question to answer without help, and its answer with the reason."""

    question: str
    answer: str


# Exercise → task → its variant.
VARIANTS: Mapping[str, Mapping[str, Variant]] = {
    "01_naive": {
        "q1-order": Variant(
            'Bring these into order: `CMD ["ruby", "menu.rb"]`, `RUN bundle install`, `FROM ruby`, `COPY menu.rb '
            "./`, `COPY Gemfile Gemfile.lock ./`. The menu changes daily, the list of gems hardly ever.",
            "FROM, COPY of the list, RUN bundle install, COPY menu.rb, CMD. The installation reads the list and "
            "never the menu. So the menu stands below it, and a new menu leaves the installation in the cache.",
        ),
        "q2-point": Variant(
            "Above its base an image has `COPY site/` with 12 MB, `RUN npm ci` with 180 MB in two minutes, and "
            "`RUN node tiles.js` with 640 MB in four seconds. Where do you look first?",
            "At `RUN node tiles.js`. Seconds say nothing about bytes: a line can write much quickly, and wait "
            "long for little.",
        ),
        "q3-how": Variant(
            "“Our image is 900 MB, and that is all Node.” Which one command tells whether that is so, and which "
            "column of it do you read?",
            "`docker history IMAGE`, its column SIZE: it gives the bytes of each line. `docker images` says how "
            "many there are together, and not whose they are.",
        ),
    },
    "02_slim": {
        "q1-notes": Variant(
            "A service reads CSV files with Python's own csv module and answers in JSON. Full or slim? And which "
            "command could prove you wrong?",
            'Slim. `python -c "import csv, json"`, run there, would fail if you were wrong. `gcc --version` fails '
            "there and proves nothing, since no line of this service compiles.",
        ),
        "q2-fingerprint": Variant(
            "A service fetches pages by calling `curl`. The command works on full and is not found on slim. Full "
            "is one way to be right. What are two others?",
            "Slim with one more line that installs curl; or slim as it is, with a service that lets Python fetch "
            "the page. Either is judged by the same command's output, not by the base's name.",
        ),
        "q3-checksum": Variant(
            "pip compiles a package while the image is built. Afterwards nobody compiles anything. What does the "
            "build need, what does the running service need, and must that be one base?",
            "The build needs a compiler, the service only what was compiled. It need not be one base: notebook 03 "
            "compiles on one and ships another.",
        ),
        "q4-change": Variant(
            "A colleague puts a plain Python service on slim, and adds `RUN apt-get install -y git`, to be safe. "
            "How do you find out what the line costs, and what decides whether it stays?",
            "`docker history` prices the line. It stays if something in the service calls git; nothing does, so "
            "it gives back a part of what the word saved, for nothing.",
        ),
    },
    "03_multistage": {
        "q1-line": Variant(
            "A log ends: `error: command 'cc' failed: No such file or directory`, `ERROR: Failed building wheel "
            "for blake`, `ERROR: Could not build wheels`, `exit code: 1`. Which names the cause? What do the "
            "others say?",
            "The first: there is no `cc`. The others hand the failure on, from the package to pip to the engine. "
            "Read upwards until something was not found.",
        ),
        "q2-missing": Variant(
            "In the builder `gcc --version` answers, and compiling stops at `png.h: No such file or directory`. "
            "Later the container says `libpng16.so.16: cannot open shared object file`. What is missing, and in "
            "which stage?",
            "In the builder the header, which a `-dev` package brings; in the last stage the library itself. One "
            "is read while compiling, the other by the running service.",
        ),
        "q3-blanks": Variant(
            "Three stages: `FROM golang AS build`, `FROM node AS pages`, `FROM debian`. The last one copies the "
            "server from `build`; the pages, made in /site, do not show. Which line is missing? How much of Node "
            "travels?",
            "`COPY --from=pages /site /site`. Of Node nothing travels: of a stage only what is copied out is shipped.",
        ),
    },
    "04_alpine_uv": {
        "q1-audit": Variant(
            "A COPY from the builder brought flask, werkzeug, pip, setuptools, and `python3`, a link to the "
            "base's. What of it does a request run? What was needed for installing only?",
            "flask and werkzeug run, and the link starts them; it weighs nothing. pip and setuptools have done "
            "their work before the image exists.",
        ),
        "q2-mend": Variant(
            "A last stage says `COPY --from=builder /usr/local /usr/local` and then `RUN pip uninstall -y pip`. "
            "Is the copied pip gone from the image? And if only `/deps`, made with `pip install --target /deps`, "
            "were copied?",
            "It is not: the layer of the COPY keeps it, the RUN only hides it. With `/deps` no installer travels, "
            "and one thing is to be added: PYTHONPATH, so that Python looks there.",
        ),
        "q3-transfer": Variant(
            "Four builds: alpine and pip 70 MB, alpine and uv 71 MB, debian and pip 160 MB, debian and uv 159 MB. "
            "“uv makes images small.” Which pairs test that, and what do they say?",
            "The pairs on one base, 70 and 71, 160 and 159: the installer changes next to nothing. 71 beside 160 "
            "changes two things at once and tests neither.",
        ),
    },
    "05_layers": {
        "q1-heavy": Variant(
            "`RUN wget …/data.tar`, `RUN tar xf data.tar`, `RUN rm data.tar`. How often does the data lie in the "
            "image, and how often would it in one RUN with `&&`?",
            "Twice, packed in the first layer and unpacked in the second; the third only hides. In one RUN once, "
            "since the archive is gone before its layer is sealed.",
        ),
        "q2-slow": Variant(
            "`COPY . .`, `RUN bundle install`, `RUN rake assets`. Assets are made from the Rakefile and "
            "app/assets. What runs after an edit of config/routes.rb, and how would it run nothing but a COPY?",
            "All three run. Copy the list of gems, install; copy the Rakefile and app/assets, make the assets; "
            "copy the rest last.",
        ),
        "q3-green": Variant(
            "`RUN pytest | tee report.txt` is green, and the tests fail. Why? How would it be red?",
            "A pipe ends with the status of its last command, and tee did its work. Without the pipe, `pytest > "
            'report.txt`, the build stops; with it, after `SHELL ["/bin/bash", "-o", "pipefail", "-c"]`.',
        ),
        "q4-all": Variant(
            "`COPY . .` above the installation, `RUN pip install -r requirements.txt || true`, and `RUN rm -rf "
            "/root/.cache` at the end. In which order would you mend the three, and why that one first?",
            "First `|| true`: as long as the build cannot fail, no other measurement means anything. Then the "
            "order. Then the cache, in the line that makes it. And after each: does it serve?",
        ),
    },
    "06_base_images": {
        "q1-changelog": Variant(
            "A service calls `ffmpeg` for each upload. No base of the four has it. On which could you add it by a "
            "line, and what would full be better at than slim?",
            "On those with a package manager: full, slim, the musl one. Full would be no better, only larger. On "
            "distroless you would copy the program together with all its libraries.",
        ),
        "q2-survey": Variant(
            "A service needs a package that has wheels for both C libraries, and `start.sh` starts it. Which "
            "bases are out, and which is the smallest that is left?",
            "Distroless is out, since nothing there reads a script. The musl one is left and the smallest. If the "
            "package had no musl wheel, slim would take its place.",
        ),
        "q3-meter": Variant(
            "The same thousands of small machines, but Python starts the service instead of a script. What "
            "changes, and which measured column decides now?",
            "Distroless comes back in. What thousands of machines pull decides: the packed size, which need not "
            "have the order of the size on disk.",
        ),
        "q4-ranking": Variant(
            "A package has wheels for glibc only, and an intruder must find no shell. Which base? What has to "
            "agree between it and the builder?",
            "Distroless: it has glibc and no shell. Python's minor version has to be the builder's, since "
            "compiled files carry it in their names.",
        ),
        "q5-receipts": Variant(
            "“The image with the fewest megabytes is the safest.” Which counts of notebook 06 would you lay beside it?",
            "Shells, commands and setuid files. A small base can have a shell and hundreds of commands, a larger "
            "one neither; megabytes count none of them.",
        ),
        "q6-port": Variant(
            'A base has `ENTRYPOINT ["node"]`; the recipe on it says `CMD node app.js`. What is started, and what '
            "should the line say?",
            'Without brackets a CMD becomes `/bin/sh -c "node app.js"` and is put behind the entrypoint: Node is '
            'asked to run /bin/sh as a script, shell or no shell. `CMD ["app.js"]`.',
        ),
    },
    "07_model_files": {
        "q1-carry": Variant(
            "The builder fetched w.bin. The last stage says `RUN "
            "--mount=type=bind,from=builder,source=/w.bin,target=/w.bin sha256sum /w.bin`. Does the image carry "
            "w.bin?",
            "No. A mount is lent to one command; the layer holds what the command wrote, and it wrote nothing. "
            "`COPY --from=builder` would carry it.",
        ),
        "q2-out": Variant(
            "An image has `COPY tiles/ /srv/tiles/`, 3 GB, new each month, on 40 machines. What is pulled after "
            "an update? What if the folder were mounted, and whose work would it be then?",
            "With COPY each machine pulls a layer of 3 GB, 120 GB together. Mounted, the image stays as it is and "
            "nothing is pulled; then somebody has to bring the tiles to the machines, or to a disk that they "
            "share.",
        ),
        "q3-early": Variant(
            "`docker run -v /srv/tlies:/srv/tiles …`, with that slip. What does the engine do? Which check at the "
            "start notices: `test -d /srv/tiles` or `test -r /srv/tiles/index.json`?",
            "It makes /srv/tlies, empty, and mounts it, so the first check holds and the second fails. `--mount "
            "type=bind` would have refused a folder that is not there.",
        ),
    },
    "08_measuring": {
        "q1-find": Variant(
            "`RUN make-index` wrote 300 MB to /index; `RUN mv /index /srv/index` has 300 MB as well. What does no "
            "container see, and which line hid it?",
            "The first 300 MB. `mv` wrote a whole copy into its own layer and left a whiteout for /index. It is "
            "the writer of the one and the hider of the other.",
        ),
        "q2-largest": Variant(
            "An image's largest layer is its base, 130 MB, which twenty other images share. Another layer holds 5 "
            "MB that no container sees. Which is waste?",
            "The 5 MB. The base is seen, used, and lies on the machine once. Large is how many bytes there are; "
            "waste is how many nobody can reach.",
        ),
        "q3-mend": Variant(
            "`RUN apt-get update && apt-get install -y jq` leaves lists in /var/lib/apt/lists. Where does their "
            "`rm` belong, and what does it do as the last RUN of the file?",
            "In that same RUN. At the end it adds a layer of whiteouts, and the image loses no byte.",
        ),
    },
    "09_buildkit": {
        "q1-waits": Variant(
            "`COPY go.mod go.sum ./`, `COPY . .`, `RUN go mod download`, `RUN go build`. The list is copied "
            "first, and yet every edit downloads all modules. Why?",
            "`COPY . .` stands between, and whatever is below a changed step runs again. The download belongs "
            "above it: the place of the RUN counts, not that of the list alone.",
        ),
        "q2-fetches": Variant(
            "`RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y jq`, on Debian's "
            "official image: the second build fetches jq again. Who empties the cache?",
            "apt itself: those images bring /etc/apt/apt.conf.d/docker-clean, which tells it to keep no packages. "
            "A mount helps a tool only as far as the tool keeps something there.",
        ),
    },
    "10_practice": {
        "q1-almanac": Variant(
            "A service needs 6 MB of packages. Its image copies an environment of 19 MB. What else may be in "
            "there, and how is it made without?",
            "An installer, which `python -m venv` puts into every environment. `--without-pip`, or an installer "
            "that stands outside and fills a folder, leaves it out.",
        ),
        "q2-labels": Variant(
            "An extension is compiled on slim and copied to an image on musl. The import ends with `Error loading "
            "shared library ld-linux-x86-64.so.2`. What is wrong, and what are the two cures?",
            "It was linked against glibc, and there is none. Compile it in a builder on the same base as the last "
            "stage, or ship slim.",
        ),
        "q3-kinds": Variant(
            'A service calls `ctypes.CDLL("libsodium.so.23")`. `pip list` shows nothing of it. How do you find '
            "out that the last stage needs it, without reading the code?",
            "Ask the running process: /proc/PID/maps names every library that it has mapped. What the base lacks "
            "of them has to be brought; `dpkg -S` in the old image names the package.",
        ),
        "q4-silver": Variant(
            "`FROM python:3.12-slim` gave another image half a year later. What did the name hold still, and what "
            "would a digest hold still that you might not want to?",
            "It held the minor version; the patch release and Debian's packages moved on. A digest holds every "
            "byte, and so every hole that was mended since: somebody has to move it.",
        ),
        "q5-gold": Variant(
            "“Removed: bash. Saved: 1 MB. So it is safer.” What would turn that into a decision that somebody "
            "else can check?",
            "What was given up, and how people look inside now; when it would be decided otherwise; and the two "
            "sizes, with engine and platform, instead of a rounded difference.",
        ),
    },
    "11_with_ai": {
        "q1-files": Variant(
            "One file has nine findings, all of style. The other has one: `ENV DB_PASSWORD=…`. Which goes back first?",
            "The second. Whoever pulls the image can read it, and no later line takes it back; the nine cost "
            "nobody anything. The number of findings is not their weight.",
        ),
        "q2-faults": Variant(
            "`RUN pip install -r requirements.txt || true`; `RUN chmod -R 777 /app`; `EXPOSE 80` for a service on "
            "8000; a .git folder of 200 MB in the context. Which does most harm, which least?",
            "`|| true` can ship a service that does not start. With 777 every user rewrites the code. .git "
            "bloats, and comes first of all if a secret is in its history. EXPOSE misleads readers and opens "
            "nothing.",
        ),
        "q3-repair": Variant(
            "A service ends with `Permission denied: /app/cache`. An assistant deletes `USER 10001`, and it "
            "serves. What did that undo, and what is the smaller cure?",
            "It is root again, with every right in the container. Give that one folder to the user instead: make "
            "it in the build with `install -d -o 10001 /app/cache`, or copy it with `--chown=10001`.",
        ),
    },
}
