"""The stages of a Dockerfile and what travels between them, drawn as text: it reads the same without eyes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from layerlab.dockerfile import Dockerfile, parse
from layerlab.review.finding import quoted
from layerlab.review.subject import Subject, taken_paths


@dataclass(frozen=True)
class Outline:
    """The drawing; ``text`` has a line for each stage and, below it, one for each thing that is brought into it."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere">{escape(self.text)}</pre>'


def outline(dockerfile: Dockerfile | str) -> Outline:
    """Draw the stages: which of them ship, which stay behind, and what each COPY brings from where.

    Raises
    ------
    DockerfileError
        A variable of the file cannot be replaced, or a text is no Dockerfile.
    """
    subject = Subject(parse(dockerfile) if isinstance(dockerfile, str) else dockerfile)
    return Outline("\n".join(line for index in range(len(subject.resolved.stages)) for line in _stage(subject, index)))


def _stage(subject: Subject, index: int) -> Iterator[str]:
    stage = subject.resolved.stages[index].stage
    fate = "ships" if index in subject.shipped else "stays behind" if index in subject.needed else "is not used"
    yield f"line {stage.line:>3}  {quoted(_name(subject, index), 30)} on {quoted(stage.base, 50)}: {fate}"
    for step in (one for one in subject.steps if one.stage == index):
        if step.one.keyword in ("COPY", "ADD"):
            source = subject.source(step)
            origin = _name(subject, source) if isinstance(source, int) else source or "your folder"
            taken = taken_paths(step) if source is not None else step.one.arguments[:-1]
            yield f"  line {step.line:>3}  <- {quoted(origin, 30)}: {quoted(', '.join(taken), 60)}"


def _name(subject: Subject, index: int) -> str:
    return subject.resolved.stages[index].stage.name or f"stage {index}"
