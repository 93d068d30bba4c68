"""A push to and a fetch from a registry of the course's own, on the live engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asking import asked

from layerlab import build
from layerlab.engine.live import LiveEngine
from layerlab.engine.live.ownership import names_of
from layerlab.engine.live.registry import program
from layerlab.engine.registry import Registry
from layerlab.errors import ImageNotFound, NoRegistry

BIG, EDITED = "layerlab/registry-test:first", "layerlab/registry-test:second"
PAYLOAD = 400_000


@pytest.fixture(scope="module")
def registry(request: pytest.FixtureRequest, engine: LiveEngine) -> Iterator[Registry]:
    try:
        opened = engine.registry()
    except NoRegistry as error:
        pytest.fail(str(error)) if request.config.getoption("--require-engine") else pytest.skip(str(error))
    with opened:
        yield opened


@pytest.fixture(scope="module")
def images(engine: LiveEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("image")
    (folder / "big").write_bytes(os.urandom(PAYLOAD))
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY big /\nCOPY small /\n")
    for tag, content in ((BIG, "one"), (EDITED, "two")):
        (folder / "small").write_text(content)
        build.build(engine, asked(folder, tag=tag))
    yield
    for tag in (EDITED, BIG):
        assert names_of(engine.inspect(tag)) == {tag}, "a name that was lent takes its digest with it"
        engine.remove(tag)


@pytest.fixture
def registry_image(engine: LiveEngine, registry: Registry, slim: str, tmp_path: Path) -> Iterator[str]:
    """An image of the registry, which only a registry holds: pulled as the official one would be."""
    shutil.copy(program.program(print), tmp_path / "docker-registry")
    (tmp_path / "config.yml").write_text(
        "version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: ':5000'}\n"
    )
    (tmp_path / "Dockerfile").write_text(
        f"FROM {slim}\nCOPY docker-registry config.yml /\nVOLUME /var/lib/registry\nEXPOSE 5000\n"
        'CMD ["/docker-registry", "serve", "/config.yml"]\n'
    )
    built = build.build(engine, asked(tmp_path, tag="layerlab/registry-test:program"))
    reference = f"{registry._serving.address}/library/registry:2"  # type: ignore[attr-defined]
    engine.client.api.tag(built.image.id, reference)
    assert not any(event.data.get("error") for event in engine.push(reference))
    for name in (reference, "layerlab/registry-test:program"):
        engine.client.api.remove_image(name)
    yield reference
    engine.client.api.remove_image(reference)


def test_without_the_program_the_registrys_own_image_does(
    engine: LiveEngine, registry_image: str, images: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_here(say: Callable[[str], None]) -> Path:
        raise NoRegistry("No program here.")

    monkeypatch.setattr(program, "program", none_here)
    monkeypatch.setenv("LAYERLAB_REGISTRY_IMAGE", registry_image)
    volumes = _volumes(engine)
    with engine.registry() as opened:
        opened.push(BIG)
        second = opened.push(EDITED)
        assert [blob.was_there for blob in second.blobs] == [True, False]
        assert len(opened.fetch(EDITED, having=BIG).sent) == 1
    with pytest.raises(NoRegistry, match="Open one anew"):
        opened.push(BIG)
    held = [one["Image"] for one in engine.client.api.containers(all=True)]
    assert registry_image not in held
    assert _volumes(engine) == volumes


def test_where_neither_can_be_had_both_reasons_are_told(engine: LiveEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_here(say: Callable[[str], None]) -> Path:
        raise NoRegistry("No program here.")

    monkeypatch.setattr(program, "program", none_here)
    monkeypatch.setenv("LAYERLAB_REGISTRY_IMAGE", "127.0.0.1:9/library/registry:2")
    with pytest.raises(NoRegistry, match=r"No program here\. Nor can its image run in a container: .*127\.0\.0\.1:9"):
        engine.registry()


def test_the_second_push_sends_what_the_edit_changed(registry: Registry, images: None) -> None:
    first, second = registry.push(BIG), registry.push(EDITED)
    assert [blob.was_there for blob in first.blobs] == [False, False]
    assert PAYLOAD < first.sent_bytes == first.compressed_bytes < 1.05 * PAYLOAD + 2000
    assert [blob.was_there for blob in second.blobs] == [True, False]
    assert second.sent_bytes < 1000 and second.blobs[0] == registry.push(BIG).blobs[0]


def test_a_machine_fetches_what_it_lacks(registry: Registry, images: None) -> None:
    for tag in (BIG, EDITED):
        registry.push(tag)
    whole, rest = registry.fetch(EDITED), registry.fetch(EDITED, having=BIG)
    assert whole.sent_bytes == whole.compressed_bytes > PAYLOAD
    assert len(rest.sent) == 1 and rest.sent_bytes < 1000
    assert registry.pull(EDITED).sent_bytes == 0, "this engine has all of it"


def test_nothing_stays_on_the_engine(engine: LiveEngine, registry: Registry, images: None) -> None:
    registry.push(BIG)
    assert not any("transfer" in tag for raw in engine.images() for tag in raw.get("RepoTags") or ())
    with pytest.raises(ImageNotFound):
        registry.push("layerlab/registry-test:none")


def test_a_registry_that_was_closed_says_so(engine: LiveEngine, images: None) -> None:
    with engine.registry() as closed:
        closed.push(BIG)
    for ask in (closed.push, closed.fetch, closed.pull):
        with pytest.raises(NoRegistry, match="Open one anew"):
            ask(BIG)
    assert not any("transfer" in tag for raw in engine.images() for tag in raw.get("RepoTags") or ())


def _volumes(engine: LiveEngine) -> set[str]:
    """The names of all volumes: an engine lists them in no order."""
    return {str(one["Name"]) for one in engine.client.api.volumes()["Volumes"] or ()}
