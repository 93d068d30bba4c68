"""The checks of exercise 09: a build tells what ran again, the installer's own words what it fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from layerlab.build import Step
from layerlab.checks import Check, decided, judge, skipped, static
from layerlab.dockerfile.shell import shipped
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.trial import Trial
from layerlab.units import size

SOURCE, LIST = "service.py", "requirements.txt"
# One that the service does not have, and that needs no other.
NEW = "itsdangerous==2.2.0"
_PREPARED = re.compile(r"\bPrepared (\d+) packages?\b")
_INSTALLED = re.compile(r"\b(?:Installed \d+ packages?|Successfully installed)\b")
_DOWNLOADING = re.compile(r"^\s*Downloading \S+\.(?:whl|tar\.gz)")
_CACHE = re.compile(r"(?:^|/)\.cache(?:/|$)")
_INSTALLS = re.compile(r"\b(?:pip3?|uv)\b[^;&|\n]*\b(?:install|sync)\b")


@dataclass(frozen=True)
class Fetched:
    """What an installation said: packages fetched, by which line, and with which tool."""

    packages: int
    line: int | None
    by_uv: bool


def checks(task: str, trial: Trial) -> Iterator[Check]:
    """Yield the checks of an edited recipe, those first that need no engine."""
    yield file_checks.reads(trial)
    is_second = task == "q2-fetches"
    if is_second and (copied := _cache_copied(trial)):
        yield copied
        return
    yield file_checks.builds(trial)
    yield file_checks.serves(trial)
    yield file_checks.same_answers(trial)
    yield rebuild(trial)
    if is_second:
        yield second_install(trial)
        yield no_cache_carried(trial)


def rebuild(trial: Trial) -> Check:
    """Check that an edit of the source ran few steps again: it is made, and built."""
    return decided("rebuild", lambda: _rebuild(trial))


def _rebuild(trial: Trial) -> Check:
    after = trial.rebuilt(trial.bench.edited(trial.task.app, SOURCE))
    check = static.rebuild(trial.dockerfile, [step.line for step in after.ran], changed=SOURCE)
    installs = next((step for step in after.ran if step.keyword == "RUN" and _INSTALLS.search(step.instruction)), None)
    if installs is None or check.status == "FAIL":
        return check
    return judge(
        "rebuild",
        False,
        found=f"line {installs.line} installed again",
        wanted="an edit that installs nothing",
        not_yet=f"each change of {SOURCE} runs line {installs.line} anew.",
        look=f"Which is the first line that copies {SOURCE}, and which lines need not wait for it?",
    )


def second_install(trial: Trial) -> Check:
    """Check that an installation after another one fetches what is new, and nothing else."""
    return decided("second install", lambda: _second_install(trial))


def _second_install(trial: Trial) -> Check:
    edit = trial.bench.edited(trial.task.app, LIST)
    # The first one fills the mount, whatever was built with the same one before.
    trial.rebuilt(edit)
    longer = {LIST: f"{edit[LIST]}{NEW}\n"}
    found = fetched(trial.rebuilt(longer).ran)
    if found is None:
        return skipped(
            "second install",
            f"No installation of {LIST} said what it fetched. Let it speak: no -q, and one line that installs.",
        )
    return _judged(trial, found)


def _judged(trial: Trial, found: Fetched) -> Check:
    if not found.by_uv and found.packages > 1 and _mounts_for_pip(trial, found.line):
        return skipped(
            "second install",
            "pip was given a cache and fetched all again: some networks forbid it to keep downloads. uv keeps what it "
            "has unpacked; install with uv to see the difference.",
        )
    where = f"line {found.line}" if found.line else "the installation"
    return judge(
        "second install",
        found.packages <= 1,
        found=f"{where} fetched {found.packages} packages",
        wanted="1, the new one",
        because=f"with one package more, {where} fetched {found.packages}",
        not_yet="each new package costs all the others.",
        look="Where does the installer look for a cache, and may it keep one?",
    )


def _cache_copied(trial: Trial) -> Check | None:
    """Return what a line comes to that copies a cache into a layer that is shipped; needs no engine."""
    told = [one for stage in shipped(trial.dockerfile) for one in stage.instructions if one.keyword == "COPY"]
    line, folder = next(
        ((one.line, word) for one in told for word in one.arguments if _CACHE.search(word)),
        (0, ""),
    )
    return _carried(False, found=f"line {line} copies {folder}", wanted="no cache in a layer") if line else None


def no_cache_carried(trial: Trial) -> Check:
    """Check that the image carries no more than the recipe's before: a cache in a layer would."""
    # A hundredth: what may differ are times that were written into small files.
    was, now = trial.image_before.size_bytes, trial.image.size_bytes
    because = f"the image takes {size(now)}, where it took {size(was)}"
    return _carried(now <= was * 1.01, found=size(now), wanted=f"at most {size(was)}, as before", because=because)


def _carried(holds: bool, *, found: str, wanted: str, because: str = "") -> Check:
    return judge(
        "no cache carried",
        holds,
        found=found,
        wanted=wanted,
        because=because,
        not_yet="the cache lies in a layer, and every node pulls it.",
        look="Which folder did the installer write to, and does it belong to the image?",
    )


def fetched(ran: tuple[Step, ...]) -> Fetched | None:
    """Return what the installation of the list among these steps has fetched, or None where none says so."""
    told = [step for step in ran if step.keyword == "RUN" and _INSTALLS.search(step.instruction)]
    for step in reversed(told):
        text = "\n".join(step.log)
        if _INSTALLED.search(text) or _PREPARED.search(text):
            by_uv = _PREPARED.search(text) or "Installed" in text
            prepared = sum(int(number) for number in _PREPARED.findall(text))
            downloads = sum(bool(_DOWNLOADING.match(line)) for line in step.log)
            return Fetched(prepared if by_uv else downloads, step.line, by_uv=bool(by_uv))
    return None


def _mounts_for_pip(trial: Trial, line: int | None) -> bool:
    told = [one for one in trial.dockerfile.instructions if one.line == line]
    return any(
        mount.type == "cache" and mount.target == "/root/.cache/pip" and "--no-cache-dir" not in one.logical
        for one in told
        for mount in one.mounts
    )
