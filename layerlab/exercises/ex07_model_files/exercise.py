"""Exercise 07: which images carry the model, an image without it, a service that says at its start what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from layerlab.checks import Check, judge
from layerlab.exercises.ex07_model_files import checks
from layerlab.exercises.ex07_model_files import mistakes as slips
from layerlab.exercises.ex07_model_files.recipes import RECIPES, Carriers, named
from layerlab.exercises.ex07_model_files.trial import MountedTrial, fetched
from layerlab.exercises.kit import file_checks
from layerlab.exercises.kit.bench import built
from layerlab.exercises.kit.exercise import Exercise
from layerlab.exercises.kit.file_task import FileTask
from layerlab.exercises.kit.mistake import Mistake
from layerlab.exercises.kit.texts import Texts
from layerlab.exercises.kit.trial import Trial
from layerlab.widgets.questions import MultiChoice, Question
from layerlab.widgets.waiting import waiting

APP = "exercise07/birds"
CARRY, OUT, EARLY = "q1-carry", "q2-out", "q3-early"
OUT_FILE, EARLY_FILE = "q2-out-file", "q3-early-file"
PATHS = ("/health", "/birds/75")
NAMES = tuple(map(named, RECIPES))


def _given(file: str, starter: str, says: str, *, counts: str = "") -> FileTask:
    return FileTask(
        file=file,
        app=APP,
        starter=starter,
        parts=frozenset({"editor", "diff", "attempts"}),
        before="Dockerfile.today",
        paths=PATHS,
        counts=counts,
    )


class ModelFiles(Exercise):
    """A large file handed to a container when it starts, and missed at once where it is not there."""

    texts = Texts.beside(__file__)
    tasks = {CARRY: (CARRY,), OUT: (OUT_FILE,), EARLY: (EARLY_FILE,)}  # noqa: RUF012
    files = {  # noqa: RUF012
        OUT_FILE: _given(
            "Dockerfile",
            "Dockerfile.today",
            "Change the file so that the image holds no model. Its containers get a folder with birds.model mounted at "
            "/app/models, read-only, and must answer as today.",
        ),
        EARLY_FILE: _given(
            "Dockerfile.early",
            "Dockerfile.mounted",
            "Change the file so that a container without its model ends at once, with an exit code other than 0 and a "
            "line that names the file. With the model it must answer as today.",
            counts="ends at start",
        ),
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._carriers: Carriers | None = None

    @property
    def carriers(self) -> Carriers:
        """The four recipes, built and weighed."""
        if self._carriers is None:
            base = self.bench.base("slim")
            with waiting("building four images"):
                images = {
                    named(letter): built(self.bench.begin(APP, dockerfile=file), f"image {letter}").image
                    for letter, (file, _) in RECIPES.items()
                }
            model = fetched(self.bench.folder(APP) / "fetch_model.py")
            added = {name: image.added_bytes(base) for name, image in images.items()}
            self._carriers = Carriers(added, model.stat().st_size)
        return self._carriers

    def _trial(self, id: str, text: str) -> Trial:
        return MountedTrial(self.bench, self.files[id], text, tag=self._tag(id), remembered=self._remembered)

    def _make(self, id: str) -> Question:
        asked = "Which of the four images carry the model to every machine that pulls them?"
        return MultiChoice(id, asked, NAMES, answers=self.answers)

    def _judge(self, task: str, values: Mapping[str, Any]) -> Sequence[Check]:
        picked = values[CARRY]
        spare = [name for name in picked if not self.carriers.carries(name)]
        missed = [name for name in NAMES if self.carriers.carries(name) and name not in picked]
        told = self.carriers.told
        return (
            judge(
                "nothing spare",
                not spare,
                found=", ".join(map(told, spare)),
                wanted="only images that hold the model",
                because="; ".join(map(told, NAMES)),
                not_yet="that is less than the model itself weighs.",
                look="Which line of that recipe would have written it?",
            ),
            judge(
                "nothing missed",
                not missed,
                found=f"{len(missed)} more that {'holds' if len(missed) == 1 else 'hold'} it",
                wanted="every image that holds the model, shown or hidden",
                because="each of these adds at least as much as the model weighs",
                not_yet="somebody would ship it without knowing.",
                look="In which other recipe does a line write the model into a layer that is shipped?",
            ),
        )

    def _try(self, task: str, trial: Trial) -> Iterator[Check]:
        mounted = cast(MountedTrial, trial)
        yield file_checks.reads(trial)
        yield file_checks.builds(trial)
        yield file_checks.serves(trial)
        yield file_checks.same_answers(trial)
        yield checks.no_model_inside(mounted)
        if task == EARLY:
            yield checks.ends_at_start(mounted)
            yield checks.says_why(mounted)
            yield checks.empty_folder(mounted)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What people take for out of the image, and for early."""
        out, early = slips.slips_out(self.starter(OUT_FILE)), slips.slips_early(self.starter(EARLY_FILE))
        return (
            *_WRONG_CHOICES,
            *(Mistake(name, OUT, {OUT_FILE: text}, check) for name, text, check in out),
            *(Mistake(name, EARLY, {EARLY_FILE: text}, check) for name, text, check in early),
        )

    @property
    def neighbours(self) -> Mapping[str, Sequence[str]]:
        """The solutions, other ways to them, and edits on the way."""
        return {
            OUT_FILE: slips.neighbours_out(self.starter(OUT_FILE)),
            EARLY_FILE: slips.neighbours_early(self.starter(EARLY_FILE)),
        }


_WRONG_CHOICES = (
    Mistake("what is removed is gone", CARRY, {CARRY: [named("A"), named("C")]}, "nothing missed"),
    Mistake("a builder is thrown away", CARRY, {CARRY: [named("A"), named("B")]}, "nothing missed"),
    Mistake("a mount copies it in", CARRY, {CARRY: list(NAMES)}, "nothing spare"),
    Mistake("none but the first", CARRY, {CARRY: [named("A")]}, "nothing missed"),
)

EXERCISE = ModelFiles
