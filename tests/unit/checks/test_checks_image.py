"""Checks on sizes and behaviour, on made-up values: each seen passing, failing, and undecided where nobody knows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from checking import fails, passes
from made_up_images import result

from layerlab.checks import Outcome, Sizes, Verdicts, behaviour, decided, judge
from layerlab.checks.size import luggage, smaller
from layerlab.dockerfile import parse
from layerlab.engine.protocol import Response
from layerlab.errors import (
    BaseUnavailable,
    BuildFailed,
    ContextError,
    DoesNotServe,
    EngineGone,
    LayerLabError,
    NotRecorded,
)
from layerlab.probe import Contents, CopiedItem, Distribution, Probe, Tool

SERVED = Probe("i", (("/health", Response(200, '{"status":"ok"}')), ("/", Response(200, "hello"))), 10001, 0, 0.3)
FILE = parse('FROM a\nUSER 10001\nCMD ["uvicorn"]\n')
BASE = Contents(
    (Distribution("pip", "22.3", 6_000_000, "/usr/local/lib"),),
    0,
    (Tool("pip", "/usr/local/bin/pip", 225), Tool("sh", "/bin/sh", 0)),
)
PACKAGES = Distribution("fastapi", "1", 700_000, "/opt/venv/lib")
IMAGE = replace(BASE, distributions=(*BASE.distributions, PACKAGES), application_bytes=200)
UV = CopiedItem(14, "/usr/local/bin/uv", 44_000_000, "uv", True, False)
PIP_AGAIN = CopiedItem(13, "/usr/local/lib/python3.12/site-packages/pip", 6_000_000, "pip", False, True)
SERVER = CopiedItem(14, "/usr/local/bin/uvicorn", 216, "uvicorn", True, False)
SILENT = DoesNotServe(
    "The container ended with exit code 1. Its last lines:\nTraceback\nModuleNotFoundError: No module named 'fastapi'\n"
    "Check CMD, the host (0.0.0.0) and the port."
)


# --- sizes ---------------------------------------------------------------------------------------


def test_luggage_is_held_against_what_the_service_needs() -> None:
    assert Sizes(100, 30, 12).added_bytes == 42
    passes(luggage(Sizes(0, 10_000_000, 2_500_000)), "2.50 MB beside the 10.0 MB")
    fails(luggage(Sizes(0, 10_000_000, 2_500_001)))
    passes(luggage(Sizes(0, 0, 1_000_000)))
    told = fails(
        luggage(Sizes(0, 10_000_000, 46_000_000), share=0.1, copied_files=(SERVER, PIP_AGAIN, UV)), "46.0 MB", "line 14"
    )
    assert "/usr/local/bin/uv" in told.found and told.wanted == "at most 1.00 MB"


def test_smaller_is_relative_to_another_image() -> None:
    passes(smaller(100_000_000, 99_000_000))
    fails(smaller(100_000_000, 100_000_000), "100 MB")
    fails(smaller(100_000_000, 60_000_000, share=0.5), "60.0 MB")


# --- what it does --------------------------------------------------------------------------------


def test_a_build_that_failed_names_its_line_and_what_was_printed_before_the_advice() -> None:
    passes(behaviour.builds(result()), "3 steps")
    tail = ("Collecting x", "error: command 'gcc' failed: No such file", "[notice] A new release of pip is available")
    error = BuildFailed("Step 5 of 8 failed", step=5, line=9, exit_code=1, log_tail=tail)
    fails(behaviour.builds(error), "line 9: error: command 'gcc' failed")
    fails(behaviour.builds(ContextError("Line 4 says COPY x, but the build context holds no such file. Create it.")))
    fails(behaviour.builds(BuildFailed("The builder ended without an image.")), "without an image")


def test_serving_is_answering_every_path() -> None:
    passes(behaviour.serves(SERVED), "/health → 200, / → 200")
    fails(behaviour.serves(replace(SERVED, answers=(("/health", Response(500, "")),))), "/health → 500")
    fails(behaviour.serves(replace(SERVED, answers=())), "nothing was asked")
    fails(behaviour.serves(SILENT), "No module named 'fastapi'")


def test_the_same_answers_are_word_for_word() -> None:
    passes(behaviour.same_answers(SERVED, replace(SERVED, uid=0)))
    other = replace(SERVED, answers=(SERVED.answers[0], ("/", Response(200, "goodbye"))))
    fails(behaviour.same_answers(SERVED, other), "/ → 200 goodbye")
    fails(behaviour.same_answers(SERVED, replace(SERVED, answers=SERVED.answers[:1])), "/ → not asked")
    fails(behaviour.same_answers(SERVED, SILENT))
    nothing = behaviour.same_answers(replace(SERVED, answers=()), SERVED)
    assert nothing.status == "SKIP"  # where nothing was heard before, nothing is the same


def test_who_runs_it_is_told_with_the_line() -> None:
    passes(behaviour.not_root(SERVED, dockerfile=FILE), "uid 10001 because of line 2")
    fails(behaviour.not_root(replace(SERVED, uid=0)), "uid 0")
    assert behaviour.not_root(replace(SERVED, uid=None)).status == "SKIP"


def test_a_service_that_writes_at_its_start_fails_read_only() -> None:
    passes(behaviour.read_only(replace(SERVED, read_only=True)))
    fails(behaviour.read_only(SILENT))
    fails(behaviour.read_only(replace(SERVED, read_only=True, answers=(("/", Response(500, "")),))), "500")
    assert behaviour.read_only(SERVED).status == "SKIP"  # it was not asked that way


def test_killed_is_not_stopped() -> None:
    passes(behaviour.stops(SERVED, dockerfile=FILE), "0.3 s after SIGTERM")
    fails(behaviour.stops(replace(SERVED, stopped_with=137, stop_seconds=10.2), dockerfile=FILE), "10.2 s", "line 3")


# --- what it holds -------------------------------------------------------------------------------


def test_nothing_that_was_added_installs_packages() -> None:
    passes(behaviour.no_installer_added(IMAGE, BASE, copied_files=(SERVER,)))
    fails(behaviour.no_installer_added(IMAGE, BASE, copied_files=(PIP_AGAIN, SERVER, UV)), "line 14", "uv", "44.0 MB")
    fails(behaviour.no_installer_added(IMAGE, BASE, copied_files=(PIP_AGAIN,)), "line 13", "a second time")
    added = replace(IMAGE, tools=(*IMAGE.tools, Tool("uv", "/usr/bin/uv", 44_000_000)))
    fails(behaviour.no_installer_added(added, BASE), "/usr/bin/uv 44.0 MB")
    venv = replace(IMAGE, distributions=(*IMAGE.distributions, Distribution("pip", "22.3", 6_000_000, "/opt/venv/lib")))
    fails(behaviour.no_installer_added(venv, BASE), "pip in /opt/venv/lib")


def test_no_compiler_but_that_of_the_base() -> None:
    full = replace(BASE, tools=(*BASE.tools, Tool("gcc", "/usr/bin/gcc", 0)))
    passes(behaviour.no_compiler_added(full, full))
    fails(behaviour.no_compiler_added(full, BASE), "/usr/bin/gcc")


# --- what nobody knows ---------------------------------------------------------------------------


@pytest.mark.parametrize("error", [EngineGone("gone"), BaseUnavailable("no base")])
@pytest.mark.parametrize(
    "check",
    [
        behaviour.builds,
        behaviour.serves,
        behaviour.read_only,
        behaviour.not_root,
        behaviour.stops,
        lambda error: behaviour.same_answers(SERVED, error),
    ],
)
def test_what_could_not_be_measured_is_neither_good_nor_bad(check: object, error: LayerLabError) -> None:
    told = check(error)  # type: ignore[operator]
    assert (told.status, told.why) == ("SKIP", str(error))
    assert not Verdicts((told,)).all_pass


@pytest.mark.parametrize("step", [{}, {"step": 3, "total": 6, "line": 4, "instruction": "RUN the-solution"}])
def test_what_is_not_recorded_is_told_by_the_place_and_never_by_a_text(step: dict[str, object]) -> None:
    error = NotRecorded("Step 3 is not recorded: `RUN the-solution`.", **step)  # type: ignore[arg-type]
    told = behaviour.builds(error)
    assert told.status == "SKIP" and "the-solution" not in told.why
    assert "live engine" in told.why and "layerlab doctor" in told.why
    assert ("line 4 of your file, its step 3 of 6" in told.why) is bool(step)


def test_a_measurement_that_cannot_be_made_leaves_its_check_undecided() -> None:
    def ask() -> object:
        raise NotRecorded("The recordings do not hold this step.")

    assert decided("luggage", ask).status == "SKIP"  # type: ignore[arg-type]
    assert decided("luggage", lambda: judge("luggage", True)).status == "PASS"
    with pytest.raises(ValueError, match="a fault of ours"):
        decided("luggage", lambda: (_ for _ in ()).throw(ValueError("a fault of ours")))  # type: ignore[arg-type]
    assert Outcome(Verdicts(())).sizes is None
