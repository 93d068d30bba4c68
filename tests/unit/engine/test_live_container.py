"""A container on a live engine, played by a made-up one: what is said of one that ends while it is asked."""

from __future__ import annotations

from typing import Any

import pytest

from layerlab.engine.live.containers import LiveContainer
from layerlab.errors import DoesNotServe

PUBLISHED = {"8000/tcp": [{"HostPort": "1"}]}  # nobody listens on port 1 of this machine


def state(*, running: bool, ports: dict[str, Any]) -> dict[str, Any]:
    return {"State": {"Running": running, "ExitCode": 1}, "NetworkSettings": {"Ports": ports}}


class Ending:
    """A container of the SDK that has ended by the time it is looked at for the last time."""

    id = "4711"

    def __init__(self, *states: dict[str, Any]) -> None:
        self.coming = list(states)
        self.attrs = states[0]

    def reload(self) -> None:
        self.attrs = self.coming.pop(0) if len(self.coming) > 1 else self.coming[0]

    def logs(self) -> bytes:
        return b"ImportError: libqrencode.so.4"


def asked(*states: dict[str, Any]) -> str:
    container = LiveContainer(Ending(*states), endpoint="unix:///nowhere.sock", journal=None)
    with pytest.raises(DoesNotServe) as told:
        container.request("/health", wait_seconds=0.1)
    return str(told.value)


@pytest.mark.parametrize("looks", range(4))
def test_a_container_that_ends_while_it_is_asked_is_told_by_its_last_lines(looks: int) -> None:
    told = asked(*[state(running=True, ports=PUBLISHED)] * looks, state(running=False, ports={}))
    assert "ended with exit code 1" in told
    assert "libqrencode.so.4" in told


def test_a_port_that_nobody_published_is_said() -> None:
    assert "is not published" in asked(state(running=True, ports={}))
