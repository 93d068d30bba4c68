"""Exercise 03: read why a build fails, fill the blanks of two stages, and say for other services whether they pay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerlab.checks import Check, behaviour, judge
from layerlab.errors import BuildFailed
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.bench import built
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask, edited, filled, one_filling_changed
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.narration import tell
from layerlab.widgets.questions import Choice, PointAt, Question, cut
from layerlab.widgets.waiting import waiting

APP = "exercise03/tickets"
LINE, MISSING, BLANKS = "q1-line", "q2-missing", "q3-blanks"
FILE = "q3-blanks-file"

# What people take a failing build for, and the command that shows whether it is so, at the point where the build was.
COMPILER = "a compiler: there is no program called gcc"
PYTHON_HEADER = "Python's own header file, Python.h"
LIBRARY_HEADER = "the library's header file, qrencode.h"
NETWORK = "the network: packages could not be fetched"
COMMANDS: Mapping[str, str] = {
    COMPILER: "gcc --version",
    PYTHON_HEADER: "ls /usr/local/include/python3*/Python.h",
    LIBRARY_HEADER: "ls /usr/include/qrencode.h",
    NETWORK: 'python -c "import fastapi"',
}

# The builder's tools; the library that the running service loads; the folder with the packages, at its own path.
SOLUTION = ("gcc libc6-dev libqrencode-dev", "libqrencode4", "/opt/venv /opt/venv")
PLAUSIBLE = (
    ("libqrencode-dev", "gcc libqrencode-dev"),
    ("libqrencode-dev", "qrencode"),
    ("/opt /opt", "/opt/venv /opt/venv/", "/opt/venv .", "/opt/venv /usr/local", "/app /app"),
)
# The solution brings an eighth: a venv carries an installer of its own, which is what exercise 04 is about.
SHARE = 0.25


class MultiStage(Exercise):
    """A compiler in the builder only, and the library that the service loads in the image that is shipped."""

    texts = Texts.beside(__file__)
    tasks = {LINE: (LINE,), MISSING: (MISSING,), BLANKS: (FILE,)}  # noqa: RUF012
    files = {  # noqa: RUF012
        FILE: FileTask(
            file="Dockerfile",
            app=APP,
            starter="Dockerfile.blanks",
            parts=frozenset({"editor", "diff"}),
            before="Dockerfile.today",
            paths=("/health", "/tickets/4711"),
        )
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._failed: BuildFailed | None = None

    @property
    def failure(self) -> BuildFailed:
        """How the build on slim fails."""
        if self._failed is None:
            try:
                with waiting("building Dockerfile.slim"):
                    built(self.bench.begin(APP, dockerfile="Dockerfile.slim"), "Dockerfile.slim")
            except BuildFailed as failure:
                self._failed = failure
            else:
                raise AssertionError("a slim base with a compiler: this exercise has nothing to ask here")
        return self._failed

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines that the failing step printed, without their indent."""
        return tuple(line.strip() for line in self.failure.log_tail if line.strip())

    def ends_with(self, command: str) -> int:
        """Return the exit code of a command in the image that the failing step began with."""
        lines = (self.bench.folder(APP) / "Dockerfile.slim").read_text(encoding="utf-8").splitlines(keepends=True)
        before = "".join(lines[: (self.failure.line or 1) - 1])
        reached = built(self.bench.begin(APP, text=before, dockerfile="Dockerfile.slim"), "up to the step that fails")
        tell(f"running `{command}` there")
        return self.bench.run(reached.image, ("sh", "-c", command)).exit_code

    def _make(self, id: str) -> Question:
        if id == LINE:
            asked = "Which of the lines that the failing step printed names the cause? (the last lines, oldest first)"
            return PointAt(id, asked, [(line,) for line in self.log], columns=("printed",), answers=self.answers)
        return Choice(id, "What did that step not find?", tuple(COMMANDS), answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        value = values[task]
        return (self._line_check(value),) if task == LINE else (self._missing_check(value),)

    def _line_check(self, picked: str | int) -> Check:
        question = self.question(LINE)
        assert isinstance(question, PointAt)
        line = question.keys[picked - 1] if isinstance(picked, int) else picked
        return judge(
            "names the cause",
            line == behaviour.telling_line(self.log),
            found=f"“{cut(line, 70)}”",
            wanted="the line that names what was not there",
            because="it names what the step looked for; the lines around it only say that it failed",
            not_yet="nobody who reads it alone would know what to bring.",
            look="Which line says that something was not there?",
        )

    def _missing_check(self, picked: str) -> Check:
        code = self.ends_with(COMMANDS[picked])
        return judge(
            "is missing",
            code != 0,
            found=f"{COMMANDS[picked]} ends with exit code {code}",
            wanted="a command that fails there",
            because="at the point where the build stopped, that command fails as well",
            not_yet="what you named is there, right before the step that fails.",
            look="Which word of the line from part 1 would you look for?",
        )

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        yield file_checks.no_blank_left(trial)
        yield file_checks.reads(trial)
        yield (staged := file_checks.stages(trial))
        if staged.status != "PASS":
            return
        yield file_checks.builds(trial)
        yield file_checks.serves(trial)
        yield file_checks.same_answers(trial)
        yield file_checks.no_compiler_added(trial)
        yield file_checks.little_came_along(trial, stage=trial.dockerfile.stages[0].name or "0", share=SHARE)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The lines that people take for the cause, and three blanks filled as people fill them."""
        tools, library, folder = SOLUTION
        fillings = (
            ("leaves a blank", (tools, library, "____"), "no blank left"),
            ("forgets the library's header", ("gcc libc6-dev", library, folder), "builds"),
            ("names the library without its version", (tools, "libqrencode", folder), "builds"),
            ("ships no library", (tools, "ca-certificates", folder), "serves"),
            ("moves the venv", (tools, library, "/opt/venv /venv"), "serves"),
            ("compiles in the last stage too", (tools, f"gcc {library}", folder), "no compiler added"),
            ("copies everything", (tools, library, "/ /"), "no compiler added"),
            (
                "copies all libraries for one",
                (tools, "ca-certificates", f"{folder}\nCOPY --from=builder /usr/lib /usr/lib"),
                "luggage",
            ),
        )
        starter = self.starter(FILE)
        one_stage = edited(filled(starter, *SOLUTION), " AS builder", "").partition("# The image that is shipped")[0]
        return (
            Mistake("the first line", LINE, {LINE: 1}, "names the cause"),
            Mistake("the line that says where pip stopped", LINE, {LINE: 3}, "names the cause"),
            Mistake("the network", MISSING, {MISSING: NETWORK}, "is missing"),
            Mistake("the library's header", MISSING, {MISSING: LIBRARY_HEADER}, "is missing"),
            Mistake("Python's header", MISSING, {MISSING: PYTHON_HEADER}, "is missing"),
            Mistake("keeps one stage", BLANKS, {FILE: one_stage}, "stages"),
            *(Mistake(name, BLANKS, {FILE: filled(starter, *words)}, check) for name, words, check in fillings),
        )

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """One blank filled otherwise, as people do."""
        starter = self.starter(FILE)
        return {FILE: (filled(starter, *SOLUTION), *one_filling_changed(starter, SOLUTION, PLAUSIBLE))}


EXERCISE = MultiStage
