"""Events of builders that print lines: the classic builder, and Podman behind Docker's API.

An unknown line is output of the current step: nothing here raises on text it does not know. What a RUN prints comes
the same way, so these events are told, not proven.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from layerlab.events.model import (
    Event,
    Failed,
    PullProgress,
    StepCached,
    StepFinished,
    StepOutput,
    StepStarted,
    Succeeded,
)

_STEP = re.compile(r"^Step (\d+)/(\d+) : (.*)$", re.DOTALL)
# Podman numbers steps anew in every stage: "[1/2] STEP 1/6: FROM …", or "STEP 1/6: …" with one stage.
_PODMAN_STEP = re.compile(r"^(?:\[(\d+)/(\d+)\] )?STEP (\d+)/(\d+): (.*)$", re.DOTALL)
_IMAGE = re.compile(r"^ ?-{2,3}> ([0-9a-f]{10,64})$")
_PODMAN_RESULT = re.compile(r"^[0-9a-f]{64}$")
# What runc or crun says of a program that is not there. Its own exit status follows, which is not the program's.
_PODMAN_NOT_RUN = re.compile(
    r"^error running container: .*?(?:unable to start container process: |creating container for \[.*?\]: (?!time=))"
    r'(.+?)"?$'
)
# Go structures that Podman prints whole into its messages.
_PODMAN_DUMP = re.compile(r" ?&imagebuilder\.Step\{.*\}|resolving step \{.*?\}: ", re.DOTALL)
_PODMAN_CACHED = re.compile(r"^--> Using cache ([0-9a-f]{10,64})$")
# At the end: both builders quote the command first, which may speak of exit statuses itself.
_EXIT_CODE = re.compile(r"(?:returned a non-zero code: |while running runtime: exit status )(\d+)$")
_EXIT_STATUS = re.compile(r": while running runtime: exit status \d+$")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_NOISE = re.compile(
    r"^(Successfully built|Successfully tagged|Removing intermediate container| ?-{3}> Running in|-->$)"
)
# A step may print 100 MB without a newline: then a line is what has come by now.
_LONGEST_LINE = 10_000
_BUILDERS_OWN = re.compile(
    r"^(?:Step \d+/\d+ : | ?-{2,3}> |Removing intermediate container |"
    r"(?:\[\d+/\d+\] )?(?:STEP \d+/\d+: |COMMIT(?: \S+)?\n?$))"
)


class LineReader:
    """State of one build: which step runs, what stands unfinished on its line, the last image seen."""

    def __init__(self) -> None:
        self.number = 0
        self.total = 0
        self.stage_offset = 0
        self.stage_total = 0
        self.image: str | None = None
        self.pending = ""
        self.open = False
        self.is_podman = False
        self.commit: str | None = None
        self.is_committed = False
        self.is_quiet = False  # nothing but its announcement has come of this step
        self.not_run = ""

    def events(self, raw: Iterable[tuple[float, Mapping[str, Any]]]) -> Iterator[Event]:
        at = 0.0
        rest = iter(raw)
        for at, event in rest:
            if "error" in event or "errorDetail" in event:
                yield from self._flush(at)
                yield self._failed(at, event)
                # Nothing follows, but whoever sends the events must get to the end of them to put away its things.
                for _ in rest:
                    pass
                return
            if "aux" in event and "ID" in (event["aux"] or {}):
                self.image = event["aux"]["ID"]
            elif "stream" in event:
                yield from self._text(at, event["stream"])
            elif "status" in event:
                yield self._pull(at, event)
        yield from self._flush(at)
        yield from self._finish(at)
        if self.image:
            yield Succeeded(at, self.image)

    def _text(self, at: float, text: str) -> Iterator[Event]:
        # A step prints in pieces: a line is only whole when its newline has come. Unless the builder itself
        # speaks, always from the start of an event: `printf` without a newline is followed by its words.
        if self.pending and _BUILDERS_OWN.match(text):
            yield from self._flush(at)
        *lines, self.pending = (self.pending + text).replace("\r\n", "\n").split("\n")
        for line in lines:
            yield from self._line(at, line)
        if len(self.pending) > _LONGEST_LINE:
            yield from self._flush(at)

    def _flush(self, at: float) -> Iterator[Event]:
        rest, self.pending = self.pending, ""
        if rest.strip():
            yield from self._line(at, rest)

    def _line(self, at: float, line: str) -> Iterator[Event]:
        plain = _ANSI.sub("", line).rstrip()
        if (match := _STEP.match(plain)) and self._is_next(int(match[1]), int(match[2])):
            yield from self._start(at, int(match[1]), int(match[2]), match[3])
        elif (match := _PODMAN_STEP.match(plain)) and (self.is_podman or not self.number):
            yield from self._podman_start(at, match)
        elif plain.strip() == "---> Using cache" and self.is_quiet:
            yield StepCached(at, self.number)
        elif match := _PODMAN_CACHED.match(plain):
            self.image = match[1]
            yield StepCached(at, self.number)
        elif match := _IMAGE.match(plain):
            if not (self.image or "").startswith(match[1]):  # Podman cuts the id that it has just told in full
                self.image = match[1]
            self.is_committed = self.commit is not None
            if not self.is_committed:  # of a stage's last step Podman tells the id in full as well, after this
                yield from self._finish(at)
        elif plain.strip() and _NOISE.match(plain):
            self.is_quiet = False
        elif plain.strip() and not self._is_podmans_own(plain):
            self.is_quiet = False
            if match := _PODMAN_NOT_RUN.match(plain):
                self.not_run = match[1].replace("\\", "")
            yield StepOutput(at, self.number, plain)

    def _start(
        self, at: float, number: int, total: int, instruction: str, place: tuple[int, int] | None = None
    ) -> Iterator[Event]:
        yield from self._finish(at)
        self.number, self.total, self.open, self.is_quiet = number, total, True, True
        yield StepStarted(at, number, total, instruction, place)

    def _is_next(self, number: int, total: int) -> bool:
        """True where the older builder may announce this step now: it counts by one, and its total never changes."""
        return not self.is_podman and (number, total) == (self.number + 1, self.total or total)

    def _podman_start(self, at: float, match: re.Match[str]) -> Iterator[Event]:
        step, steps = int(match[3]), int(match[4])
        if step == 1 and self.number:
            self.stage_offset, self.stage_total = self.number, self.number
        # How many steps later stages have is not announced, so the total grows as stages begin. One stage alone,
        # be it that --target cut the others off, bears no number.
        place = (int(match[1] or 1), step)
        yield from self._start(at, self.stage_offset + step, self.stage_total + steps, match[5], place)
        stage = f"[{match[1]}/{match[2]}] " if match[1] else ""
        self.is_podman, self.commit = True, f"{stage}COMMIT" if step == steps else None
        if step == 1:
            self.image = None  # of a FROM Podman names no image; what the stage before made is not this one's

    def _is_podmans_own(self, line: str) -> bool:
        """True for the words around a stage's last commit, and for dumps that it prints before a parse error."""
        if not self.is_podman:
            return False
        if self.is_committed or not self.open:
            return bool(_PODMAN_RESULT.match(line))
        is_commit = self.commit is not None and f"{line} ".startswith(f"{self.commit} ")
        return is_commit or "+(UNHANDLED LOGLEVEL) &imagebuilder.Step" in line

    def _finish(self, at: float) -> Iterator[Event]:
        if self.open:
            self.open = self.is_committed = False
            yield StepFinished(at, self.number, self.image)

    def _pull(self, at: float, event: Mapping[str, Any]) -> PullProgress:
        detail = event.get("progressDetail") or {}
        return PullProgress(
            at,
            str(event.get("id", "")),
            str(event["status"]),
            detail.get("current") or 0,
            detail.get("total") or 0,
        )

    def _failed(self, at: float, event: Mapping[str, Any]) -> Failed:
        detail = event.get("errorDetail") or {}
        message = _ANSI.sub("", str(event.get("error") or detail.get("message") or "")).strip()
        code = detail.get("code")
        if self.not_run:
            return Failed(at, f"{_EXIT_STATUS.sub('', message)}: {self.not_run}", None)
        if code is None and (match := _EXIT_CODE.search(message)):
            code = int(match[1])
        return Failed(at, _PODMAN_DUMP.sub("", message), code)
