"""Checks on what an image does and holds, on values of `build` and `probe`. Asks no engine itself.

Where a measurement ended in an error, the error is given in its place: what the image did wrong is FAIL,
what nobody could find out is SKIP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerlab.checks.verdict import Check, judge, skipped, undecided
from layerlab.dockerfile import Dockerfile
from layerlab.dockerfile.shell import line_of
from layerlab.errors import BaseError, BuildFailed, DoesNotServe, EngineError, LayerLabError
from layerlab.units import duration, size

if TYPE_CHECKING:
    from layerlab.build import BuildResult
    from layerlab.probe import Contents, CopiedItem, Probe

_COMPILERS = frozenset({"as", "c++", "cargo", "cc", "clang", "cmake", "cpp", "g++", "gcc", "ld", "make", "rustc"})
_INSTALLING = ("uvx", "pip3", "poetry", "conda")
# What names the missing thing in the output of pip, apt, gcc, Python and the shell.
_NAMES_IT = re.compile(
    r"no such file|not found|unable to locate|cannot open|no matching|has no installation|no module named", re.I
)
# The last line of a traceback.
_RAISED = re.compile(r"^(\w+\.)*\w*(Error|Exception|SystemExit)\b")
_FAILED = re.compile(r"\berror\b|^E: ", re.I)
# pip's advice, and the first line of a traceback.
_SAYS_NOTHING = re.compile(r"^\[notice\]|^note: |^Traceback \(most recent call last\):$")


def builds(result: BuildResult | LayerLabError) -> Check:
    """Check that the build went through; the error of one that did not tells the line."""
    if isinstance(result, EngineError | BaseError):
        return undecided("builds", result)
    if not isinstance(result, LayerLabError):
        return judge("builds", True, because=f"all {len(result.steps)} steps went through")
    is_unknown = "Unable to locate package" in f"{result} {' '.join(getattr(result, 'log_tail', ()))}"
    return judge(
        "builds",
        False,
        found=_short(_reason(result)),
        wanted="a build to the last line",
        not_yet="no package has that name." if is_unknown else "there is no image to ask.",
        look="Which name did you give, and which names do such packages have?"
        if is_unknown
        else "What did that line look for that its stage does not have?",
    )


def serves(answer: Probe | LayerLabError) -> Check:
    """Check that the service starts and answers every path that was asked."""
    if isinstance(answer, EngineError | BaseError):
        return undecided("serves", answer)
    if isinstance(answer, LayerLabError):
        return _silent("serves", answer, wanted="an answer on every path")
    told = ", ".join(f"{path} → {response.status}" for path, response in answer.answers)
    return judge(
        "serves",
        answer.serves and bool(answer.answers),
        found=told or "nothing was asked",
        wanted="a status below 400 on each path",
        because=told,
        not_yet="whoever calls the service gets an error.",
        look="Which file or package does the path that fails need?",
    )


def same_answers(before: Probe | None, now: Probe | LayerLabError) -> Check:
    """Check that every path answers what it answered before, word for word; ``before`` is needed where it answers."""
    if isinstance(now, EngineError | BaseError):
        return undecided("same answers", now)
    if isinstance(now, LayerLabError):
        return _silent("same answers", now, wanted="the answers of before")
    if before is None or not before.said:
        return skipped("same answers", "what the service answered before; nothing was asked.")
    heard = {path: (status, body) for path, status, body in now.said}
    other = [path for path, status, body in before.said if heard.get(path) != (status, body)]
    first = other[0] if other else ""
    return judge(
        "same answers",
        not other,
        found=f"{first} → {_short(' '.join(str(part) for part in heard.get(first, ('not asked',))), 60)}"
        if other
        else "",
        wanted=_short(" ".join(f"{status} {body}" for path, status, body in before.said if path == first), 60),
        because=f"{', '.join(heard)}: word for word as before",
        not_yet="a smaller image that answers otherwise is another service.",
        look="What did the image before have that this answer is made from?",
    )


def not_root(answer: Probe | LayerLabError, *, dockerfile: Dockerfile | None = None) -> Check:
    """Check that the service runs as somebody else than root."""
    if isinstance(answer, LayerLabError):
        return skipped("not root", _first(answer))
    if answer.uid is None:
        return skipped("not root", "an image that can say as whom it runs; this one has neither `id` nor a Python.")
    at = line_of(dockerfile, "USER") if dockerfile else None
    because = f" because of line {at}" if at else ""
    return judge(
        "not root",
        answer.uid != 0,
        found=f"uid {answer.uid}" + (because if answer.uid == 0 else ""),
        wanted="any uid but 0",
        because=f"runs as uid {answer.uid}{because}",
        not_yet="whoever breaks into the service owns everything in its container.",
        look="Which instruction says as whom the process starts, and what must that user be able to read?",
    )


def read_only(answer: Probe | LayerLabError) -> Check:
    """Check that the service also serves where it cannot write to its root folder; ``answer`` is from such a probe."""
    if isinstance(answer, EngineError | BaseError):
        return undecided("read-only", answer)
    if isinstance(answer, LayerLabError):
        return _silent("read-only", answer, wanted="a service that writes nothing into its image")
    if not answer.read_only:
        return skipped("read-only", "a container started on a root folder that it cannot write to.")
    return judge(
        "read-only",
        answer.serves,
        found=", ".join(f"{path} → {response.status}" for path, response in answer.answers),
        wanted="the same answers without writing",
        because="serves without writing to its root folder",
        not_yet="what it writes there is lost with the container, and a locked-down platform refuses it.",
        look="What does the service write at its start, and could the build have done it?",
    )


def stops(answer: Probe | LayerLabError, *, dockerfile: Dockerfile | None = None) -> Check:
    """Check that SIGTERM ends the service before the engine has to kill it."""
    if isinstance(answer, LayerLabError):
        return skipped("stops", _first(answer))
    if answer.stop_seconds is None:
        return skipped("stops", "a container that was sent SIGTERM; this one was only asked.")
    at = line_of(dockerfile, "ENTRYPOINT", "CMD") if dockerfile else None
    return judge(
        "stops",
        bool(answer.stops),
        found=""
        if answer.stops
        else f"killed after {duration(answer.stop_seconds)}{f', started by line {at}' if at else ''}",
        wanted="an end on SIGTERM",
        because=f"ends {duration(answer.stop_seconds)} after SIGTERM",
        not_yet="each update waits for the kill, and requests under way are cut off.",
        look="Which process gets the signal: the service, or one that started it?",
    )


def no_installer_added(image: Contents, base: Contents, *, copied_files: Sequence[CopiedItem] = ()) -> Check:
    """Check that neither the image nor anything copied into it installs packages, the base's own pip apart.

    ``copied_files`` count even where a later layer hides them again: the image still carries them.
    """
    from layerlab.attribution.causes import INSTALLERS
    from layerlab.probe import is_installer

    own = image.added_to(base)
    carried = sorted((item for item in copied_files if is_installer(item)), key=lambda item: -item.size_bytes)
    held = [(one.path, one.size_bytes) for one in own.tools if one.name in (*INSTALLERS, *_INSTALLING)]
    held += [(one.name + " in " + one.folder, one.size_bytes) for one in own.distributions if one.is_installer]
    if carried:
        worst = carried[0]
        again = ", a second time" if worst.in_base else ""
        found = f"line {worst.line} copies {worst.path}{again}, {size(worst.size_bytes)}"
    else:
        found = ", ".join(f"{name} {size(one)}" for name, one in sorted(held, key=lambda pair: -pair[1])[:2])
    return judge(
        "no installer added",
        not carried and not held,
        found=found,
        wanted="nothing you added installs packages",
        because="no uv, no pip and nothing of theirs but what the base has",
        not_yet="every node pulls it, hidden by a later line or not, and the running service never calls it.",
        look="Which one folder holds your packages and nothing else?",
    )


def no_compiler_added(image: Contents, base: Contents) -> Check:
    """Check that the image holds no compiler besides those of its base."""
    tools = [tool.path for tool in image.added_to(base).tools if tool.name in _COMPILERS]
    return judge(
        "no compiler added",
        not tools,
        found=", ".join(tools[:4]) + (", …" if len(tools) > 4 else ""),
        wanted="compilers in a builder only",
        because="no compiler but what the base has",
        not_yet="every node would pull tools that run once, during the build.",
        look="Which of the stages is thrown away once the image is made?",
    )


def no_compiler(image: Contents) -> Check:
    """Check that the image holds no compiler at all, its base included."""
    tools = [tool.path for tool in image.tools if tool.name in _COMPILERS]
    return judge(
        "no compiler",
        not tools,
        found=", ".join(tools[:4]) + (", …" if len(tools) > 4 else ""),
        wanted="no compiler, from the base or from you",
        because="neither you nor the base brought a compiler",
        not_yet="every node pulls tools that no request calls, and whoever breaks in finds them.",
        look="Which line brought them: one of yours, or the last FROM?",
    )


def _silent(name: str, error: LayerLabError, *, wanted: str) -> Check:
    if not isinstance(error, DoesNotServe):
        return skipped(name, _first(error))
    return judge(
        name,
        False,
        found=_short(_last_words(error)),
        wanted=wanted,
        not_yet="nothing answers: the container ends, never listens, or listens where no request from outside comes.",
        look="What do its last lines say is missing or refused?",
    )


def _first(error: LayerLabError) -> str:
    return _short(str(error).splitlines()[0] if str(error) else type(error).__name__, 200)


def _reason(error: LayerLabError) -> str:
    """Return where a build stopped and the line of its output that says why."""
    if not isinstance(error, BuildFailed):
        return _first(error)
    told = telling_line(error.log_tail)
    return f"line {error.line}: {told}" if error.line and told else _first(error)


def telling_line(lines: Sequence[str]) -> str:
    """Return the line of an output that says why it failed; empty where there is none.

    What is missing by its name comes first, then the error that a traceback ends with, then what only says that
    something failed, then the last line. What pip says of itself is none of them.
    """
    said = [line.strip() for line in lines if line.strip()]
    said = [line for line in said if not _SAYS_NOTHING.search(line)] or said
    missing = next(filter(_NAMES_IT.search, said), None)
    raised = next(filter(_RAISED.search, reversed(said)), None)
    failed = next(filter(_FAILED.search, said), None)
    return missing or raised or failed or (said[-1] if said else "")


def _last_words(error: LayerLabError) -> str:
    """Return the line of what the container printed last that says why, or what was said of it."""
    # First what happened, then the container's log, last what to do.
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(said) > 2:
        printed = said[1:-1]
        return next(filter(_RAISED.search, reversed(printed)), printed[-1])
    # An engine's message gives its reason last.
    return said[0].rpartition("process: ")[2] if said else _first(error)


def _short(text: str, letters: int = 90) -> str:
    line = " ".join(text.split())
    return line if len(line) <= letters else f"{line[: letters - 1]}…"
