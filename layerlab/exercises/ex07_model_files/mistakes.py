"""What people pick in exercise 07, and make of its Dockerfiles: ways that hold, and mistakes with the check they fail.

Judges nothing. Each Dockerfile is an edit of what the learner begins with, so a changed starter leaves none stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlab.exercises.ex07_model_files.recipes import NAMES, named
from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

OUT_FILE, EARLY_FILE = "q2-out-file", "q3-early-file"

_FETCH = "COPY fetch_model.py .\nRUN python fetch_model.py models/birds.model\n"
_RUN = "RUN python fetch_model.py models/birds.model\n"
_START = 'CMD ["python", "service.py"]\n'
_SOURCE = "COPY service.py .\n"
_FIRST = 'CMD ["python", "service.py", "--load-first"]\n'
_FROM = "FROM python:${PY_MINOR}-slim\nWORKDIR /app\n"


def without_model(starter: str) -> str:
    """Return the solution of the first file: nothing fetches a model."""
    return edited(starter, _FETCH, "")


def loads_first(starter: str) -> str:
    """Return the solution of the second file: the service opens its model before it listens."""
    return edited(starter, _START, _FIRST)


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return what people take for carrying the model, for out of the image, and for early."""
    return (
        *(_picked(name, picked, failing) for name, picked, failing in _PICKED),
        *(Mistake.in_file("q2-out", *one) for one in _out(starters[OUT_FILE])),
        *(Mistake.in_file("q3-early", *one) for one in _early(starters[EARLY_FILE])),
    )


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return the solutions, other ways to them, and edits on the way."""
    out, early = starters[OUT_FILE], starters[EARLY_FILE]
    return {OUT_FILE: _neighbours_out(out), EARLY_FILE: _neighbours_early(early)}


_PICKED = (
    ("what is removed is gone", (named("A"), named("C")), "nothing missed"),
    ("a builder is thrown away", (named("A"), named("B")), "nothing missed"),
    ("a mount copies it in", NAMES, "nothing spare"),
    ("none but the first", (named("A"),), "nothing missed"),
)


def _picked(name: str, picked: Sequence[str], failing: str) -> Mistake:
    return Mistake(name, "q1-carry", {"q1-carry": list(picked)}, failing)


def _shell(script: str) -> str:
    return f'CMD ["sh", "-c", "{script}"]\n'


def _out(starter: str) -> tuple[tuple[str, str, str], ...]:
    """Name, text and failing check of what people try to get the model out."""
    removed = edited(starter, _SOURCE, f"{_SOURCE}RUN rm models/birds.model\n")
    staged = edited(starter, _FROM, f"FROM python:${{PY_MINOR}}-slim AS builder\nWORKDIR /app\n{_FETCH}\n{_FROM}")
    staged = staged[: staged.rindex(_FETCH)] + "COPY --from=builder /app /app\n" + staged[staged.rindex(_SOURCE) :]
    return (
        ("removes it in a later line", removed, "no model"),
        ("declares a volume over it", edited(starter, "USER", "VOLUME /app/models\nUSER"), "no model"),
        ("copies it from a builder", staged, "no model"),
        ("copies it from the folder", edited(starter, _FETCH, "COPY models/birds.model models/\n"), "builds"),
        ("copies the whole folder of models", edited(starter, _FETCH, "COPY models models\n"), "builds"),
        ("leaves the script out, and runs it", edited(starter, "COPY fetch_model.py .\n", ""), "builds"),
        ("takes the service out as well", edited(without_model(starter), _SOURCE, ""), "serves"),
        (
            "fetches it whenever a container starts",
            edited(
                edited(starter, _RUN, ""),
                _START,
                _shell("python fetch_model.py models/birds.model && exec python service.py"),
            ),
            "serves",
        ),
    )


def _early(starter: str) -> tuple[tuple[str, str, str], ...]:
    """Name, text and failing check of what people try to make a missing model show at the start."""
    health = "HEALTHCHECK CMD python -c 'open(\\\"models/birds.model\\\")'\n".replace('\\"', '"')
    said = "echo models/birds.model is missing"
    return (
        (
            "makes the folder, and the first request fails",
            edited(starter, "USER", "RUN mkdir models\nUSER"),
            "ends at start",
        ),
        ("adds a health check", edited(starter, "EXPOSE", f"{health}EXPOSE"), "ends at start"),
        ("names the folder in a VOLUME", edited(starter, "USER", "VOLUME /app/models\nUSER"), "ends at start"),
        (
            "says it, and serves all the same",
            edited(starter, _START, _shell(f"test -r models/birds.model || {said}; exec python service.py")),
            "ends at start",
        ),
        (
            "ends as if it had worked",
            edited(starter, _START, _shell(f"test -r models/birds.model || {{ {said}; exit 0; }}; python service.py")),
            "ends at start",
        ),
        (
            "ends without a word",
            edited(starter, _START, _shell("test -r models/birds.model && exec python service.py")),
            "says why",
        ),
        (
            "looks for the folder only",
            edited(starter, _START, _shell(f"test -d models || {{ {said}; exit 1; }}; exec python service.py")),
            "empty folder",
        ),
        ("looks while it is built", edited(starter, "USER", "RUN test -r models/birds.model\nUSER"), "builds"),
        (
            "fetches it again, so that nothing is missing",
            edited(starter, _SOURCE, f"{_FETCH}{_SOURCE}"),
            "no model",
        ),
        ("copies it, and it is ignored", edited(starter, _SOURCE, f"COPY models models\n{_SOURCE}"), "builds"),
    )


def honest(starter: str) -> tuple[str, ...]:
    """Return other ways to the second solution."""
    said = "echo models/birds.model is missing"
    return (
        edited(starter, _START, _shell(f"test -r models/birds.model || {{ {said}; exit 1; }}; exec python service.py")),
        edited(starter, _START, 'ENTRYPOINT ["python", "service.py", "--load-first"]\n'),
        edited(starter, _START, "CMD exec python service.py --load-first\n"),
    )


def _neighbours_out(starter: str) -> Sequence[str]:
    """Return the first solution and edits on the way to it."""
    right = without_model(starter)
    return (
        right,
        edited(starter, _RUN, ""),
        edited(right, _SOURCE, "COPY . .\n"),
        edited(right, _SOURCE, f"{_SOURCE}VOLUME /app/models\n"),
        edited(right, _SOURCE, f"RUN mkdir models\n{_SOURCE}"),
        edited(right, _START, _FIRST),
        edited(starter, "models/birds.model\n", "models/birds.model && rm models/birds.model\n"),
    )


def _neighbours_early(starter: str) -> Sequence[str]:
    """Return the second solution, other ways to it and edits on the way."""
    right = loads_first(starter)
    return (
        right,
        *honest(starter),
        edited(right, "USER", "RUN mkdir models\nUSER"),
        edited(right, _SOURCE, "COPY . .\n"),
        edited(starter, _START, "CMD python service.py --load-first\n"),
        edited(starter, _START, _FIRST.replace("--load-first", "--load_first")),
    )
