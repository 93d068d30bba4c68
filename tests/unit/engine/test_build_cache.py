"""What BuildKit's cache takes on an engine: asked of an engine that may be busy, slow or of another make."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest
import requests

from layerlab.engine.live.belongings import build_cache_bytes


def engine_that(answers: Any) -> Any:
    def df() -> Any:
        if isinstance(answers, Exception):
            raise answers
        return answers

    return SimpleNamespace(client=SimpleNamespace(api=SimpleNamespace(df=df)))


@pytest.mark.parametrize(
    ("answer", "takes"),
    [
        ({"BuildCache": [{"Size": 5}, {"Size": None}, {}]}, 5),
        ({"BuildCache": None}, 0),
        ({}, 0),
        (docker.errors.APIError("a disk usage operation is already running"), None),
        (requests.ReadTimeout("read timed out"), None),
        (ConnectionResetError(), None),
    ],
)
def test_an_engine_that_can_not_say_it_now_stops_nothing(answer: Any, takes: int | None) -> None:
    assert build_cache_bytes(engine_that(answer)) == takes
