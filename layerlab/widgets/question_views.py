"""Views of questions, from core ipywidgets only. They show and change a model; they know no answers.

Everything can be reached with Tab, arrow keys, Space and Enter; what happens is said in a status text.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
from traitlets import link

from layerlab.errors import LayerLabError
from layerlab.units import as_html
from layerlab.widgets.questions import Choice, MultiChoice, Order, PointAt, Question, ShortText, TextFile, cut
from layerlab.widgets.showing import NOW

_WIDE = {"description_width": "initial"}


def view(question: Question) -> widgets.VBox:
    """Build the view of any question: text, the control of its kind, Keep, status."""
    control = next(make(question) for kind, make in _CONTROLS if isinstance(question, kind))
    if isinstance(question, _CHOSEN):
        question.observe(lambda _: question.say_if_unsaved(), "value")
    return framed(question, control)


def framed(question: Question, *controls: widgets.Widget) -> widgets.VBox:
    """Put controls between the question's text above and Keep and status below."""
    return widgets.VBox(
        [
            asked(question),
            *controls,
            keep_button(question),
            status(question),
        ]
    )


def asked(question: Question) -> widgets.HTML:
    """Make the question's text."""
    return widgets.HTML(f"<p><strong>{as_html(question.question)}</strong></p>")


def keep_button(question: Question) -> widgets.Button:
    """Make the button that keeps the answer and says so, or says why it could not."""
    return action("Keep", question.keep, question, tooltip="Write this answer to your answer file")


def action(label: str, act: Callable[[], Any], question: Question, *, tooltip: str = "") -> widgets.Button:
    """Make a button whose errors are told in the question's status text."""
    button = widgets.Button(description=label, tooltip=tooltip)

    def pressed(_: Any) -> None:
        # An exception in a callback reaches nobody: the front end shows callbacks' errors in a log only.
        try:
            act()
        except LayerLabError as error:
            question.status = str(error)

    button.on_click(pressed)
    return button


def status(question: Question, *, hint: str = "") -> widgets.HTML:
    """Make the text that screen readers announce whenever the question's status changes; the hint until it has one."""
    text = widgets.HTML()

    def show(_: Any = None) -> None:
        # What was typed may be one long word: it wraps, so that nothing scrolls sideways.
        said = escape(question.status) or f'<span class="{NOW}">{escape(hint)}</span>'
        text.value = f'<div role="status" style="overflow-wrap:anywhere">{said}</div>'

    question.observe(show, "status")
    show()
    return text


def radio(options: tuple[str, ...], *, label: str, model: Any, trait: str) -> widgets.RadioButtons:
    """Make radio buttons with nothing chosen beforehand: a preset would count as an answer."""
    control = widgets.RadioButtons(
        options=options, value=None, description=label, style=_WIDE, layout={"width": "max-content"}
    )
    link((model, trait), (control, "value"))
    return control


def _choice(question: Choice) -> widgets.Widget:
    return radio(question.options, label="Your choice:", model=question, trait="value")


def _multi_choice(question: MultiChoice) -> widgets.Widget:
    boxes = [
        widgets.Checkbox(description=option, indent=False, layout={"width": "max-content"})
        for option in question.options
    ]

    def changed(_: Any) -> None:
        question.value = [box.description for box in boxes if box.value]

    def show(_: Any = None) -> None:
        for box in boxes:
            # Unobserved meanwhile: one box after the other would tell the model half an answer.
            box.unobserve_all("value")
            box.value = box.description in (question.value or ())
        for box in boxes:
            box.observe(changed, "value")

    question.observe(show, "value")
    show()
    return widgets.VBox(boxes)


def _order(question: Order) -> widgets.Widget:
    lines = widgets.Select(
        description="Lines:", rows=len(question.lines), style=_WIDE, layout={"width": "auto", "min_width": "30em"}
    )

    def show(_: Any = None) -> None:
        chosen = lines.value
        lines.options = [(f"{number}  {line}", line) for number, line in enumerate(question.value, 1)]
        lines.value = chosen if chosen in question.value else question.value[0]

    question.observe(show, "value")
    show()
    up = action("Move up", lambda: question.move(lines.value, -1), question)
    down = action("Move down", lambda: question.move(lines.value, 1), question)
    return widgets.VBox([lines, widgets.HBox([up, down])])


def _point_at(question: PointAt) -> widgets.Widget:
    numbered = [(f"line {number}: {cut(key)}", key) for number, key in enumerate(question.keys, 1)]
    control = widgets.Select(
        options=numbered, value=None, description="Your line:", rows=min(len(numbered), 12), style=_WIDE,
        layout={"width": "auto", "min_width": "30em"},
    )  # fmt: skip
    link((question, "value"), (control, "value"))
    return widgets.VBox([widgets.HTML(table(question)), control])


def table(question: PointAt) -> str:
    """The rows as an HTML table with headed columns; a cell's full text is its title."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("line", *question.columns))
    body = "".join(
        f'<tr><th scope="row">{number}</th>'
        + "".join(f'<td title="{escape(cell)}">{escape(cut(cell))}</td>' for cell in row)
        + "</tr>"
        for number, row in enumerate(question.rows, 1)
    )
    style = "line-height:1.4; text-align:left; border-spacing:0.8em 0"  # twenty lines fit on one screen
    return f'<table style="{style}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _short_text(question: ShortText) -> widgets.Widget:
    control = widgets.Textarea(
        description=f"Your words (at most {question.words}):", rows=2, style=_WIDE, layout={"width": "95%"}
    )

    def typed(change: Any) -> None:
        question.value = change["new"]

    def show(_: Any = None) -> None:
        control.value = question.value or ""

    control.observe(typed, "value")
    question.observe(show, "value")
    show()
    return control


def _text_file(question: TextFile) -> widgets.Widget:
    control = widgets.Textarea(
        description=question.file.path.name, rows=10, style=_WIDE, layout={"width": "95%", "height": "auto"}
    )

    def typed(change: Any) -> None:
        question.value = change["new"]

    def show(_: Any = None) -> None:
        control.value = question.value or ""

    control.observe(typed, "value")
    question.observe(show, "value")
    show()
    return control


# Where one step is the whole answer, choosing looks like answering: so it is said that Keep is still to come.
_CHOSEN = (Choice, PointAt)

# The first kind that fits draws the control, so a subclass stands before its base.
_CONTROLS: tuple[tuple[type[Question], Callable[[Any], widgets.Widget]], ...] = (
    (MultiChoice, _multi_choice),
    (Choice, _choice),
    (Order, _order),
    (PointAt, _point_at),
    (ShortText, _short_text),
    (TextFile, _text_file),
)
