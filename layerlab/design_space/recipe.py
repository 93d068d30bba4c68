"""Writes a combination as a Dockerfile for the service. Knows the axes, no engine and no file."""

from __future__ import annotations

from layerlab.design_space.axes import COMPILED, FULL, MUSL, NO_CACHE, NONE, NUMBER, SLIM, TWO, UV
from layerlab.design_space.combinations import Combination

# One folder that holds what was installed and nothing else; its inside has the shape of /usr/local.
INSTALLED = "/install"
UID = "10001"
UV_PIN = "uv==0.13.9"

_SUFFIX = {FULL: "", SLIM: "-slim", MUSL: "-alpine"}
_COMMAND = 'CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"]'
_HEAD = "# Line 4 lets one file serve two Python versions. Skip it on a first reading.\n\nARG PY_MINOR=3.12\n"


def recipe(one: Combination) -> str:
    """Return the Dockerfile of a combination.

    Notes
    -----
    Both stages stand on the same base, so that what was installed in one fits the other.
    """
    base = f"python:${{PY_MINOR}}{_SUFFIX[one.base]}"
    if one.stages == TWO:
        stages = [
            [f"FROM {base} AS builder", *_installed(one)],
            [f"FROM {base}", "WORKDIR /app", f"COPY --from=builder {INSTALLED} /usr/local", *_served(one)],
        ]
    else:
        stages = [[f"FROM {base}", *_installed(one), *_served(one)]]
    head = f"# {one.title[0].upper()}{one.title[1:]}.\n{_HEAD}"
    return "\n".join([head, *("\n".join([*lines, ""]) for lines in stages)])


def _installed(one: Combination) -> list[str]:
    bring = [f"RUN pip install --no-cache-dir {UV_PIN}"] * (one.installer == UV)
    return ["WORKDIR /app", *bring, "COPY requirements.txt .", f"RUN {_install(one)} -r requirements.txt"]


def _install(one: Combination) -> str:
    # pip itself leaves bytecode where it runs, unless Python is told to write none.
    words = ["PYTHONDONTWRITEBYTECODE=1"] * (one.bytecode == NONE)
    words += ["uv pip install --system --no-cache"] if one.installer == UV else ["pip install"]
    words += ["--no-cache-dir"] * (one.installer == NO_CACHE)
    words += ["--compile-bytecode"] * (one.bytecode == COMPILED)
    words += ["--no-compile"] * (one.bytecode == NONE)
    words += [f"--prefix {INSTALLED}"] * (one.stages == TWO)
    return " ".join(words)


def _served(one: Combination) -> list[str]:
    return ["COPY main.py .", *[f"USER {UID}"] * (one.user == NUMBER), "EXPOSE 8000", _COMMAND]
