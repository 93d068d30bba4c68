"""The checks of the capstone: behaviour first, then bronze, then silver. What a person judges is not here.

Shares are of what the running service needs, so they are as fair to a large service as to a small one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from layerlab.bases.inventory import STANDIN
from layerlab.checks import Check, Verdicts, behaviour, judge, skipped, static
from layerlab.checks import size as size_checks
from layerlab.context import BuildContext, reruns
from layerlab.errors import DockerfileError
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.image import SCRATCH
from layerlab.units import size

if TYPE_CHECKING:
    from layerlab.image import Image

# The reference solutions carry under 1 % besides the need; an honest `apt-get install` in the last stage 12 %, for
# what apt writes down; an installation by pip on slim, with the bytecode of its own run, 65 % and more.
BRONZE, SILVER = 0.25, 0.10
PLAIN_USER = "10001"
# What the image adds to its base, beside what the service's image adds to its own today: name, and where it ends.
BANDS: Sequence[tuple[str, float]] = (
    ("less than a tenth of that", 0.1),
    ("a tenth to a half of that", 0.5),
    ("half of that to all of it", 1.0),
    ("more than that", float("inf")),
)
_FULL_VERSION = re.compile(r":\d+\.\d+\.\d+\b")
_STANDIN_VERSION = re.compile(r":\d+\.\d+(-\w+)?$")


def behaves(trial: Trial, image: Image) -> Verdicts:
    """Judge what a service does, whatever its image weighs: what must stay true is tried before anything is changed."""
    paths = trial.task.paths
    answer = trial.bench.probe(image, *paths, stopping=True)
    plain = trial.bench.probe(image, *paths, user=PLAIN_USER)
    locked = trial.bench.probe(image, *paths, read_only=True)
    return Verdicts(
        (
            behaviour.serves(answer),
            behaviour.stops(answer),
            judge(
                "any user",
                plain.serves and plain.uid == int(PLAIN_USER),
                found=str(plain),
                wanted=f"the same answers as uid {PLAIN_USER}",
                because=f"serves as well as uid {PLAIN_USER}, who owns nothing in the image",
                not_yet="the service needs to be root.",
                look="Which file does it read or write that only root may?",
            ),
            behaviour.read_only(locked),
        )
    )


def bronze(trial: Trial) -> Iterator[Check]:
    """Yield what makes an image one that you can ship, up to the first thing that is not there yet."""
    for check in _bronze(trial):
        yield check
        # Each further check may start a container, and a learner is shown one step at a time.
        if check.status == "FAIL":
            return


def _bronze(trial: Trial) -> Iterator[Check]:
    yield file_checks.reads(trial)
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield behaviour.stops(trial.probe, dockerfile=trial.dockerfile)
    yield file_checks.no_installer_added(trial)
    yield file_checks.not_root(trial)
    yield behaviour.no_compiler(trial.contents)
    yield file_checks.read_only(trial)
    yield luggage(trial, BRONZE)


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of one service's Dockerfile: bronze."""
    return bronze(trial)


def reached(service: str, trial: Trial, said: str, *, bronze: Callable[[], Verdicts]) -> Iterator[Check]:
    """Yield the checks of a service that is taken to silver, and of what was predicted for it.

    Parameters
    ----------
    bronze
        Judges the same text by bronze; not asked where the text alone shows that silver is out of reach.
    """
    if unpinned := _unpinned(trial):
        yield unpinned
        return
    check = _bronze_reached(service, bronze())
    yield check
    if check.status == "PASS":
        yield from silver(trial)
        yield prediction(trial, said)


def _bronze_reached(service: str, told: Verdicts) -> Check:
    shown = told.shown
    if shown and shown.status == "SKIP":
        return skipped("bronze", shown.why)
    return judge(
        "bronze",
        told.all_pass,
        found=f"{service}: {shown.status} {shown.name}" if shown else "",
        wanted="every check of bronze",
        because=f"{service} passes all {len(told.checks)} checks of bronze",
        not_yet="silver stands on it.",
        look=f"What does the panel of {service} ask you?",
    )


def silver(trial: Trial) -> Iterator[Check]:
    """Yield what makes it one that you can defend, bronze taken for granted."""
    yield luggage(trial, SILVER)
    yield rebuild(trial)
    yield base_pinned(trial)


def luggage(trial: Trial, share: float) -> Check:
    """Check that the image carries little besides what the running service needs."""
    return size_checks.luggage(trial.sizes, share=share, copied_files=trial.copied_files)


def rebuild(trial: Trial) -> Check:
    """Check that an edit of the source runs at most two steps again; needs no engine."""
    bench, task = trial.bench, trial.task
    context = BuildContext.open(bench.folder(task.app), task.file, dockerfile_text=trial.text)
    again = reruns(context, task.source, build_args={"PY_MINOR": bench.py_minor})
    return static.rebuild(trial.dockerfile, [one.line for one in again], changed=task.source)


def base_pinned(trial: Trial) -> Check:
    """Check that the last base is named so that it stays the same: by its digest, or by Python's full version.

    A stand-in was never published and has neither; there, the most that can be named is asked for.
    """
    if unpinned := _unpinned(trial):
        return unpinned
    reference = trial.base_reference
    is_standin = trial.base.config.label(STANDIN) == "true"
    how = _pinned_by(reference)
    return _pinned(
        bool(how) or (is_standin and bool(_STANDIN_VERSION.search(reference))),
        found=reference,
        wanted="a version and a variant" if is_standin else "a digest, or a version of three numbers",
        because=f"{reference} is pinned {how}"
        if how
        else f"{reference} says all that a stand-in's name can; of an official base, write the digest too",
    )


def _unpinned(trial: Trial) -> Check | None:
    """Return what a name comes to that pins nothing, whatever base it stands for; needs no engine."""
    with suppress(DockerfileError):
        reference = trial.base_reference
        if reference != SCRATCH.name and not _pinned_by(reference) and not _STANDIN_VERSION.search(reference):
            return _pinned(False, found=reference, wanted="a version in its name, or a digest")
    return None


def _pinned_by(reference: str) -> str:
    if "@sha256:" in reference:
        return "by its digest"
    return "by Python's full version" if _FULL_VERSION.search(reference) else ""


def _pinned(holds: bool, *, found: str, wanted: str, because: str = "") -> Check:
    return judge(
        "base pinned",
        holds,
        found=found,
        wanted=wanted,
        because=because,
        not_yet="that name means another image next month, and nobody will know why the build changed.",
        look="What of a base's name moves, and what never does?",
    )


def prediction(trial: Trial, said: str) -> Check:
    """Check that a prediction is at most one band away from what came."""
    now = trial.image.added_bytes(trial.base)
    before = trial.added_before
    names = [name for name, _ in BANDS]
    came = next(place for place, (_, end) in enumerate(BANDS) if now < end * before)
    return judge(
        "prediction",
        abs(names.index(said) - came) <= 1,
        found=f"you said: {said}",
        wanted=f"at most one band from: {names[came]}",
        because=f"{size(now)} against {size(before)} today, {names[came]}; you said: {said}",
        not_yet="some part of the image is much larger, or much smaller, than you thought.",
        look="Which line adds most?",
    )
