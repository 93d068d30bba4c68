"""Each check on real images: what passes passes, and each is seen failing on an image that has the fault."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from uuid import uuid4

import pytest

from layerlab.build import BuildResult
from layerlab.checks import Check, Sizes, behaviour, decided, static
from layerlab.checks.size import luggage, smaller
from layerlab.dockerfile import parse
from layerlab.engine.protocol import Engine
from layerlab.errors import LayerLabError, NotRecorded
from layerlab.lab.lab import Lab, open_lab
from layerlab.probe import Contents, Probe

HEAD = "ARG PY_MINOR=3.12\nFROM python:${PY_MINOR}-slim\nWORKDIR /app\n"
UVICORN = "uvicorn main:app --host 0.0.0.0 --port 8000"


@dataclass
class Attempt:
    """One Dockerfile on the live engine; everything is asked once, and an error is as good an answer."""

    lab: Lab
    app: str
    text: str

    @cached_property
    def built(self) -> BuildResult:
        return self.lab.begin(self.app, text=self.text).run()

    @cached_property
    def probed(self) -> Probe | LayerLabError:
        return self.ask()

    def ask(self, *, read_only: bool = False) -> Probe | LayerLabError:
        try:
            return self.lab.probe(self.built.image, read_only=read_only, stopping=not read_only)
        except LayerLabError as error:
            return error

    @cached_property
    def contents(self) -> Contents:
        return self.lab.contents(self.built.image)

    @property
    def sizes(self) -> Sizes:
        base = self.lab.base("slim")
        needed = self.contents.needed_bytes(self.lab.contents(base))
        return Sizes(base.size_bytes, needed, self.built.image.added_bytes(base) - needed)


@pytest.fixture(scope="module")
def lab(engine: Engine) -> Lab:
    found = open_lab("test", engine=engine)
    found.base("slim")
    return found


@pytest.fixture(scope="module")
def base(lab: Lab) -> Contents:
    return lab.contents(lab.base("slim"))


@pytest.fixture(scope="module")
def v1(lab: Lab) -> Attempt:
    return Attempt(lab, "service", lab.file("service", "Dockerfile.v1-slim").content)


@pytest.fixture(scope="module")
def v2(lab: Lab) -> Attempt:
    return Attempt(lab, "service", lab.file("service", "Dockerfile.v2-multistage").content)


@pytest.fixture(scope="module")
def single(lab: Lab) -> Attempt:
    return Attempt(lab, "native", lab.file("native", "Dockerfile.single").content)


@pytest.fixture(scope="module")
def two_stages(lab: Lab) -> Attempt:
    return Attempt(lab, "native", lab.file("native", "Dockerfile.two-stages").content)


def with_last(attempt: Attempt, *lines: str) -> Attempt:
    """The same service with another end: its CMD gives way to these lines."""
    kept = [line for line in attempt.text.splitlines() if not line.startswith("CMD")]
    return Attempt(attempt.lab, attempt.app, "\n".join([*kept, *lines, ""]))


def status(check: Check, wanted: str, *found: str) -> None:
    assert check.status == wanted, check
    for words in found:
        assert words in (check.found if wanted == "FAIL" else check.why), check


def test_serving_and_answering(v1: Attempt, v2: Attempt) -> None:
    status(behaviour.serves(v1.probed), "PASS", "/health → 200")
    status(behaviour.builds(v1.built), "PASS", "steps went through")
    assert isinstance(v1.probed, Probe)
    status(behaviour.same_answers(v1.probed, v2.probed), "PASS", "/health")
    other = v1.lab.file("service", "main.py").content.replace("healthy", "fine")
    assert other != v1.lab.file("service", "main.py").content
    changed = v1.lab.begin("service", text=v1.text, changed={"main.py": other}).run()
    status(behaviour.same_answers(v1.probed, v1.lab.probe(changed.image)), "FAIL", "fine")


def test_a_service_that_does_not_start_says_why(lab: Lab, v1: Attempt) -> None:
    bare = Attempt(lab, "service", f'{HEAD}COPY main.py .\nCMD ["python", "main.py"]\n')
    status(behaviour.serves(bare.probed), "FAIL", "No module named 'fastapi'")
    assert isinstance(v1.probed, Probe)
    status(behaviour.same_answers(v1.probed, bare.probed), "FAIL", "fastapi")
    status(behaviour.stops(bare.probed), "SKIP")


def test_a_build_that_fails_names_the_line(lab: Lab) -> None:
    try:
        lab.begin("native", text=f"{HEAD}RUN gcc --version\n").run()
    except LayerLabError as error:
        status(behaviour.builds(error), "FAIL", "line 4", "gcc: not found")
    else:
        pytest.fail("slim holds a compiler")


def test_root_and_another_user(v1: Attempt) -> None:
    status(behaviour.not_root(v1.probed), "FAIL", "uid 0")
    other = with_last(v1, "USER 10001", f"CMD {UVICORN.split()}".replace("'", '"'))
    file = parse(other.text)
    line = next(one.line for one in file.instructions if one.keyword == "USER")
    status(behaviour.not_root(other.probed, dockerfile=file), "PASS", f"10001 because of line {line}")
    status(behaviour.serves(other.probed), "PASS")


def test_packages_of_root_are_closed_to_others(v2: Attempt) -> None:
    other = with_last(v2, "USER 10001", f"CMD {UVICORN.split()}".replace("'", '"'))
    status(behaviour.serves(other.probed), "FAIL", "uvicorn")


def test_writing_at_the_start(v1: Attempt) -> None:
    status(behaviour.read_only(v1.ask(read_only=True)), "PASS")
    writes = with_last(v1, f'CMD ["sh", "-c", "touch /app/started && exec {UVICORN}"]')
    status(behaviour.serves(writes.probed), "PASS")
    status(behaviour.read_only(writes.ask(read_only=True)), "FAIL", "Read-only file system")


def test_a_shell_that_keeps_the_signal(v1: Attempt) -> None:
    status(behaviour.stops(v1.probed), "PASS")
    # With one command alone some shells make way for it (dash from 0.5.11 on); with a second one none does.
    deaf = with_last(v1, f"CMD {UVICORN}; true")
    file = parse(deaf.text)
    status(behaviour.stops(deaf.probed, dockerfile=file), "FAIL", "killed after", "started by line")


def test_a_compiler_that_stays(single: Attempt, two_stages: Attempt, base: Contents) -> None:
    for attempt, wanted in ((single, "FAIL"), (two_stages, "PASS")):
        status(behaviour.no_compiler_added(attempt.contents, base), wanted)
    status(luggage(single.sizes), "FAIL")
    status(smaller(single.built.image.size_bytes, two_stages.built.image.size_bytes, share=0.6), "PASS")
    status(smaller(two_stages.built.image.size_bytes, single.built.image.size_bytes), "FAIL")


def test_an_installer_that_comes_along(lab: Lab, v2: Attempt, two_stages: Attempt, base: Contents) -> None:
    status(behaviour.no_installer_added(v2.contents, base, copied_files=lab.copied("service", text=v2.text)), "PASS")
    # The environment was made with a pip of its own.
    copied_files = lab.copied("native", text=two_stages.text)
    status(
        behaviour.no_installer_added(two_stages.contents, base, copied_files=copied_files), "FAIL", "site-packages/pip"
    )
    status(behaviour.no_installer_added(two_stages.contents, base), "FAIL", "pip in /opt/venv")
    status(luggage(two_stages.sizes, copied_files=copied_files), "FAIL", "pip")


def test_an_installer_that_a_later_layer_hides(lab: Lab, base: Contents) -> None:
    copied = "COPY --from=builder /usr/local/bin /usr/local/bin\n"
    builder = HEAD.replace("slim\n", "slim AS builder\n")
    builder += "RUN head -c 3000000 /dev/zero > /usr/local/bin/uv && chmod +x /usr/local/bin/uv\n"
    last = HEAD.partition("\n")[2] + copied + "COPY main.py .\nRUN rm /usr/local/bin/uv\n"
    hidden = Attempt(lab, "service", builder + last)
    status(behaviour.no_installer_added(hidden.contents, base), "PASS")  # what a look at the container would say
    copied_files = lab.copied("service", text=hidden.text)
    line = hidden.text.splitlines().index(copied.strip()) + 1
    found = behaviour.no_installer_added(hidden.contents, base, copied_files=copied_files)
    status(found, "FAIL", f"line {line}", "/usr/local/bin/uv, 3.00 MB")
    status(luggage(hidden.sizes, copied_files=copied_files), "FAIL", f"line {line}")


def test_what_runs_again_after_an_edit(lab: Lab, v1: Attempt) -> None:
    late = f"{HEAD}COPY main.py .\nRUN echo 1 > /one\nRUN echo 2 > /two\n"
    for attempt, wanted in ((v1, "PASS"), (Attempt(lab, "service", late), "FAIL")):
        assert attempt.built
        # An edit that no earlier run made: its steps may still lie in the engine's cache.
        edited = lab.file("service", "main.py").content + f"\n# edited by a test, {uuid4()}\n"
        # no_cache would run everything: the first of two equal builds is the one that fills the cache.
        again = lab.begin("service", text=attempt.text, changed={"main.py": edited}, no_cache=False).run()
        lab.engine.remove(again.image.id) if again.image.id != attempt.built.image.id else None
        ran = [step.line for step in again.steps if not step.is_cached]
        foretold = [one.line for one in lab.reruns("service", text=attempt.text, changed="main.py")]
        file = parse(attempt.text)
        status(static.rebuild(file, foretold), wanted)
        status(static.rebuild(file, ran), wanted)


def test_what_cannot_be_measured_is_skipped(base: Contents) -> None:
    def ask() -> Check:
        raise NotRecorded("The recordings do not hold this step.")

    assert decided("luggage", ask).status == "SKIP"
    status(behaviour.serves(NotRecorded("not recorded")), "SKIP", "the recordings do not hold the answer")
