"""Exceptions of the SDK, of requests and of sockets turned into ours: the one place that does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests
import urllib3

from layerlab.errors import (
    DiskFull,
    DockerfileError,
    EngineError,
    EngineGone,
    EnginePermission,
    EngineRefused,
    EngineUnreachable,
    ImageNotFound,
    LayerLabError,
    NoNetwork,
    PortTaken,
    PullFailed,
    RateLimited,
)

_LINE = re.compile(r"(?:parse error )?(?:on )?line (\d+)")
# The HTTP status by itself: a digest or a port that holds these three digits is none.
_TOO_MANY = re.compile(r"toomanyrequests|rate limit|(?<![0-9a-z:])429(?![0-9a-z])", re.IGNORECASE)
_TAKEN = re.compile(r"port is already allocated|address already in use|ports are not available", re.IGNORECASE)
# "failed to bind host port for 127.0.0.1:8000:172.17.0.2:80/tcp: …" (28.5), or "listen tcp4 127.0.0.1:8000: bind: …"
# and "Bind for 0.0.0.0:8000 failed: …" (20.10), where the port of this machine is the last one.
_HOST_PORT = re.compile(r"host port for (?:\[[^\]]*\]|[^\s:]*):(\d+)")
_PORT = re.compile(r":(\d+)\b")

TRANSPORT_ERRORS = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    TimeoutError,
)


@contextmanager
def translated(endpoint: str, *, image: str | None = None) -> Iterator[None]:
    """Raise our errors for whatever the SDK raises within."""
    try:
        yield
    except LayerLabError:
        raise
    except docker.errors.ImageNotFound as error:
        raise image_not_found(image or str(error.explanation)) from error
    except docker.errors.NotFound as error:
        if image and "image" in str(error.explanation).lower():
            raise image_not_found(image) from error
        raise refused(str(error.explanation)) from error
    except docker.errors.APIError as error:
        raise refused(str(error.explanation or error), image=image) from error
    except docker.errors.DockerException as error:
        raise unreachable(endpoint, error) from error
    except TRANSPORT_ERRORS as error:
        raise unreachable(endpoint, error) from error


def image_not_found(image: str) -> ImageNotFound:
    """Say that the engine holds no such image."""
    return ImageNotFound(f"The engine holds no image {image!r}. Build or pull it first, then ask again.")


def refused(message: str, *, image: str | None = None) -> EngineError | DockerfileError:
    """Give an engine's own error message the class it deserves."""
    if "no space left on device" in message:
        return DiskFull(
            f"The engine's disk is full: {message.strip()}. Free some space "
            "(`layerlab clean` removes what the course made), then run this cell again."
        )
    if _TAKEN.search(message):
        port = _HOST_PORT.findall(message) or _PORT.findall(message)
        which = f"Port {port[-1]}" if port else "The port"
        return PortTaken(
            f"{which} of this machine is in use by another program. "
            "Stop that program, or leave the port out and let the engine pick a free one."
        )
    if "dockerfile parse error" in message.lower() or "Dockerfile parse error" in message:
        match = _LINE.search(message)
        return DockerfileError(
            f"The engine cannot read this Dockerfile: {message.strip()}. Mend that line and build again.",
            line=int(match[1]) if match else None,
        )
    if image and "No such image" in message:
        return image_not_found(image)
    return EngineRefused(f"The engine refused: {message.strip()}.")


def unreachable(endpoint: str, error: BaseException) -> EngineError:
    """Tell apart a socket that may not be opened, one that is dead, and an engine that went away."""
    text = f"{error!r}"
    if "PermissionError" in text or "Permission denied" in text:
        return EnginePermission(
            f"The engine's socket at {endpoint} may not be opened by this user. "
            "Add the user to the `docker` group and log in again, or run `layerlab engine start` for an engine of ours."
        )
    # urllib3 wraps a refused connection in a ProtocolError as well; refused means that nothing had begun.
    was_refused = any(sign in text for sign in ("ConnectionRefusedError", "FileNotFoundError", "NewConnectionError"))
    signs_of_an_end = ("RemoteDisconnected", "IncompleteRead", "ProtocolError", "reset by peer")
    if not was_refused and any(sign in text for sign in signs_of_an_end):
        return gone(endpoint)
    return EngineUnreachable(
        f"No engine answers at {endpoint}. Start Docker, or run `layerlab engine start` for an engine of ours."
    )


def gone(endpoint: str) -> EngineGone:
    """Say that the engine stopped answering in the middle of something."""
    return EngineGone(
        f"The engine at {endpoint} stopped answering in the middle of a request. "
        "Start it again (`layerlab doctor` says how) and run this cell once more; finished steps are cached."
    )


def pull_failed(reference: str, message: str) -> PullFailed:
    """Give a registry's refusal the class it deserves."""
    low = message.lower()
    if _TOO_MANY.search(low):
        return RateLimited(
            f"The registry refuses to send {reference} for now: too many pulls from this address. Wait, "
            "`docker login`, or name a mirror of your own in LAYERLAB_BASE_PREFIX (as in `mirror.example/library/`)."
        )
    signs = (
        "no such host",
        "dial tcp",
        "connection refused",
        "i/o timeout",
        "network is unreachable",
        "tls handshake",
    )
    if any(sign in low for sign in (*signs, "x509", "client.timeout", "proxyconnect")):
        return NoNetwork(
            f"The registry of {reference} cannot be reached: {message.strip()}. "
            "Check the network and proxy (`layerlab doctor`), or name a mirror in LAYERLAB_BASE_PREFIX."
        )
    return PullFailed(f"{reference} did not arrive: {message.strip()}. Run it again; layers that came are kept.")
