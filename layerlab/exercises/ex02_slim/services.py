"""What three services need of a base, and the commands that show on both bases whether it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from layerlab.exercises.kit.bench import Bench, Ran
from layerlab.narration import tell
from layerlab.widgets.waiting import waiting

BASES = ("full", "slim")

STANDARD_LIBRARY = 'python -c "import http.server, json, sqlite3"'
GIT = "git --version"
GCC = "gcc --version"
ZLIB_HEADER = "ls /usr/include/zlib.h"
PYTHON_HEADER = "ls /usr/local/include/python3*/Python.h"
PIP = "pip --version"
COMMANDS = (STANDARD_LIBRARY, GIT, GCC, ZLIB_HEADER, PYTHON_HEADER, PIP)
# Command → what it tries, in a word, and what it is when the command succeeds.
TRIES = {
    GIT: ("git", "works"),
    GCC: ("gcc", "works"),
    ZLIB_HEADER: ("zlib.h", "is there"),
    PYTHON_HEADER: ("Python.h", "is there"),
    PIP: ("pip", "works"),
}

# What people name instead of a measurement.
BY_NAME = "the name: slim means that something is missing"
BY_SIZE = "the size: the smaller image is the better one"
EVIDENCE = (*COMMANDS, BY_NAME, BY_SIZE)


@dataclass(frozen=True)
class Service:
    """One service: its folder, how it is described, and the commands that show whether a base has its needs.

    Attributes
    ----------
    partly
        Commands that try something that it uses, but not what the two bases differ in.
    """

    folder: str
    says: str
    needs: tuple[str, ...]
    partly: tuple[str, ...] = ()


SERVICES: Mapping[str, Service] = {
    "q1-notes": Service("notes", "keeps notes with nothing but Python's standard library", (STANDARD_LIBRARY,)),
    "q2-fingerprint": Service("fingerprint", "calls `git` for every request", (GIT,), (STANDARD_LIBRARY,)),
    "q3-checksum": Service(
        "checksum", "compiles `crc.c` while its image is built", (GCC, ZLIB_HEADER), (STANDARD_LIBRARY,)
    ),
}


@dataclass(frozen=True)
class Outcome:
    """What one command did on both bases: exit code and the first line it printed."""

    command: str
    exit_codes: Mapping[str, int]
    first_lines: Mapping[str, str]

    def works_on(self, base: str) -> bool:
        """True where the command succeeded in a container of that base."""
        return self.exit_codes[base] == 0

    @property
    def works_everywhere(self) -> bool:
        """True where the command succeeded on both bases."""
        return all(map(self.works_on, BASES))

    def __repr__(self) -> str:
        rows = [f"  {base}: exit {self.exit_codes[base]}  {self.first_lines[base]}" for base in BASES]
        return "\n".join([self.command, *rows])

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col">{name}</th>' for name in ("base", "exit code", "first line printed"))
        rows = "".join(
            f'<tr><th scope="row">{base}</th><td>{self.exit_codes[base]}</td>'
            f"<td><code>{escape(self.first_lines[base])}</code></td></tr>"
            for base in BASES
        )
        caption = f"<caption><code>{escape(self.command)}</code></caption>"
        return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


class Probes:
    """Runs commands in containers of both bases, each only once."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._outcomes: dict[str, Outcome] = {}

    def outcome(self, command: str) -> Outcome:
        """Run a command in a new container of each base. Raises NotRecorded as `Slim.probe` does."""
        if command not in self._outcomes:
            with waiting("starting containers"):
                ran = {base: self._run(command, base) for base in BASES}
            self._outcomes[command] = Outcome(
                command,
                {base: one.exit_code for base, one in ran.items()},
                {base: (one.output.strip().splitlines() or ["(nothing)"])[0] for base, one in ran.items()},
            )
        return self._outcomes[command]

    @property
    def saved_bytes(self) -> int:
        """How much smaller slim is on disk than full, in bytes."""
        return self._bench.base("full").size_bytes - self._bench.base("slim").size_bytes

    def _run(self, command: str, base: str) -> Ran:
        tell(f"running `{command}` on {base}")
        # Through a shell, so that a missing program is an exit code (127) and not an engine's error.
        return self._bench.run(self._bench.base(base), ("sh", "-c", command))
