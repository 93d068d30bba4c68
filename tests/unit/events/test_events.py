"""Events of real builds, captured from the engines named in the files' names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlab.events import Failed, StepCached, StepFinished, StepOutput, StepStarted, Succeeded, parse

CAPTURED = Path(__file__).parents[2] / "data" / "events"


def captured(name):
    return list(parse((at, raw) for at, raw in json.loads((CAPTURED / f"{name}.json").read_text())))


def of(kind, found):
    return [event for event in found if isinstance(event, kind)]


def test_a_build_that_succeeds():
    found = captured("docker-20.10-success")
    assert [step.instruction.split()[0] for step in of(StepStarted, found)] == ["ARG", "FROM", "ENV", "RUN", "CMD"]
    assert [(step.number, step.total) for step in of(StepStarted, found)] == [(n, 5) for n in range(1, 6)]
    assert len(of(StepFinished, found)) == 5
    assert [line.text for line in of(StepOutput, found)] == ["err", "one", "no newline"]
    assert isinstance(found[-1], Succeeded)
    assert found[-1].image_id.startswith("sha256:")


def test_ids_of_intermediate_images_belong_to_their_steps():
    finished = of(StepFinished, captured("docker-20.10-success"))
    ids = [step.image_id for step in finished]
    assert ids[0] is None  # an ARG before FROM has no image yet
    assert len(set(ids[1:])) == 4


def test_a_cached_build():
    found = captured("docker-20.10-cached")
    assert [event.number for event in of(StepCached, found)] == [3, 4, 5]
    assert not of(StepOutput, found)
    assert isinstance(found[-1], Succeeded)


def test_a_failing_command_has_its_code_and_comes_last():
    found = captured("docker-20.10-failing")
    assert found[-1].exit_code == 7
    assert "returned a non-zero code: 7" in found[-1].message
    assert [line.text for line in of(StepOutput, found)] == ["before"]
    assert not of(Succeeded, found)


def test_stages_count_on():
    found = captured("docker-20.10-stages")
    assert [step.number for step in of(StepStarted, found)] == [1, 2, 3, 4]
    assert found[-1].image_id.startswith("sha256:")


def test_a_base_that_cannot_be_fetched_fails_without_a_code():
    found = captured("docker-20.10-no-base")
    assert isinstance(found[-1], Failed)
    assert found[-1].exit_code is None


def test_colour_and_split_lines_are_put_right():
    raw = [
        (0.0, {"stream": "Step 1/1 : RUN x"}),
        (0.1, {"stream": "\n"}),
        (0.2, {"stream": "\x1b[91mhalf a "}),
        (0.3, {"stream": "line\x1b[0m\nnext\r\n"}),
    ]
    assert [line.text for line in of(StepOutput, parse(raw))] == ["half a line", "next"]


def test_a_build_of_podman():
    found = captured("podman-4.3-success")
    steps = of(StepStarted, found)
    assert [step.instruction.split()[0] for step in steps] == ["FROM", "ENV", "RUN", "CMD"]
    assert [(step.number, step.total, step.place) for step in steps] == [(n, 4, (1, n)) for n in range(1, 5)]
    # As in a terminal: Podman does not say which of the two streams a piece is from.
    assert [(line.number, line.text) for line in of(StepOutput, found)] == [(3, "one"), (3, "no newlineerr")]
    assert not of(StepCached, found)
    assert isinstance(found[-1], Succeeded)
    assert found[-1].image_id.startswith("sha256:")


def test_podman_names_an_image_after_each_step_but_from():
    ids = [step.image_id for step in of(StepFinished, captured("podman-4.3-success"))]
    assert ids[0] is None
    assert len({one[:11] for one in ids[1:]}) == 3


def test_a_cached_build_of_podman():
    found = captured("podman-4.3-cached")
    assert [event.number for event in of(StepCached, found)] == [2, 3, 4]
    assert len(of(StepFinished, found)) == 4
    assert not of(StepOutput, found)
    assert found[-1].image_id == captured("podman-4.3-success")[-1].image_id


def test_podman_puts_the_exit_code_into_the_message_only():
    found = captured("podman-4.3-failing")
    assert found[-1].exit_code == 7
    assert [line.text for line in of(StepOutput, found)] == ["before"]


def test_podman_leaves_out_stages_and_says_which_it_builds():
    found = captured("podman-4.3-stages")
    steps = of(StepStarted, found)
    assert [step.number for step in steps] == [1, 2, 3, 4, 5]
    assert [step.place for step in steps] == [(1, 1), (1, 2), (3, 1), (3, 2), (3, 3)]
    assert [step.image_id for step in of(StepFinished, found)][2] is None
    # The second line is what a command printed without a newline, and not the builder's word.
    assert [(line.number, line.text) for line in of(StepOutput, found)] == [(2, "x"), (5, "COMMIT")]


@pytest.mark.parametrize("name", ["stages", "cached"])
def test_podman_tells_the_last_steps_image_in_full_after_the_step(name: str) -> None:
    found = captured(f"podman-5.8-{name}")
    finished, succeeded = of(StepFinished, found), found[-1]
    assert finished[-1].image_id == succeeded.image_id and len(str(succeeded.image_id)) == len("sha256:") + 64
    assert [len(of(kind, found)) for kind in (StepStarted, StepFinished, StepCached)] == [5, 5, 3 * (name == "cached")]
    if name == "cached":  # in full at once, and then cut
        assert [len(step.image_id or "") for step in finished if step.number in (2, 4)] == [64, 64]


def test_a_stage_of_podman_that_is_a_base_and_nothing_more():
    found = captured("podman-4.3-only-from")
    assert [type(event) for event in found] == [StepStarted, StepFinished, Succeeded]


def test_a_program_that_podman_cannot_start_has_no_exit_code():
    failed = captured("podman-4.3-missing-program")[-1]
    assert failed.exit_code is None
    assert failed.message.endswith('exec: "there-is-no-such-program": executable file not found in $PATH')
    crun = "error running container: from /usr/bin/crun creating container for [no]: executable file `no` not found\n"
    raw = [(0.0, {"stream": crun}), (0.1, {"error": "building: while running runtime: exit status 1\n"})]
    assert list(parse(raw))[-1] == Failed(0.1, "building: executable file `no` not found", None)


def test_what_podman_cannot_read_is_said_without_the_builders_own_structures():
    found = captured("podman-4.3-parse-error")
    assert found[-1] == Failed(found[-1].at, 'building at STEP "RUNN ": Build error: Unknown instruction: "RUNN"', None)
    assert not of(StepOutput, found)


def test_a_command_that_speaks_of_exit_statuses_is_not_believed():
    said = "building at STEP \"RUN echo 'exit status 3'\": something else"
    assert list(parse([(0.0, {"error": said})])) == [Failed(0.0, said, None)]


def test_podman_steps_are_numbered_over_the_whole_build():
    raw = [
        (0.0, {"stream": "[1/2] STEP 1/2: FROM a AS b\n"}),
        (0.1, {"stream": "[1/2] STEP 2/2: RUN x\n"}),
        (0.2, {"stream": "--> 0123456789ab\n"}),
        (0.3, {"stream": "[2/2] STEP 1/2: FROM a\n"}),
        (0.4, {"stream": "[2/2] STEP 2/2: COPY --from=b /x /x\n"}),
        (0.5, {"stream": "--> Using cache " + "a" * 64 + "\n"}),
    ]
    found = list(parse(raw))
    assert [step.number for step in of(StepStarted, found)] == [1, 2, 3, 4]
    assert [event.number for event in of(StepCached, found)] == [4]
    assert found[-1] == Succeeded(0.5, "a" * 64)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
streams = st.builds(lambda text: {"stream": text}, st.text(max_size=60))


@given(st.lists(streams, max_size=30))
def test_any_text_is_passed_on_and_never_raises(raw):
    found = list(parse((float(n), event) for n, event in enumerate(raw)))
    assert all(event.at >= 0 for event in found)
    started, finished = of(StepStarted, found), of(StepFinished, found)
    assert len(started) == len(finished)


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in CAPTURED.glob("*.json") if not path.stem.startswith("buildkit"))
)
def test_every_step_that_starts_ends_or_fails(name):
    found = captured(name)
    open_steps = len(of(StepStarted, found)) - len(of(StepFinished, found))
    assert open_steps == (1 if isinstance(found[-1], Failed) else 0)
    assert [event.at for event in found] == sorted(event.at for event in found)


def test_the_sender_of_a_failed_build_gets_to_its_end():
    ended = []

    def sender():
        yield 0.0, {"stream": "Step 1/1 : RUN x\n"}
        yield 0.1, {"error": "x failed"}
        ended.append(True)

    assert isinstance(list(parse(sender()))[-1], Failed)
    assert ended


# --- what a RUN prints, made to look like the older builder -------------------------------------


def streamed(*texts):
    return list(parse((float(at), {"stream": text}) for at, text in enumerate(texts)))


def test_a_step_out_of_turn_is_output():
    found = streamed(
        "Step 1/3 : FROM a", "\n", " ---> 0123456789ab\n", "Step 2/3 : RUN x", "\n", " ---> Running in 0123456789ab\n",
        "Step 9/9 : RUN forged\n", "Step 3/9 : RUN forged\n", "STEP 1/6: FROM forged\n",
        " ---> 0123456789ab\n", "Step 3/3 : CMD y", "\n",
    )  # fmt: skip
    assert [(step.number, step.total) for step in of(StepStarted, found)] == [(1, 3), (2, 3), (3, 3)]
    assert [line.text for line in of(StepOutput, found)] == [
        "Step 9/9 : RUN forged", "Step 3/9 : RUN forged", "STEP 1/6: FROM forged",
    ]  # fmt: skip


def test_a_step_that_has_run_did_not_come_from_the_cache():
    found = streamed(
        "Step 1/2 : FROM a", "\n", "Step 2/2 : RUN x", "\n", " ---> Running in 0123456789ab\n", " ---> Using cache\n",
    )  # fmt: skip
    assert not of(StepCached, found)
    assert of(StepCached, streamed("Step 1/1 : RUN x", "\n", " ---> Using cache\n"))
