"""What people answer in exercise 04: what they take for needed, tries to lose an installer, pairs that show nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlab.exercises.ex04_alpine_uv.audit import PYTHONS_OWN
from layerlab.exercises.ex04_alpine_uv.square import COPIED, LARGE, SMALL, pair
from layerlab.exercises.kit.file_task import edited
from layerlab.exercises.kit.mistake import Mistake

_TASK, _FILE = "q2-mend", "q2-mend-file"
_GET_UV = "RUN pip install --no-cache-dir uv\n"
_INSTALL = "RUN uv pip install --system --no-cache -r requirements.txt\n"
_SITE = "COPY --from=builder /usr/local/lib/python${PY_MINOR}/site-packages /usr/local/lib/python${PY_MINOR}/site-packages\n"  # noqa: E501
_BIN = "COPY --from=builder /usr/local/bin /usr/local/bin\n"
_SOURCE = "COPY main.py stations.txt ./\n"
_START = 'CMD ["uvicorn", '
_BY_PYTHON = 'CMD ["python", "-m", "uvicorn", '

_INTO_VENV = "uv pip install --python /opt/venv --no-cache -r requirements.txt"
_UV_VENV = f"RUN uv venv /opt/venv && {_INTO_VENV}\n"
_COPY_VENV = "COPY --from=builder /opt/venv /opt/venv\n"
_PATH = "ENV PATH=/opt/venv/bin:$PATH\n"


def mistakes(starters: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return the documented mistakes of all tasks, each with the check that must fail on it.

    Parameters
    ----------
    starters
        Question → the Dockerfile that a learner begins with.
    """
    return (*_CHOICES, *_in_the_file(starters[_FILE]))


