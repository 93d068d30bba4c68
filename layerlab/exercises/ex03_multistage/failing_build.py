"""A build on slim that fails: what it printed, and what is there at the point where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from layerlab.errors import BuildFailed
from layerlab.exercises.kit.bench import Bench, built
from layerlab.narration import tell
from layerlab.widgets.waiting import waiting

APP = "exercise03/tickets"
_FILE = "Dockerfile.slim"

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


class FailingBuild:
    """The build, done once and only when something is asked."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @cached_property
    def failure(self) -> BuildFailed:
        """How it fails."""
        try:
            with waiting(f"building {_FILE}"):
                built(self._bench.begin(APP, dockerfile=_FILE), _FILE)
        except BuildFailed as failure:
            return failure
        raise AssertionError("a slim base with a compiler: this exercise has nothing to ask here")

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines that the failing step printed, without their indent."""
        return tuple(line.strip() for line in self.failure.log_tail if line.strip())

    def ends_with(self, command: str) -> int:
        """Return the exit code of a command in the image that the failing step began with."""
        lines = (self._bench.folder(APP) / _FILE).read_text(encoding="utf-8").splitlines(keepends=True)
        before = "".join(lines[: (self.failure.line or 1) - 1])
        reached = built(self._bench.begin(APP, text=before, dockerfile=_FILE), "up to the step that fails")
        tell(f"running `{command}` there")
        return self._bench.run(reached.image, ("sh", "-c", command)).exit_code
