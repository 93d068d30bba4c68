"""How much work a service is until it answers: processor time of its first process. Judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlab.engine.protocol import StartRequest
from layerlab.errors import DoesNotServe

if TYPE_CHECKING:
    from layerlab.engine.protocol import Container, Engine

# Containers that are started alike share one recording; each of several starts needs one of its own.
_NUMBER = "LAYERLAB_START"
# proc(5): behind the name in brackets come the state and then, as 12th and 13th, utime and stime in ticks.
_USED = (
    "import os; said = open('/proc/1/stat').read().rpartition(')')[2].split(); "
    "print((int(said[11]) + int(said[12])) / os.sysconf('SC_CLK_TCK'))"
)


def start_work(
    engine: Engine,
    image: str,
    *,
    path: str = "/health",
    port: int = 8000,
    starts: int = 3,
    wait_seconds: float = 60.0,
) -> tuple[float, ...]:
    """Start containers one after the other, and return the processor seconds that each took until it answered.

    Parameters
    ----------
    starts
        How many. The least counts, because other programs can only make a start take more; how far the others are
        from it says how much of a difference is noise.

    Raises
    ------
    DoesNotServe
        One answered nothing, or has no Python that reads what the system counted.
    ImageNotFound, NotRecorded

    Notes
    -----
    Processor time instead of time on the clock: it does not grow while the machine has other things to do, and
    where it has none, it is about what one waits. It does vary by some per cent, since programs share caches.
    """
    return tuple(_one(engine, image, number, path, port, wait_seconds) for number in range(1, starts + 1))


def _one(engine: Engine, image: str, number: int, path: str, port: int, wait_seconds: float) -> float:
    with engine.start(StartRequest(image=image, ports=(port,), env={_NUMBER: str(number)})) as container:
        container.request(path, port=port, wait_seconds=wait_seconds)
        return _used(container)


def _used(container: Container) -> float:
    told = container.exec(["python3", "-B", "-c", _USED])
    try:
        return float(told.output)
    except ValueError as error:
        said = told.output.strip() or "nothing"
        raise DoesNotServe(
            f"The container answers, and what its first process has used cannot be read: Python said {said!r}."
        ) from error