def neighbours(starters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return, by question, the solution, other ways to it, and edits that people make on the way."""
    given = starters[_FILE]
    right = solution(given)
    edits = (
        (_UV_VENV, "RUN uv venv /opt/venv\nRUN " + _INTO_VENV + "\n"),
        (_UV_VENV, "RUN uv venv /opt/venv\nRUN VIRTUAL_ENV=/opt/venv uv pip install --no-cache -r requirements.txt\n"),
        (" --no-cache -r", " --no-cache --compile-bytecode -r"),
        (" --no-cache -r", " -r"),
        ("ARG PY_MINOR\n", ""),
        (_SOURCE, "COPY . .\n"),
        (_START, _BY_PYTHON),
        (_GET_UV, "RUN pip install uv\n"),
    )
    shorter = edited(given, _BIN, "")
    return {_FILE: (right, *honest(given), *(edited(right, old, new) for old, new in edits), shorter)}


def solution(starter: str) -> str:
    """Return the file with a venv, which is what notebook 04 does."""
    return _changed(starter, install=_UV_VENV, copies=_COPY_VENV + _PATH)


def honest(starter: str) -> tuple[str, ...]:
    """Return other files that solve the task."""
    target = _changed(
        starter,
        install="RUN uv pip install --target /packages --no-cache -r requirements.txt\n",
        copies="COPY --from=builder /packages /packages\nENV PYTHONPATH=/packages\n",
    )
    by_user = _changed(
        starter,
        get="",
        install="RUN pip install --user --no-cache-dir -r requirements.txt\n",
        copies="COPY --from=builder /root/.local /root/.local\nENV PATH=/root/.local/bin:$PATH\n",
    )
    by_prefix = _changed(
        starter,
        get="",
        install="RUN pip install --prefix=/install --no-cache-dir -r requirements.txt\n",
        copies="COPY --from=builder /install /usr/local\n",
    )
    without_pip = _changed(
        starter,
        install=f"RUN python -m venv --without-pip /opt/venv && {_INTO_VENV}\n",
        copies=_COPY_VENV + _PATH,
    )
    return edited(target, _START, _BY_PYTHON), by_user, by_prefix, without_pip, one_stage(starter)


def one_stage(starter: str, *, bytecode: bool = False) -> str:
    """Return a file of one stage, in which the base's own pip installs.

    Notes
    -----
    Python keeps a compiled copy of each module that it imports (docs.python.org, "Compiled Python files"). A base
    without these gets them from pip's run: of the packages, and of pip itself.
    """
    head, _, rest = starter.partition("# The builder")
    _, _, shipped = rest.partition(_BIN)
    quiet, option = ("", "") if bytecode else ("ENV PYTHONDONTWRITEBYTECODE=1\n", " --no-compile")
    install = f"COPY requirements.txt .\nRUN pip install --no-cache-dir{option} -r requirements.txt\n"
    return f"{head}FROM python:${{PY_MINOR}}-alpine\nWORKDIR /app\n{quiet}{install}{shipped}"


def _in_the_file(starter: str) -> tuple[Mistake, ...]:
    right = solution(starter)
    whole = _changed(starter, copies="COPY --from=builder /usr/local /usr/local\n")
    onwards = edited(starter, "FROM python:${PY_MINOR}-alpine\nARG", "FROM builder\nARG")
    moved = edited(edited(right, " /opt/venv\nENV", " /venv\nENV"), "PATH=/opt/venv/bin", "PATH=/venv/bin")
    installer = {
        "uninstalls in the last stage": edited(starter, _SOURCE, f"RUN pip uninstall -y pip uv\n{_SOURCE}"),
        "removes uv in the last stage": edited(
            starter, _SOURCE, f"RUN rm /usr/local/bin/uv /usr/local/bin/uvx\n{_SOURCE}"
        ),
        "copies /usr/local whole": whole,
        "copies site-packages without the programs": edited(edited(starter, _BIN, ""), _START, _BY_PYTHON),
        "makes a venv with pip in it": edited(right, "uv venv", "uv venv --seed"),
        "makes the usual venv": edited(right, "uv venv", "python -m venv"),
        "goes on from the builder": edited(onwards, _SITE + _BIN, ""),
    }
    silent = {
        # The pattern fits uvicorn as well.
        "removes uv*": edited(starter, _SOURCE, f"RUN rm /usr/local/bin/uv*\n{_SOURCE}"),
        "forgets PATH": edited(right, _PATH, ""),
        "moves the venv": moved,
        "leaves the stations behind": edited(right, _SOURCE, "COPY main.py ./\n"),
    }
    return (
        *(Mistake.in_file(_TASK, name, text, "no installer added") for name, text in installer.items()),
        *(Mistake.in_file(_TASK, name, text, "serves") for name, text in silent.items()),
        Mistake.in_file(
            _TASK, "lets pip leave its traces in the one stage", one_stage(starter, bytecode=True), "luggage"
        ),
    )


def _changed(starter: str, *, get: str = _GET_UV, install: str = _INSTALL, copies: str = _SITE + _BIN) -> str:
    return edited(edited(edited(starter, _GET_UV, get), _INSTALL, install), _SITE + _BIN, copies)


def _audit(name: str, picked: Sequence[str], failing: str) -> Mistake:
    return Mistake(name, "q1-audit", {"q1-audit": list(picked)}, failing)


def _transfer(name: str, claim: str, shown: str, failing: str) -> Mistake:
    return Mistake(name, "q3-transfer", {"q3-claim": claim, "q3-evidence": shown}, failing)


_NEEDED = ("fastapi", "pydantic", "pydantic-core", "jellyfish")
_CHOICES = (
    _audit("the installer too", ("uv", *_NEEDED), "nothing spare"),
    _audit("pip, since Python comes with it", ("pip", *_NEEDED), "nothing spare"),
    _audit("Python itself", (*_NEEDED, PYTHONS_OWN), "nothing spare"),
    _audit("only what main.py names", ("fastapi", "jellyfish"), "nothing missed"),
    _audit("none of it", (), "nothing missed"),
    _transfer("fast is small", SMALL, pair("C", "D"), "agrees with all four"),
    _transfer("fast is large", LARGE, pair("A", "B"), "agrees with all four"),
    _transfer("two changes at once", COPIED, pair("A", "D"), "evidence decides"),
    _transfer("the same installer twice", COPIED, pair("B", "D"), "evidence decides"),
    _transfer("the pair that agrees", COPIED, pair("C", "D"), "evidence decides"),
)
