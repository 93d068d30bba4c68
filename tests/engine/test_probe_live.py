"""What real images say of themselves: on the user site, in a venv, as another user, on musl, and without a Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlab import bases
from layerlab.engine.protocol import Engine
from layerlab.errors import EngineRefused, ImageNotFound
from layerlab.lab.lab import Lab, open_lab
from layerlab.probe import Contents, is_installer, start

PACKAGES = {"fastapi", "uvicorn", "pydantic", "pydantic-core", "starlette"}


@pytest.fixture(scope="module")
def lab(engine: Engine) -> Lab:
    return open_lab("test", engine=engine)


@pytest.fixture(scope="module")
def base(lab: Lab) -> Contents:
    return lab.contents(lab.base("slim"))


def own(lab: Lab, base: Contents, app: str, dockerfile: str, text: str | None = None) -> Contents:
    return lab.contents(lab.begin(app, text=text, dockerfile=dockerfile).run().image).added_to(base)


def test_a_base_lists_its_own_pip_and_nothing_else(base: Contents) -> None:
    names = {one.name for one in base.distributions}
    assert "pip" in names and not names & PACKAGES
    assert {"pip", "sh"} <= {tool.name for tool in base.tools}
    assert not {"gcc", "uv"} & {tool.name for tool in base.tools}
    assert all(one.size_bytes > 0 for one in base.distributions)


def test_the_same_packages_weigh_the_same_wherever_they_are_installed(lab: Lab, base: Contents) -> None:
    plain = own(lab, base, "service", "Dockerfile.v1-slim")
    user_site = own(lab, base, "service", "Dockerfile.v2-multistage")
    weights = [{one.name: one.size_bytes for one in found.distributions} for found in (plain, user_site)]
    assert weights[0] == weights[1] and set(weights[0]) >= PACKAGES
    assert {one.folder.split("/lib/")[0] for one in user_site.distributions} == {"/root/.local"}
    # The working folder also holds requirements.txt in v1, which v2 leaves in its builder.
    sizes = {name: (lab.folder("service") / name).stat().st_size for name in ("main.py", "requirements.txt")}
    assert (plain.application_bytes, user_site.application_bytes) == (sum(sizes.values()), sizes["main.py"])


def test_the_python_of_the_start_command_is_asked_even_off_the_path(lab: Lab, base: Contents) -> None:
    text = lab.file("native", "Dockerfile.two-stages").content
    found = own(lab, base, "native", "Dockerfile.two-stages", text)
    before, _, last = text.rpartition("ENV PATH=/opt/venv/bin:$PATH\n")
    off = before + last.replace('CMD ["uvicorn"', 'USER 10001\nCMD ["/opt/venv/bin/uvicorn"')
    hidden = own(lab, base, "native", "mine", off)
    assert found.distributions == hidden.distributions
    assert {"distance", "pip"} <= {one.name for one in found.distributions}
    assert found.python.startswith("/opt/venv/bin/python") and hidden.python.startswith("/opt/venv/bin/python")


def test_a_service_that_is_its_entrypoint_is_asked_while_it_runs(lab: Lab, base: Contents) -> None:
    text = lab.file("service", "Dockerfile.v1-slim").content.replace("CMD [", "ENTRYPOINT [")
    assert own(lab, base, "service", "mine", text) == own(lab, base, "service", "Dockerfile.v1-slim")


def test_an_image_without_a_python_is_unknown_not_empty(lab: Lab) -> None:
    image = lab.begin("service", text='FROM scratch\nCOPY main.py /\nCMD ["/none"]\n').run().image
    with pytest.raises(EngineRefused, match="no python3 on its PATH"):
        lab.contents(image)


def test_musl_and_busybox_answer_as_well(lab: Lab) -> None:
    reference = bases.BASES["musl"].reference(lab.py_minor)
    try:
        image = lab.image(reference)
    except ImageNotFound:
        pytest.skip(f"The engine does not hold {reference}; building it takes minutes.")
    found = lab.contents(image)
    assert "pip" in {one.name for one in found.distributions}
    assert "sh" in {tool.name for tool in found.tools} and "gcc" not in {tool.name for tool in found.tools}


# --- what a COPY --from carries ------------------------------------------------------------------


def test_what_is_carried_adds_up_to_the_layer(lab: Lab) -> None:
    image = lab.begin("native", dockerfile="Dockerfile.two-stages").run().image
    layer = next(one for one in image.layers if one.instruction.startswith("COPY --from=builder"))
    copied_files = lab.copied("native", "Dockerfile.two-stages")
    assert {item.line for item in copied_files} == {19}
    assert layer.size_bytes == sum(item.size_bytes for item in copied_files)
    by_path = {item.path: item for item in copied_files}
    assert by_path["/opt/venv/bin/uvicorn"].owner == "uvicorn" and by_path["/opt/venv/bin/uvicorn"].is_executable
    assert {item.owner for item in copied_files if is_installer(item)} == {"pip", "setuptools"}
    assert not any(item.in_base for item in copied_files)


def test_what_the_base_has_comes_a_second_time(lab: Lab) -> None:
    text = (
        "ARG PY_MINOR=3.12\nFROM python:${PY_MINOR}-slim AS builder\nRUN echo 1 > /usr/local/bin/mine\n"
        "RUN chmod +x /usr/local/bin/mine && mkdir /data && echo 22 > /data/a && echo 22 > /data/b\n"
        "FROM python:${PY_MINOR}-slim\nARG PY_MINOR\nWORKDIR /app\n"
        "ENV SITE=/usr/local/lib/python${PY_MINOR}/site-packages\nCOPY --from=builder ${SITE} ${SITE}\n"
        "COPY --from=builder /usr/local/bin /usr/local/bin\nCOPY --from=builder /data/a /data/b files/\n"
    )
    copied_files = lab.copied("service", text=text)
    pip = next(item for item in copied_files if item.path.endswith("site-packages/pip"))
    assert (pip.line, pip.owner, pip.in_base) == (9, "pip", True)
    programs = {item.path: item for item in copied_files if item.line == 10}
    of_pip = [item for item in programs.values() if item.owner == "pip"]  # some of its names are links
    assert of_pip and all(item.in_base and item.is_executable for item in of_pip)
    mine = programs["/usr/local/bin/mine"]
    assert (mine.size_bytes, mine.owner, mine.is_executable, mine.in_base) == (2, None, True, False)
    files = [(item.path, item.size_bytes, item.in_base) for item in copied_files if item.line == 11]
    assert files == [("/app/files/a", 3, False), ("/app/files/b", 3, False)]


def test_without_a_copy_from_nothing_rides_along(lab: Lab) -> None:
    lab.base("slim")
    assert lab.copied("service", "Dockerfile.v1-slim") == ()


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [("sleep 60", None, "Still runs, and never answered"), ("echo no model; exit 3", 3, "Ended with exit code 3")],
)
def test_a_start_that_never_answers_is_told_and_its_container_goes(
    lab: Lab, tmp_path: Path, command: str, code: int | None, says: str
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {bases.resolve(lab.engine, 'slim').reference}\nCMD {command}\n")
    image = lab.begin(tmp_path).run().image
    begun = start(lab.engine, image.id, wait_seconds=1)
    assert (begun.answer, begun.exit_code) == (None, code)
    assert says in repr(begun)
    assert lab.client.containers.list(all=True, filters={"ancestor": image.id}) == []
    lab.engine.remove(image.id)


def test_a_service_without_its_model_ends_before_it_answers(lab: Lab, tmp_path: Path) -> None:
    image = lab.begin("model", dockerfile="Dockerfile.mounted").run().image
    (tmp_path / "models").mkdir(mode=0o755)
    empty = {str(tmp_path / "models"): "/app/models:ro"}
    for begun, told in ((lab.starts(image), "Mount the folder"), (lab.starts(image, mounts=empty), "spelled right")):
        assert begun.ended and begun.exit_code != 0
        assert "There is no /app/models/model.bin" in begun.last_words[0] and told in begun.last_words[0]
