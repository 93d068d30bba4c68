"""Where a learner stands: a record held against what the course asks. Values only, no view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from layerlab.exercises.kit.result import Result, mark
from layerlab.lab.catalogue import Catalogue, Task
from layerlab.widgets.prediction import CAME, CONFIDENCE, LATE, SHOWN
from layerlab.work.attempts import BUILDS, KIND
from layerlab.work.record import FILES, Key, Record
from layerlab.work.text_file import fingerprint

State = Literal["passed", "earlier", "tried", "open"]


@dataclass(frozen=True)
class TaskState:
    """One task.

    Passed: saved verdicts pass, and are about what is saved now. Earlier: it passed once, and was not checked again
    since it changed, or since an edition that saved no verdicts. Tried: something is kept. Open: nothing is.
    """

    title: str
    state: State


@dataclass(frozen=True)
class Chapter:
    """One notebook and its exercise: predictions saved, of how many; and the states of the tasks.

    ``late`` is how many of those saved were made only once their result had been shown.
    """

    name: str
    kept: int
    asked: int
    tasks: tuple[TaskState, ...]
    late: int = 0

    def count(self, state: State) -> int:
        """Return how many tasks are in a state."""
        return sum(task.state == state for task in self.tasks)

    @property
    def is_optional(self) -> bool:
        """True for a detour: a letter behind its number says so ("05b_design_space")."""
        return self.name[2:3].isalpha()

    @property
    def is_done(self) -> bool:
        """True where every prediction is kept, and every task passed or did earlier."""
        return self.kept == self.asked and self.count("passed") + self.count("earlier") == len(self.tasks)


@dataclass(frozen=True)
class Image:
    """The smallest image with which a task was passed: what it added to its base, and how many builds it took."""

    exercise: str
    task: str
    added_bytes: int
    builds: int


@dataclass(frozen=True)
class Call:
    """A prediction and what it came to, by the read-off that was shown first."""

    confidence: str
    came_true: bool


@dataclass(frozen=True)
class Overview:
    """Everything the page shows."""

    chapters: tuple[Chapter, ...]
    images: tuple[Image, ...]
    calls: tuple[Call, ...]
    # Predictions that were read off and are no call: how sure was not said.
    unsure: int
    # What is kept and not asked for here, as text.
    strange: tuple[str, ...]

    @property
    def next(self) -> Chapter | None:
        """The first chapter with something left to do; a detour is nobody's duty."""
        return next((chapter for chapter in self.chapters if not chapter.is_done and not chapter.is_optional), None)

    @property
    def late(self) -> int:
        """How many predictions were made only once their result had been shown."""
        return sum(chapter.late for chapter in self.chapters)

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return, for each word of confidence, how many predictions came true, of how many read off."""
        by_word = {word: [call.came_true for call in self.calls if call.confidence == word] for word in CONFIDENCE}
        return {word: (sum(came), len(came)) for word, came in by_word.items()}


def overview(record: Record, course: Catalogue) -> Overview:
    """Hold what is kept against what is asked."""
    return Overview(
        chapters=tuple(_chapter(record, course, name) for name in course.names),
        images=tuple(_images(record, course)),
        calls=tuple(_calls(record)),
        unsure=sum(_is_unsure(said) for said in _outcomes(record)),
        strange=tuple(_strange(record, course)),
    )


def _chapter(record: Record, course: Catalogue, name: str) -> Chapter:
    predictions = record.of_kind(name, "predictions")
    asked = course.predictions.get(name, ())
    tasks = tuple(TaskState(task.title, _state(record, name, task)) for task in course.tasks.get(name, ()))
    late = [id for id in asked if id not in predictions and f"{id}{LATE}" in predictions]
    return Chapter(name, sum(id in predictions for id in asked) + len(late), len(asked), tasks, len(late))


def _state(record: Record, name: str, task: Task) -> State:
    builds = _builds(record, name, task)
    saved = [one.value for one in record.versions.get(Key(name, "results", task.id), ())]
    results = [result for result in map(Result.read, saved) if result and result.all_pass]
    passes = [build for build in builds if _is_pass(build)]
    if any(result.is_about(partial(_marked, record, name)) for result in results):
        return "passed"
    texts = {fingerprint(text) for file, text in record.of_kind(name, FILES).items() if file in task.files}
    if any(build.get("text") in texts for build in passes):
        return "passed"
    # The last of these is all that editions up to 0.1.0 saved of a check: it says neither which, nor of what.
    if results or passes or any(isinstance(value, dict) and value.get("passed") is True for value in saved):
        return "earlier"
    answers = record.of_kind(name, "answers")
    has_answer = any(id in answers for id in task.questions)
    has_file = any(file in record.of_kind(name, FILES) for file in task.files)
    is_tried = builds or has_answer or has_file or task.id in record.of_kind(name, KIND)
    return "tried" if is_tried else "open"


def _marked(record: Record, name: str, place: str) -> str | None:
    kind, _, id = place.partition("/")
    versions = record.versions.get(Key(name, kind, id))
    return mark(versions[0].value) if versions else None


def _builds(record: Record, name: str, task: Task) -> list[dict[str, Any]]:
    """Return every build of a task in the panel; of histories from two machines, both."""
    keys = [Key(name, KIND, f"{id}{BUILDS}") for id in task.questions]
    histories = [one.value for key in keys for one in record.versions.get(key, ())]
    entries = [entry for history in histories if isinstance(history, list) for entry in history]
    # Each build once: two histories of one file begin alike.
    return list({str(entry): entry for entry in entries if isinstance(entry, dict)}.values())


def _is_pass(build: dict[str, Any]) -> bool:
    return build.get("failing") == ""


def _images(record: Record, course: Catalogue) -> Iterator[Image]:
    for name in course.names:
        for task in course.tasks.get(name, ()):
            builds = _builds(record, name, task)
            added = [build.get("added_bytes") for build in builds if _is_pass(build)]
            if sizes := [size for size in added if type(size) is int]:
                yield Image(name, task.title, min(sizes), len(builds))


def _calls(record: Record) -> Iterator[Call]:
    for said in _outcomes(record):
        if said.get("confidence") in CONFIDENCE and {"choice", "came"} <= said.keys():
            yield Call(said["confidence"], said["choice"] == said["came"])


def _outcomes(record: Record) -> Iterator[dict[str, Any]]:
    for key, versions in record.versions.items():
        # The oldest: later read-offs are of something that was known by then.
        said = versions[-1].value
        if key.kind == "predictions" and key.id.endswith(CAME) and isinstance(said, dict):
            yield said


def _is_unsure(said: dict[str, Any]) -> bool:
    # Where nothing was chosen before the result was shown, the outcome holds no choice.
    return isinstance(said.get("choice"), str) and "confidence" in said and said["confidence"] is None


def _strange(record: Record, course: Catalogue) -> Iterator[str]:
    for name in record.names:
        keys = [key for key in record.versions if key.name == name]
        if name not in course.names:
            yield f"{name} ({len(keys)} {'entry' if len(keys) == 1 else 'entries'})"
            continue
        known = _known(course, name)
        # Notebooks ask more than the exercises do, so the ids of answers prove nothing; nor do names of files.
        for key in (key for key in keys if key.kind not in {"answers", FILES}):
            if key.id not in known.get(key.kind, ()):
                yield f"{name}: {key.id} ({key.kind})"


def _known(course: Catalogue, name: str) -> dict[str, set[str]]:
    tasks = course.tasks.get(name, ())
    ids = {task.id for task in tasks}
    return {
        "predictions": {
            f"{id}{end}" for id in course.predictions.get(name, ()) for end in ("", CAME, LATE, SHOWN, "-readoff")
        },
        KIND: ids | {f"{id}{BUILDS}" for task in tasks for id in task.questions},
        "results": ids,
    }
