"""Two questions to an engine over its unix socket, with nothing but the standard library.

Knows `/_ping` and `/info`; everything else is asked through the Docker SDK in `live`.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from layerlab.engine.private.places import paths


def is_running() -> bool:
    """Say whether the private engine answers, within a millisecond or so and without looking at processes.

    An engine whose containerd was killed still answers, and can do nothing: that one does not count.
    """
    where = paths()
    return answers(where.socket) and not is_deserted(where.containerd_socket)


def answers(address: Path, *, seconds: float = 2.0) -> bool:
    """Say whether an engine answers ``/_ping`` on the socket ``address`` within ``seconds``."""
    if not hasattr(socket, "AF_UNIX"):  # Python on Windows has none
        return False
    try:
        status, body = _get(address, "/_ping", seconds=seconds)
    except (OSError, ValueError):
        return False
    return status == 200 and body.strip() == b"OK"


def is_deserted(address: Path) -> bool:
    """Say whether nobody listens on a socket; False for one that may not be opened."""
    if not hasattr(socket, "AF_UNIX"):
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(address))
        except (FileNotFoundError, ConnectionRefusedError):
            return True
        except OSError:
            return False
    return False


def info(address: Path, *, seconds: float = 20.0) -> dict[str, Any]:
    """Read ``/info``: the storage driver (``Driver``), ``ServerVersion``, ``DockerRootDir``, warnings.

    Raises
    ------
    OSError
        If nothing answers, or the answer is no JSON object.
    """
    import json

    status, body = _get(address, "/info", seconds=seconds)
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise OSError(f"The engine at {address} answered /info with something that is no JSON.") from error
    if status != 200 or not isinstance(answer, dict):
        raise OSError(f"The engine at {address} answered /info with HTTP status {status}.")
    return answer


def _get(address: Path, path: str, *, seconds: float) -> tuple[int, bytes]:
    # HTTP/1.0, so that the engine sends no chunks and closes when it is done: read to the end and split.
    # http.client would do, but costs an import of 30 ms.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        connection.connect(str(address))
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    first_line = head.split(b"\r\n", 1)[0].split()
    if len(first_line) < 2 or not first_line[1].isdigit():
        raise ValueError(f"{address} does not speak HTTP")
    return int(first_line[1]), body
