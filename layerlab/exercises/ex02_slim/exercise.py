"""Exercise 02: full or slim for three services, decided by what a command shows on both bases; one word changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from layerlab.checks import Check, judge
from layerlab.exercises.ex02_slim import checks as change
from layerlab.exercises.kit.bench import Ran
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.narration import tell
from layerlab.units import size
from layerlab.widgets.questions import Choice, Question
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
_TRIES = {
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


class Slim(Exercise):
    """Replace the base where, and only where, a command shows that slim has what the service needs."""

    texts = Texts.beside(__file__)
    commands = COMMANDS
    tasks = {**{task: (f"{task}-base", f"{task}-evidence") for task in SERVICES}, change.TASK: (change.FILE,)}  # noqa: RUF012
    files = {  # noqa: RUF012
        change.FILE: change.CHANGE,
    }

    def probe(self, command: str) -> Outcome:
        """Run a command in a new container of each base, asking each only once.

        Raises
        ------
        NotRecorded
            Replayed engines know `commands` only; a live engine runs any command.
        """
        if command not in self._outcomes:
            with waiting("starting containers"):
                ran = {base: self._run(command, base) for base in BASES}
            self._outcomes[command] = Outcome(
                command,
                {base: one.exit_code for base, one in ran.items()},
                {base: (one.output.strip().splitlines() or ["(nothing)"])[0] for base, one in ran.items()},
            )
        return self._outcomes[command]

    def _run(self, command: str, base: str) -> Ran:
        tell(f"running `{command}` on {base}")
        # Through a shell, so that a missing program is an exit code (127) and not an engine's error.
        return self.bench.run(self.bench.base(base), ("sh", "-c", command))

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._outcomes: dict[str, Outcome] = {}

    def _make(self, id: str) -> Question:
        service = SERVICES[id.rpartition("-")[0]]
        if id.endswith("-base"):
            asked = f"You have read the files of {service.folder}. From which base should its image be built?"
            return Choice(id, asked, BASES, answers=self.answers)
        return Choice(id, "Which of these shows it?", EVIDENCE, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        service = SERVICES[task]
        base, evidence = (values[id] for id in self.tasks[task])
        return self._base_check(service, base), self._evidence_check(service, evidence)

    def _base_check(self, service: Service, base: str) -> Check:
        lacking = {one: [need for need in service.needs if not self.probe(need).works_on(one)] for one in BASES}
        if lacking[base]:
            need = self.probe(lacking[base][0])
            return judge(
                "base fits",
                False,
                found=f"{base}: {need.command} ends with exit code {need.exit_codes[base]}",
                wanted="a base that has what the service calls",
                not_yet=f"{service.folder} {service.says}, and {base} cannot do that.",
                look="Which command from its files did you try on both bases?",
            )
        smaller = base == "full" and not lacking["slim"]
        saved = size(self.bench.base("full").size_bytes - self.bench.base("slim").size_bytes)
        return judge(
            "base fits",
            not smaller,
            found=base,
            wanted="the smaller of the bases that have what it calls",
            because=f"{base} has everything that {service.folder} calls"
            + (f", and is {saved} smaller on disk" if base == "slim" else "; slim lacks part of it"),
            not_yet=f"it takes {saved} more on disk on every machine that runs {service.folder}, "
            "for things that it never calls.",
            look="What does the service call that slim lacks?",
        )

    def _evidence_check(self, service: Service, evidence: str) -> Check:
        is_about_it = evidence in service.needs
        if is_about_it:
            seen = self.probe(evidence)
            shown = ", ".join(f"exit {seen.exit_codes[base]} on {base}" for base in BASES)
            return judge("evidence decides", True, found=evidence, because=f"{evidence}: {shown}")
        return judge(
            "evidence decides",
            False,
            found=evidence,
            wanted="a command that tries what the service calls",
            not_yet=self._why_not(service, evidence),
            look=f"Which line of {service.folder}'s files needs something from the base?",
        )

    def _why_not(self, service: Service, evidence: str) -> str:
        if evidence not in COMMANDS:
            return "it says nothing about what this service calls; the next image with that name may differ."
        seen = self.probe(evidence)
        if evidence in service.partly:
            passed = ", and both bases pass what it tries" if seen.works_everywhere else ""
            return f"{service.folder} uses more than it tries{passed}."
        tried, works = _TRIES[evidence]
        told = f"a {tried} that {works}" if seen.works_everywhere else f"a missing {tried}"
        return f"{service.folder} never uses {tried}, so {told} says nothing about {service.folder}."

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        return change.checks(trial)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The wrong decisions, and the slips in the file."""
        return (*_WRONG_DECISIONS, *change.slips(self.starter(change.FILE)))

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """What else people change in the file."""
        return {change.FILE: change.neighbours(self.starter(change.FILE))}


_WRONG_DECISIONS = (
    *(
        Mistake(
            "slim everywhere",
            task,
            {f"{task}-base": "slim", f"{task}-evidence": SERVICES[task].needs[0]},
            "base fits",
        )
        for task in ("q2-fingerprint", "q3-checksum")
    ),
    Mistake(
        "full everywhere",
        "q1-notes",
        {"q1-notes-base": "full", "q1-notes-evidence": STANDARD_LIBRARY},
        "base fits",
    ),
    Mistake(
        "right base, a header that both bases have",
        "q3-checksum",
        {"q3-checksum-base": "full", "q3-checksum-evidence": PYTHON_HEADER},
        "evidence decides",
    ),
    Mistake(
        "right base, because of the name",
        "q2-fingerprint",
        {"q2-fingerprint-base": "full", "q2-fingerprint-evidence": BY_NAME},
        "evidence decides",
    ),
    Mistake(
        "right base, because it is smaller",
        "q1-notes",
        {"q1-notes-base": "slim", "q1-notes-evidence": BY_SIZE},
        "evidence decides",
    ),
    Mistake(
        "right base, another service's evidence",
        "q2-fingerprint",
        {"q2-fingerprint-base": "full", "q2-fingerprint-evidence": GCC},
        "evidence decides",
    ),
)


EXERCISE = Slim
