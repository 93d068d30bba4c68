"""What an engine says of a failed pull gets the error it deserves."""

from __future__ import annotations

import pytest

from layerlab.engine.live.translate import pull_failed, refused
from layerlab.errors import NoNetwork, PortTaken, PullFailed, RateLimited


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("toomanyrequests: You have reached your pull rate limit.", RateLimited),
        ("unexpected status code 429 Too Many Requests", RateLimited),
        ("received unexpected HTTP status: 429", RateLimited),
        ("manifest verification failed for digest sha256:41439fbf728333d94334429e10256c4f", PullFailed),
        ("dial tcp 127.0.0.1:42900: connect: connection refused", NoNetwork),
        ("dial tcp 127.0.0.1:429: connect: connection refused", NoNetwork),
    ],
)
def test_a_failed_pull(said: str, wanted: type[PullFailed]) -> None:
    assert type(pull_failed("python:3.12-slim", said)) is wanted


@pytest.mark.parametrize(
    "message",
    [
        "driver failed programming external connectivity: Bind for 0.0.0.0:8123 failed: port is already allocated",
        "Error starting userland proxy: listen tcp4 127.0.0.1:8123: bind: address already in use",
        "failed to bind host port for 127.0.0.1:8123:172.17.0.2:8000/tcp: address already in use",
        "failed to bind host port for [::1]:8123:172.17.0.2:8000/tcp: address already in use",
    ],
)
def test_a_taken_port_is_that_of_this_machine(message: str) -> None:
    error = refused(message)
    assert isinstance(error, PortTaken) and "Port 8123 of this machine" in str(error)
