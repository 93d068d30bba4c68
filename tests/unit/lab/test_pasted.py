"""An assistant's answer as it is pasted: what is no Dockerfile, what never ends, what never listens; and the prompt."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fake_car_park import Begun, CarPark, Made
from recorded_bench import APPS

from layerlab import narration
from layerlab.dockerfile import parse
from layerlab.errors import AnswerError, BuildCancelled, DockerfileError, SetupError
from layerlab.lab.pasted import STARTER, AnswerPanel, PastedJudging, panel, with_python, without_fences
from layerlab.lab.prompt import prompt
from layerlab.review import four_questions, outline, review

GOOD = (APPS / "ai" / "Dockerfile.answer-03").read_text()
HOSTILE = "FROM python:3.12-slim\nRUN pip install \x1b[2J && \x07 <script>alert(1)</script> || true\nUSER \x1b[31mx\n"


@dataclass
class Endless(CarPark):
    """Its builds go on until they are cancelled."""

    ended: threading.Event = field(default_factory=threading.Event)

    def begin(self, app: str, **named: object) -> Begun:  # type: ignore[override]
        bench = self

        class Waiting(Begun):
            def run(self, on_event: object = None) -> Made:  # type: ignore[override]
                assert bench.ended.wait(10), "nobody ended it"
                raise BuildCancelled("The build was cancelled.")

            def cancel(self) -> None:
                bench.ended.set()

        return Waiting(lambda: pytest.fail("it never ends"))


@pytest.fixture
def pasted(tmp_path: Path) -> AnswerPanel:
    return panel(CarPark(work=tmp_path), "ai", "11_with_ai")


def failing(text: str, bench: CarPark | None = None, **named: float) -> tuple[str, str]:
    verdicts = PastedJudging(bench or CarPark(), "ai", text, **named).run().verdicts  # type: ignore[arg-type]
    shown = verdicts.shown
    return ("", "") if shown is None else (shown.name, shown.found)


def test_a_good_answer_passes_everything(pasted: AnswerPanel) -> None:
    assert pasted.dockerfile is None and pasted.value == STARTER
    pasted.answer = f"Sure! Here it is:\n\n```dockerfile\n{GOOD}```\n\nEnjoy your small image."
    pasted.build()
    verdicts = pasted.wait(30)
    assert [check.name for check in verdicts] == [
        "reads",
        "review",
        "builds",
        "serves",
        "not root",
        "stops",
        "read-only",
    ]
    assert verdicts.all_pass
    assert pasted.dockerfile == GOOD
    assert pasted.file.text.startswith("Sure!"), "what was pasted is kept as it was"


@pytest.mark.parametrize(
    ("text", "says"),
    [("Sorry, I cannot help with that.\n", "unknown instruction"), ("# nothing\n", "no FROM"), ("FROM x\n\0", "NUL")],
)
def test_what_is_no_dockerfile_is_one_verdict(text: str, says: str) -> None:
    name, found = failing(text)
    assert name == "reads" and says in found


def test_what_is_no_dockerfile_is_said_to_whoever_goes_on(pasted: AnswerPanel) -> None:
    pasted.answer = "Sorry, I cannot help with that.\n"
    with pytest.raises(DockerfileError, match="Line 1"):
        assert pasted.dockerfile


def test_a_megabyte_is_refused_and_stays_in_the_editor(pasted: AnswerPanel) -> None:
    with pytest.raises(AnswerError):
        pasted.answer = "# padding\n" * 100_001
    assert not pasted.file.exists
    assert failing("# padding\n" * 110_000)[0] == "reads"


def test_escapes_and_html_reach_nobody_raw(pasted: AnswerPanel) -> None:
    pasted.answer = HOSTILE
    pasted.build()
    verdicts = pasted.wait(30)
    assert not {"\x1b", "\x07"} & set(str(verdicts))
    assert "<script>" not in verdicts._repr_html_()
    found = review(parse(HOSTILE))
    assert "<script>" not in found._repr_html_() and "\x1b" not in found._repr_html_()
    for drawn in (outline(HOSTILE), four_questions(HOSTILE)):
        assert "\x1b" not in repr(drawn) and "<script>" not in drawn._repr_html_()


def test_a_build_without_an_end_is_ended_and_said() -> None:
    bench = Endless()
    assert failing(GOOD, bench, limit_seconds=0.2) == ("builds", "no end after 0.2 s")
    assert bench.ended.is_set(), "the engine was told"


def test_what_runs_is_told_to_whoever_listens_to_the_judging() -> None:
    told: list[str] = []

    class Telling(CarPark):
        def begin(self, app: str, **named: object) -> Begun:  # type: ignore[override]
            narration.tell("waiting for a base")
            return super().begin(app, **named)  # type: ignore[arg-type]

    with narration.heard(told.append):
        PastedJudging(Telling(), "ai", GOOD).run()
    assert "waiting for a base" in told


def test_without_a_thread_it_is_told_and_nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(SetupError, match="can't start new thread"):
        PastedJudging(CarPark(), "ai", GOOD).run()


def test_a_learner_can_end_it_before() -> None:
    judging = PastedJudging(Endless(), "ai", GOOD)
    threading.Timer(0.1, judging.cancel).start()
    with pytest.raises(BuildCancelled):
        judging.run()


def test_an_answer_that_never_listens_fails_where_it_should() -> None:
    name, found = failing((APPS / "ai" / "Dockerfile.answer-03").read_text().replace("0.0.0.0", "127.0.0.1"))
    assert name == "review" and "127.0.0.1" in found
    verdicts = PastedJudging(CarPark(), "ai", GOOD.replace("0.0.0.0", "127.0.0.1")).run().verdicts
    assert [check.name for check in verdicts if check.status == "FAIL"] == ["review", "serves"]


def test_without_an_engine_the_text_is_judged() -> None:
    static = PastedJudging(CarPark(), "ai", GOOD).static()
    assert [check.name for check in static] == ["reads", "review"]


def test_another_python_is_told_by_line() -> None:
    text = "FROM python:3.12-alpine AS b\nFROM --platform=x python:3.12.1-slim\nRUN ls /lib/python3.12 # python:3.12\n"
    assert with_python(text, "3.11") == (
        "FROM python:3.11-alpine AS b\nFROM --platform=x python:3.11-slim\nRUN ls /lib/python3.11 # python:3.12\n"
    )
    verdicts = PastedJudging(CarPark(), "ai", text + "USER 1\n", py_minor="3.11").static()
    assert "line 1, 2, 3" in verdicts.check("python").why
    assert without_fences("FROM x\n") == "FROM x\n"


def test_the_prompt_names_packages_files_and_what_went_wrong() -> None:
    asked = prompt("# ours\nfastapi==0.115.0\n\nuvicorn==0.30.0\n", files=["main.py"])
    assert "  fastapi==0.115.0\n  uvicorn==0.30.0\nThe folder holds: main.py." in asked
    assert "ours" not in asked and "Besides" not in asked
    found = review(parse("FROM python:3.12-slim\nRUN pip install x==1 || true && y\n"))
    again = prompt("x\n", findings=found)
    assert [line for line in again.splitlines() if line.startswith("- ")] == [f"- {one.fix}" for one in found]


@pytest.mark.parametrize(("name", "yes"), [("01", 4), ("02", 4), ("03", 3), ("05", 0), ("09", 3), ("11", 2), ("12", 2)])
def test_the_four_questions_are_answered_as_they_are_asked(name: str, yes: int) -> None:
    found = four_questions((APPS / "ai" / f"Dockerfile.answer-{name}").read_text())
    assert found.yes == yes
    assert all(one.because for one in found)


def test_the_outline_says_which_stage_ships_and_what_it_takes() -> None:
    drawn = repr(outline((APPS / "ai" / "Dockerfile.answer-10").read_text()))
    assert "builder on python:3.12-slim: stays behind" in drawn
    assert "tools on python:3.12-slim: is not used" in drawn
    assert "stage 2 on python:3.12-slim: ships" in drawn
    assert "<- builder: /root/.local" in drawn and "<- your folder: main.py" in drawn
