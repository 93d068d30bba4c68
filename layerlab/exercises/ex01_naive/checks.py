"""How an order of lines is judged, and how what somebody reads from an image's history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from layerlab.checks import Check, judge, largest, precedes
from layerlab.dockerfile import Instruction, parse
from layerlab.units import size
from layerlab.widgets.questions import cut

HEADER = "ARG PY_MINOR=3.12\n"

# Shuffled by hand, so that every learner starts from the same order and no rule holds by chance.
LINES = (
    'CMD ["python", "quotes.py"]',
    "COPY quotes.py authors.json ./",
    "RUN pip install -r requirements.txt",
    "EXPOSE 5000",
    "COPY requirements.txt ./",
    "FROM python:${PY_MINOR}",
    "WORKDIR /srv",
)
READ = "Its line in the history shows more bytes than every other line."
REASONS = (
    "It installs packages, and packages are what is large.",
    "It is the oldest line, and everything else rests on it.",
    READ,
    "Its step took longer than the others when the image was built.",
)


def dockerfile(lines: Sequence[str]) -> str:
    """Return the lines as a Dockerfile, below the ARG that lets it serve two Python versions."""
    return HEADER + "\n".join(lines) + "\n"


def order(lines: Sequence[str]) -> tuple[Check, ...]:
    """Judge an order by what each instruction needs, so every order that works is right.

    Notes
    -----
    COPY and WORKDIR with relative paths are relative to the last WORKDIR; a changed input reruns its
    step and all below it (docs.docker.com, Dockerfile reference and build cache).
    """
    table = _instructions(lines)

    def is_(keyword: str) -> Callable[[str], bool]:
        return lambda line: table[line].keyword == keyword

    def brings_the_list(line: str) -> bool:
        return "requirements.txt" in table[line].sources

    def brings_source(line: str) -> bool:
        return bool(table[line].sources) and not brings_the_list(line)

    def installs(line: str) -> bool:
        return table[line].keyword == "RUN" and "requirements.txt" in table[line].logical

    begins = is_("FROM")(lines[0])
    folder, folder_found = precedes(lines, is_("WORKDIR"), brings_source)
    # The list may lie in the root folder as well, as long as pip is started there.
    together, apart_found = _same_folder(lines, brings_the_list, is_("WORKDIR"), installs)
    listed, list_found = precedes(lines, brings_the_list, installs)
    source, source_found = precedes(lines, installs, brings_source)
    command = is_("CMD")(lines[-1])
    return (
        judge(
            "begins with a base",
            begins,
            found=f"{lines[0]} on line 1",
            wanted="FROM on line 1",
            because="FROM stands first, so every other line has files to work on",
            not_yet="the engine refuses an instruction that has no image below it.",
            look="Which line brings the first files?",
        ),
        judge(
            "folder before files",
            folder and together,
            found=apart_found if folder else folder_found,
            wanted="WORKDIR above both" if not folder else "COPY and RUN in one folder",
            because="every line that uses the current folder has the folder that it needs",
            not_yet="pip looks in /srv, but its list is in /."
            if folder
            else "./ still means the root folder; the start command looks in /srv.",
            look="What does ./ mean on that line?",
        ),
        judge(
            "list before install",
            listed,
            found=list_found,
            wanted="the list above the install",
            because="requirements.txt is in the image when pip reads it",
            not_yet="pip looks for a file that is not there yet.",
            look="What does that line read?",
        ),
        judge(
            "source after install",
            source,
            found=source_found,
            wanted="the install above",
            because="an edit to quotes.py leaves the install above it cached",
            not_yet="every edit to quotes.py installs all packages again.",
            look="Which lines run again when quotes.py changes?",
        ),
        judge(
            "command last",
            command,
            found=f"{lines[-1]} on line {len(lines)}",
            wanted="CMD there",
            because="CMD stands last, where readers look for it; the engine accepts it anywhere",
            not_yet="people look for the start command at the end, though the engine accepts it anywhere.",
            look="Which line acts only when a container starts?",
        ),
    )


def most_bytes(key: str, sizes: Mapping[str, int]) -> Check:
    """Judge which line of a history was picked.

    Parameters
    ----------
    sizes
        Each line's bytes, by its key in the question.
    """
    most = largest(sizes)
    found = sizes.get(key, 0)
    return judge(
        "most bytes",
        found == sizes[most],
        found=f"{cut(key, 48)}: {size(found)}",
        wanted="the line with the most bytes",
        because=f"{size(found)} of {size(sum(sizes.values()))} come from {cut(key, 48)}",
        not_yet=f"another line of this image carries {_times(sizes[most], found)}.",
        look="What does the size column say, whatever the line does?",
    )


def reason(value: str) -> Check:
    """Judge why somebody is sure: only a measurement holds for any image."""
    return judge(
        "measured, not expected",
        value == READ,
        found=f"“{value}”",
        wanted="a reason that is a measurement of bytes",
        because="the size column is a measurement, and it holds for any image",
        not_yet="this image has a line that breaks that rule.",
        look="Which number did you look at?",
    )


def _same_folder(
    lines: Sequence[str], first: Callable[[str], bool], between: Callable[[str], bool], last: Callable[[str], bool]
) -> tuple[bool, str]:
    """Say whether no line that changes the folder stands between two that share one, and name the two above."""
    above, found = precedes(lines, first, between)
    below, _ = precedes(lines, between, last)
    return not (above and below), found


def _instructions(lines: Sequence[str]) -> dict[str, Instruction]:
    # Parsed with FROM on top whatever the order, because the parser rightly refuses anything before it.
    sorted_ = sorted(lines, key=lambda line: not line.startswith("FROM"))
    parsed = parse(dockerfile(sorted_)).instructions
    return {line: parsed[number] for number, line in enumerate(sorted_, 1)}


def _times(most: int, found: int) -> str:
    return f"{most / found:.0f} times as many" if found and most / found >= 1.5 else f"{size(most - found)} more"
