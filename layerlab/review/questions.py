"""The four questions that the lesson asks of an assistant's Dockerfile, answered with line numbers. Judges no worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from layerlab.dockerfile import Dockerfile, parse
from layerlab.review import tools
from layerlab.review.commands import install
from layerlab.review.finding import quoted
from layerlab.review.subject import Step, Subject, taken_paths

_LEFT = ' style="text-align:left;overflow-wrap:anywhere"'
QUESTIONS = (
    "Are there two stages, one to build and one to run?",
    "Does the last stage copy from the builder only what is needed?",
    "Does uv install without keeping a cache?",
    "Does the image end on Alpine?",
)


@dataclass(frozen=True)
class Answer:
    """One question, whether the file says yes to it, and by which lines."""

    question: str
    is_yes: bool
    because: str

    def __str__(self) -> str:
        return f"{'yes' if self.is_yes else 'no '}  {self.question}\n     {self.because}"


@dataclass(frozen=True)
class Answers:
    """All four, in their order."""

    answers: tuple[Answer, ...]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.answers)

    @property
    def yes(self) -> int:
        """How many questions the file says yes to."""
        return sum(one.is_yes for one in self.answers)

    def __repr__(self) -> str:
        return "\n".join(map(str, self.answers))

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td>{"yes" if one.is_yes else "no"}</td><th scope="row"{_LEFT}>{escape(one.question)}</th>'
            f"<td{_LEFT}>{escape(one.because)}</td></tr>"
            for one in self.answers
        )
        return f'<table><caption style="text-align:left">The lesson\'s four questions</caption>{rows}</table>'


def four_questions(dockerfile: Dockerfile | str) -> Answers:
    """Answer the lesson's questions from the text alone, as literally as they are asked.

    Raises
    ------
    DockerfileError
        A variable of the file cannot be replaced, or a text is no Dockerfile.
    """
    subject = Subject(parse(dockerfile) if isinstance(dockerfile, str) else dockerfile)
    asked = (_two_stages, _copies_a_part, _without_cache, _ends_on_alpine)
    return Answers(tuple(Answer(text, *ask(subject)) for text, ask in zip(QUESTIONS, asked, strict=True)))


def _two_stages(subject: Subject) -> tuple[bool, str]:
    lines = [stage.line for stage in subject.resolved.dockerfile.stages if stage.index in subject.needed]
    return len(lines) > 1, f"FROM in {_lines(lines)}"


def _copies_a_part(subject: Subject) -> tuple[bool, str]:
    copies = [step for step in subject.of("COPY", shipped=True) if isinstance(subject.source(step), int)]
    whole = [one.lines[0] for one in tools.whole_stage(subject)]
    if not copies:
        return False, "nothing is copied from another stage"
    told = "; ".join(f"line {step.line} takes {quoted(', '.join(taken_paths(step)), 60)}" for step in copies)
    return not whole, told


def _without_cache(subject: Subject) -> tuple[bool, str]:
    uv = [(step, one) for step in subject.of("RUN") for one in map(install, step.commands) if one and one.tool == "uv"]
    kept = [step.line for step, one in uv if not one.has("--no-cache", "-n") and not _mounted(step)]
    if not uv:
        return False, "uv installs nothing here"
    return not kept, f"{_lines(kept)} keeps one" if kept else _lines([step.line for step, _ in uv])


def _mounted(step: Step) -> bool:
    return "UV_NO_CACHE" in step.env or any(mount.type == "cache" for mount in step.mounts)


def _ends_on_alpine(subject: Subject) -> tuple[bool, str]:
    line = subject.dockerfile.stages[subject.shipped[0]].line
    return subject.base.libc == "musl", f"line {line} stands on {quoted(subject.base.written)}"


def _lines(numbers: Sequence[int]) -> str:
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, dict.fromkeys(numbers)))}"
