"""Names that images bear for the time of a transfer: what fails when they are given or taken off is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest
from fake_engine import FakeEngine

from layerlab.engine.journal import Journal
from layerlab.engine.live import LiveEngine
from layerlab.engine.live.dialect import DOCKER
from layerlab.engine.live.registry.local import LocalRegistry
from layerlab.errors import EngineRefused, EngineUnreachable, ImageNotFound

NAME = "127.0.0.1:5000/layerlab/transfer:abc"


class Api:
    """The calls of the SDK's low-level client that names need, which answer or fail as they are told."""

    def __init__(self) -> None:
        self.dialect = DOCKER
        self.error: Exception | None = None
        self.called: list[tuple[Any, ...]] = []
        self.names = ["users/own:1", NAME]

    def inspect_image(self, reference: str) -> dict[str, Any]:
        if isinstance(self.error, docker.errors.NotFound):
            raise self.error
        return {"Id": "sha256:abc", "RepoTags": self.names}

    def import_image_from_data(self, data: bytes, *, repository: str, tag: str) -> None:
        self._call("import", repository, tag)

    def tag(self, image: str, repository: str, tag: str) -> None:
        self._call("tag", image, repository, tag)

    def remove_image(self, reference: str, *, noprune: bool) -> None:
        self._call("remove", reference, noprune)

    def _call(self, *call: Any) -> None:
        self.called.append(call)
        if self.error:
            raise self.error


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def engine(api: Api, tmp_path: Path) -> LiveEngine:
    client: Any = SimpleNamespace(api=api)
    return LiveEngine(client, FakeEngine().info, Journal(tmp_path / "journal.jsonl"))


def test_a_name_is_lent_and_taken_back(api: Api, engine: LiveEngine) -> None:
    with engine.lent_name("sha256:abc", NAME):
        assert api.called == [("tag", "sha256:abc", "127.0.0.1:5000/layerlab/transfer", "abc")]
    assert api.called == [
        ("tag", "sha256:abc", "127.0.0.1:5000/layerlab/transfer", "abc"),
        ("remove", NAME, True),
    ]


def test_the_only_name_of_an_image_moves_before_it_is_taken_off(api: Api, engine: LiveEngine) -> None:
    api.names = [NAME]
    engine.drop_name(NAME)
    assert api.called == [
        ("import", "127.0.0.1:5000/layerlab/transfer", "abc"),
        ("remove", NAME, True),
    ], "taking off the last name would delete the image"


def test_a_name_that_is_off_already_is_no_fault(api: Api, engine: LiveEngine) -> None:
    api.error = docker.errors.ImageNotFound("No such image: abc")
    engine.drop_name(NAME)
    with pytest.raises(ImageNotFound), engine.lent_name("sha256:abc", NAME):
        pass


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (docker.errors.APIError("conflict", explanation="image is being used"), EngineRefused),
        (ConnectionError("Connection refused"), EngineUnreachable),
    ],
)
def test_what_else_fails_is_not_swallowed(api: Api, engine: LiveEngine, error: Exception, wanted: type) -> None:
    api.error = error
    with pytest.raises(wanted):
        engine.drop_name(NAME)
    with pytest.raises(wanted), engine.lent_name("sha256:abc", NAME):
        pass


def test_a_push_that_fails_leaves_no_name(api: Api, engine: LiveEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(reference: str) -> Any:
        raise EngineRefused("The engine refused: no.")

    monkeypatch.setattr(engine, "inspect", lambda image: {"Id": "sha256:abcdefabcdef00"})
    monkeypatch.setattr(engine, "push", fails)
    serving: Any = SimpleNamespace(address="127.0.0.1:5000", stop=lambda: None)
    with pytest.raises(EngineRefused), LocalRegistry(engine, serving) as registry:
        registry.push("layerlab/mine")
    assert [call[0] for call in api.called] == ["tag", "remove"]
