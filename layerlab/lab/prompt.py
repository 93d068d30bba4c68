"""The prompt for an assistant, composed from a service's own list of packages. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerlab.review import Finding

_MOST_DEMANDS = 8


def prompt(requirements: str, *, files: Iterable[str] = (), findings: Iterable[Finding] = ()) -> str:
    """Compose what to ask.

    Parameters
    ----------
    requirements
        The text of requirements.txt; comments and blank lines are left out.
    files
        What lies in the folder, so that nothing is copied which isn't there.
    findings
        Of a review of an earlier answer: what fixes them is asked for as well, the worst first.
    """
    packages = [
        line.strip() for line in requirements.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    demands = list(dict.fromkeys(one.fix for one in findings))[:_MOST_DEMANDS]
    parts = [
        "I have a FastAPI service with these dependencies:",
        *(f"  {name}" for name in packages),
        f"The folder holds: {', '.join(files)}." if files else "",
        "It is started as `uvicorn main:app` and answers /health on port 8000.",
        "Write a multi-stage Dockerfile that makes the image as small as you can.",
        "Begin it with `ARG PY_MINOR=3.12`, build on python:${PY_MINOR}-alpine, and install with uv.",
        *(["Besides:"] if demands else []),
        *(f"- {one}" for one in demands),
        "Answer with the Dockerfile alone.",
    ]
    return "\n".join(part for part in parts if part)
