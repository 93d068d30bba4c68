"""Faults that make every node pull again what has not changed, or need not be in the image at all."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from layerlab.review import pricing
from layerlab.review.commands import Install, install
from layerlab.review.finding import UNKNOWN, Finding, quoted
from layerlab.review.pricing import MODEL
from layerlab.review.subject import Step, Subject

_MODEL_FOLDERS = frozenset({"models", "model", "weights", "checkpoints"})
_LARGE_BYTES, _SMALL_BYTES = 100_000_000, 1_000_000
_FETCHES_MODEL = re.compile(r"\b(?:huggingface-cli|hf)\s+download\b|\bsnapshot_download\(|\.from_pretrained\(")


def model_baked(subject: Subject) -> Iterator[Finding]:
    """A model, or another very large file, that is part of the image."""
    for step in subject.of("COPY", "ADD"):
        if not subject.reaches_image(step.stage, step.target):
            continue
        found, size_bytes = _models(subject, step)
        if found:
            yield _model(step, f"It copies {quoted(found)} into the image.", size_bytes)
    for step in subject.of("RUN", shipped=True):
        names = [word for command in step.commands if command.program in ("wget", "curl") for word in command.words
                 if MODEL.search(word)]  # fmt: skip
        if names or any(_FETCHES_MODEL.search(command.text) for command in step.commands):
            yield _model(step, f"It fetches {quoted(names[0]) if names else 'a model'} into the image.", None)


def slow_rebuild(subject: Subject) -> Iterator[Finding]:
    """Packages that are installed below the source, so that every edit installs them anew."""
    for index in sorted(subject.needed):
        sources: list[Step] = []
        for step in (one for one in subject.steps if one.stage == index):
            if step.one.keyword in ("COPY", "ADD") and any(_is_source(one) for one in step.one.sources):
                sources.append(step)
            if not any(_installs_list(one) for one in map(install, step.commands)):
                continue
            if sources:
                yield Finding(
                    "slow-rebuild", "bloats", (sources[0].line, step.line),
                    f"Line {sources[0].line} copies the source, and line {step.line} installs the packages below it.",
                    "Every edit of the source installs all packages again, and every node pulls them again.",
                    f"Copy the list of packages alone, install, and put line {sources[0].line} below that.",
                    UNKNOWN,
                )  # fmt: skip
            break


def _models(subject: Subject, step: Step) -> tuple[str, int | None]:
    """Return what looks like a model among the sources, and its bytes where the context has it."""
    for source in step.one.sources:
        there = subject.context.selected(source) if subject.context else ()
        large = [one for one in there if one.size_bytes >= _LARGE_BYTES or (
                 MODEL.search(one.path) and one.size_bytes >= _SMALL_BYTES)]  # fmt: skip
        if there:
            # What lies there is known: a folder called models may hold nothing but Python.
            if large:
                return ", ".join(one.path for one in large[:3]), sum(one.size_bytes for one in large)
            continue
        name = posixpath.basename(source.rstrip("/*"))
        if MODEL.search(source) or name.lower() in _MODEL_FOLDERS:
            return source, None
    return "", None


def _model(step: Step, what: str, size_bytes: int | None) -> Finding:
    return Finding(
        "model-baked", "bloats", (step.line,), what,
        "Every push, pull and node carries it again, and a new model needs a new image.",
        "Mount it at start: docker run -v …:/models:ro.",
        UNKNOWN if size_bytes is None else pricing.known(size_bytes, dense=True),
    )  # fmt: skip


def _is_source(source: str) -> bool:
    name = posixpath.normpath(source)
    return name in (".", "/", "*") or name.endswith(".py") or posixpath.basename(name) in ("src", "app")


def _installs_list(one: Install | None) -> bool:
    if one is None or not one.is_python or one.only_installers:
        return False
    # A project that is installed itself, `pip install .`, needs its source.
    paths = [name for name in one.packages if name.startswith((".", "/")) or "/" in name]
    return not paths and not one.has("-e", "--editable")


RULES = (model_baked, slow_rebuild)
