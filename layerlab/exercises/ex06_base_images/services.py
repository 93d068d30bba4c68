"""The five services of exercise 06, and the questions that a base answers about itself, each in one container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layerlab.exercises.kit.bench import Bench
from layerlab.narration import tell
from layerlab.units import size

BASES = ("full", "slim", "musl", "distroless")

_WALK = (
    "import os, sys; seen = (os.lstat(os.path.join(d, f)).st_mode for d, _, fs in os.walk('/usr') for f in fs); "
    "sys.exit(any(mode & 0o6000 and mode & 0o170000 == 0o100000 for mode in seen))"
)


@dataclass(frozen=True)
class Question:
    """Something to ask a base: a program to run, or a line for its Python, which every base here has.

    ``says`` is how a learner reads it; exit code 0 means yes.
    """

    says: str
    program: tuple[str, ...] = ()
    code: str = ""

    def command(self, base: str) -> tuple[str, ...]:
        """Return the words to start a container with: distroless has its Python in ENTRYPOINT already."""
        if self.program:
            return self.program
        return ("-B", "-c", self.code) if base == "distroless" else ("python", "-B", "-c", self.code)


GIT = Question("`git --version` runs", ("git", "--version"))
SHELL = Question("`sh -c true` runs", ("sh", "-c", "true"))
GLIBC = Question(
    "its Python takes wheels for glibc",
    code="import sys, sysconfig; sys.exit('gnu' not in (sysconfig.get_config_var('SOABI') or ''))",
)
MODULES = Question("its Python imports http.server and json", code="import http.server, json")
NO_SHELL = Question("no `sh` is found in it", code="import shutil, sys; sys.exit(shutil.which('sh') is not None)")
NO_SETUID = Question("no file below /usr is setuid or setgid", code=_WALK)
QUESTIONS = (GIT, SHELL, GLIBC, MODULES, NO_SHELL, NO_SETUID)

# What people name instead of a measurement.
BY_NAME = "the name of the base"
BY_SIZE = "its size alone"
EVIDENCE = (*(one.says for one in QUESTIONS), BY_NAME, BY_SIZE)


@dataclass(frozen=True)
class Service:
    """One service: its folder, how it is described, and what its base must answer with yes."""

    folder: str
    says: str
    needs: tuple[Question, ...]


SERVICES: Mapping[str, Service] = {
    "q1-changelog": Service("changelog", "calls `git` for every request", (GIT,)),
    "q2-survey": Service("survey", "needs scikit-learn, and a shell script starts it", (GLIBC, SHELL)),
    "q3-meter": Service("meter", "runs on thousands of small machines, and a shell script starts it", (SHELL,)),
    "q4-ranking": Service("ranking", "needs scikit-learn, and Python starts it", (GLIBC,)),
    "q5-receipts": Service("receipts", "must show an intruder no shell and lend no rights", (NO_SHELL, NO_SETUID)),
}


class Answers:
    """What the bases answer at a bench, each question asked of each base once."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._known: dict[tuple[str, str], int] = {}

    def table(self) -> str:
        """Ask every base every question, and return the answers as a table, with what each base takes on disk."""
        width = max(len(one.says) for one in QUESTIONS) + 2
        rows = [f"{'':<{width}}" + "".join(f"{base:>12}" for base in BASES)]
        for one in QUESTIONS:
            told = ("yes" if self.holds(one, base) else "no" for base in BASES)
            rows.append(f"{one.says:<{width}}" + "".join(f"{word:>12}" for word in told))
        rows.append(f"{'size on disk':<{width}}" + "".join(f"{size(self.size(base)):>12}" for base in BASES))
        return "\n".join(rows)

    def exit_code(self, question: Question, base: str) -> int:
        """Return how the question ended in a container of a base."""
        key = (question.says, base)
        if key not in self._known:
            tell(f"asking {base}: {question.says}")
            self._known[key] = self._bench.run(self._bench.base(base), question.command(base)).exit_code
        return self._known[key]

    def holds(self, question: Question, base: str) -> bool:
        """True where the base answers with yes."""
        return self.exit_code(question, base) == 0

    def lacking(self, service: Service, base: str) -> tuple[Question, ...]:
        """Return the needs of a service that a base does not meet."""
        return tuple(need for need in service.needs if not self.holds(need, base))

    def right(self, service: Service) -> str:
        """Return the smallest base on disk that meets every need."""
        fitting = [base for base in BASES if not self.lacking(service, base)]
        return min(fitting, key=self.size)

    def size(self, base: str) -> int:
        """Return what a base takes on disk."""
        return self._bench.base(base).size_bytes
