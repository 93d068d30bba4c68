"""Other reviewers of Dockerfiles, where they are installed: what they say, in a line each. Never needed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence

from layerlab.review import visible

_SECONDS = 20


def ask_others(text: str) -> Iterator[str]:
    """Yield what hadolint and `docker build --check` say of a Dockerfile; nothing of those that are not there.

    Notes
    -----
    hadolint knows neither stages nor cache mounts, and refuses some heredocs, so it is quoted and not counted.
    """
    if shutil.which("hadolint"):
        yield from _hadolint(text)
    if shutil.which("docker"):
        yield from _build_check(text)


def _hadolint(text: str) -> Iterator[str]:
    told = _ask(["hadolint", "--no-fail", "--format", "json", "-"], text)
    try:
        rows = json.loads(told or "[]")
    except ValueError:
        return
    for row in rows:
        yield visible(f"hadolint: line {row.get('line')} {row.get('code')} {row.get('message')}")


def _build_check(text: str) -> Iterator[str]:
    # BuildKit's checks came with buildx 0.15; an older docker knows no such option and says so on stderr.
    told = _ask(["docker", "build", "--check", "--file", "-", "."], text)
    lines = (line.strip() for line in (told or "").splitlines())
    yield from (visible(f"docker build --check: {line}") for line in lines if line.startswith(("WARNING", "ERROR")))


def _ask(command: Sequence[str], text: str) -> str | None:
    try:
        done = subprocess.run(
            command, input=text.encode("utf-8", "replace"), capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace")
