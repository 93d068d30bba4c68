"""The view of the exercise panel: it shows and changes the model, says everything in words, loses no fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest
from pretend_judge import PretendJudge, recorder

from layerlab.widgets import DockerfilePanel
from layerlab.work.answers import Answers
from layerlab.work.attempts import Attempts
from layerlab.work.text_file import WorkFile

STARTER = "FROM python:3.12-slim\nCOPY --from=builder _____ _____\n"
FAT = STARTER.replace("_____ _____", "/usr/local /usr/local")
GOOD = STARTER.replace("_____ _____", "/venv /venv")

Make = Callable[..., DockerfilePanel]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Dockerfile.native"


@pytest.fixture
def make(path: Path) -> Make:
    def open_panel(judge: PretendJudge | None = None, *, parts: frozenset[str] | None = None) -> DockerfilePanel:
        return DockerfilePanel(
            "native",
            "Fill `the blanks` & <nothing> else.\n\nThe compiler may stay.",
            file=WorkFile(path, STARTER),
            judge=judge or PretendJudge(),
            record=recorder(path.parent, [("Where to look", "At <line> 2.")]),
            parts=frozenset({"diff", "gauge", "attempts"}) if parts is None else parts,
            answers=Answers(path.parent),
            attempts=partial(Attempts(path.parent).table, "native"),
            title="Task 2",
        )

    return open_panel


def every(widget: Any) -> list[Any]:
    """The widget and all below it that are not hidden."""
    if widget.layout.display == "none":
        return []
    return [widget, *(below for child in getattr(widget, "children", ()) for below in every(child))]


def seen(panel: DockerfilePanel) -> str:
    """All HTML that is shown."""
    return "\n".join(one.value for one in every(panel.view) if isinstance(one, widgets.HTML))


def button(panel: DockerfilePanel, label: str) -> Any:
    kinds = (widgets.Button, widgets.ToggleButton)
    return next(one for one in every(panel.view) if isinstance(one, kinds) and one.description == label)


def editor(panel: DockerfilePanel) -> Any:
    return next(one for one in every(panel.view) if isinstance(one, widgets.Textarea))


def judged(panel: DockerfilePanel, text: str) -> DockerfilePanel:
    panel.restore()
    editor(panel).value = text
    button(panel, "Build & check").click()
    panel.wait(5)
    return panel


def test_the_editor_is_labelled_and_writes_the_model_only(make: Make, path: Path) -> None:
    panel = make()
    assert editor(panel).description == "Dockerfile.native:"
    assert editor(panel).value == STARTER
    editor(panel).value = FAT
    assert panel.value == FAT
    assert not path.exists()
    assert "Not saved yet." in seen(panel)
    panel.value = GOOD
    assert editor(panel).value == GOOD


def test_the_task_is_text_with_code_and_no_markup_of_its_own(make: Make) -> None:
    html = seen(make())
    assert "Fill <code>the blanks</code> &amp; &lt;nothing&gt; else.</p><p>The compiler may stay." in html


def test_buttons_save_and_reset(make: Make, path: Path) -> None:
    panel = make()
    editor(panel).value = FAT
    button(panel, "Save").click()
    assert path.read_text() == FAT
    assert "Saved in Dockerfile.native." in seen(panel)
    button(panel, "Reset").click()
    assert editor(panel).value == STARTER
    assert "kept as Dockerfile.native.backup-1." in seen(panel)


def test_build_and_check_shows_progress_then_the_verdict_its_line_and_the_hint_folded(make: Make) -> None:
    judge = PretendJudge(waits=True)
    panel = make(judge)
    panel.restore()
    editor(panel).value = FAT
    button(panel, "Build & check").click()
    assert judge.reached.wait(5)
    panel.progress.refresh(1.0)
    assert "Step 3 of 3: COPY main.py ." in seen(panel)
    assert button(panel, "Cancel build").disabled is False
    judge.go_on.set()
    panel.wait(5)
    html = seen(panel)
    order = [
        "Verdict on Dockerfile.native as saved",
        "Not yet: 1 of 2 checks",
        "Not yet: luggage",
        "Because every node",
        "Which one folder",
        "✓ Passed: no blank left",
        "Line 2: COPY --from=builder /usr/local",
        "<details><summary>Where to look",
    ]
    assert [html.index(words) for words in order] == sorted(html.index(words) for words in order)
    assert "At &lt;line&gt; 2." in html
    # A full bar over a failing verdict would say the opposite of it.
    assert not any(isinstance(one, widgets.IntProgress) for one in every(panel.view))


def test_cancel_is_a_button_while_it_runs_and_only_then(make: Make) -> None:
    judge = PretendJudge(waits=True)
    panel = make(judge)
    button(panel, "Build & check").click()
    assert judge.reached.wait(5)
    button(panel, "Cancel build").click()
    assert panel._attempt is not None
    assert panel._attempt.wait(5)
    assert panel.state == "cancelled"
    assert "Cancelled. Nothing was judged, and your files are as you left them." in seen(panel)
    with pytest.raises(StopIteration):
        button(panel, "Cancel build")


def test_a_double_click_builds_once_and_says_so(make: Make) -> None:
    judge = PretendJudge(waits=True)
    panel = make(judge)
    for _ in range(2):
        button(panel, "Build & check").click()
    assert "is being built already" in seen(panel)
    judge.go_on.set()
    panel.wait(5)
    assert judge.runs == 1


def test_a_changed_file_is_one_notice_with_two_choices(make: Make, path: Path) -> None:
    panel = make()
    assert "changed on disk" not in seen(panel)
    editor(panel).value = GOOD
    path.write_text(FAT)
    button(panel, "Build & check").click()
    assert seen(panel).count("was changed on disk") == 1
    button(panel, "Keep my text").click()
    assert path.read_text() == GOOD
    with pytest.raises(StopIteration):
        button(panel, "Load from disk")
    path.write_text(FAT)
    button(panel, "Save").click()
    button(panel, "Load from disk").click()
    assert editor(panel).value == FAT


def test_a_verdict_says_at_once_when_its_text_is_gone(make: Make) -> None:
    panel = judged(make(), FAT)
    editor(panel).value = GOOD
    assert "Verdict on an earlier text" in seen(panel)
    assert "Of the earlier text: base 119 MB" in seen(panel)


def test_the_gauge_is_words_with_a_picture_for_the_eye_only(make: Make) -> None:
    panel = make()
    assert "Nothing measured yet." in seen(panel)
    html = seen(judged(panel, FAT))
    words, _, picture = html.partition('<div aria-hidden="true">')
    assert "Base 119 MB, and on it needed 14.0 MB, luggage 3.50 MB (25 % of what is needed)." in words
    assert all(part in picture for part in ("base", "needed", "luggage"))


def test_changes_and_attempts_open_on_demand(make: Make) -> None:
    panel = judged(make(), FAT)
    assert "/usr/local</ins>" not in seen(panel)
    button(panel, "Show your changes").value = True
    assert "+COPY --from=builder /usr/local /usr/local</ins>" in seen(panel)
    assert "-COPY --from=builder _____ _____</del>" in seen(panel)
    button(panel, "Show your attempts").value = True
    assert '<th scope="col">first check that does not pass</th>' in seen(panel)
    assert "<td>luggage</td><td>17.5 MB</td>" in seen(panel)
    judged(panel, GOOD)
    assert "<td>all pass</td>" in seen(panel)
    button(panel, "Hide your attempts").value = False
    assert "<td>" not in seen(panel)


def test_only_the_named_parts_are_there(make: Make) -> None:
    panel = make(parts=frozenset())
    labels = [one.description for one in every(panel.view) if isinstance(one, widgets.Button | widgets.ToggleButton)]
    assert labels == ["Build & check", "Save", "Reset"]
    assert "measured" not in seen(panel)


def test_every_message_is_announced(make: Make, path: Path) -> None:
    panel = judged(make(), FAT)
    path.write_text(GOOD)
    panel.look()
    for words in (
        "The editor and the file differ.",
        "As written",
        "was changed on disk",
        "Not yet: luggage",
        "done.",
    ):
        shown = [one.value for one in every(panel.view) if isinstance(one, widgets.HTML) and words in one.value]
        assert [html for html in shown if 'role="status"' in html] == shown != [], words


def test_the_saved_notebook_has_the_text(make: Make) -> None:
    panel = judged(make(), FAT)
    bundle = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == panel.text
    assert "Not yet: luggage" in bundle["text/html"]


def test_the_panel_is_shown_within_half_a_second(make: Make) -> None:
    make()._repr_mimebundle_()
    panel = make()
    began = time.perf_counter()
    panel._repr_mimebundle_()
    assert time.perf_counter() - began < 0.5


def test_a_view_that_cannot_be_redrawn_ends_the_attempt_and_frees_the_panel(make: Make) -> None:
    judge = PretendJudge(waits=True)
    panel = make(judge)
    panel.build()
    assert judge.reached.wait(5)

    def broken(change: Any) -> None:
        raise RuntimeError("the page is gone")

    panel.progress.observe(broken, "elapsed")
    with pytest.raises(RuntimeError, match="the page is gone"):
        panel.wait(5)
    assert (panel.state, judge.cancels) == ("failed", 1)
    assert "the page is gone" in panel.status
