"""One pull, read in a thread of its own. Knows nothing of names and digests, which are `registry`'s business."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

from layerlab.engine.protocol import Engine, RawEvent
from layerlab.errors import BuildCancelled, LayerLabError, NoNetwork, PullFailed


class Pull:
    """A pull read in a thread of its own: the engine's answer can be waited for with a limit only from outside."""

    def __init__(self, engine: Engine, reference: str) -> None:
        self._engine = engine
        self._reference = reference
        self._queue: queue.SimpleQueue[RawEvent | LayerLabError | BaseException | None] = queue.SimpleQueue()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let go of the pull at its next event; the engine ends it when nobody listens any more."""
        self._stopped.set()

    def events(
        self, *, cancelled: Callable[[], bool], first_answer_seconds: float, silence_seconds: float
    ) -> Iterator[RawEvent]:
        """Yield the engine's events; raise what the pull raised, NoNetwork or PullFailed for silence."""
        threading.Thread(target=self._read, name=f"pull {self._reference}", daemon=True).start()
        limit, answered = first_answer_seconds, False
        deadline = time.monotonic() + limit
        while True:
            try:
                one = self._queue.get(timeout=min(0.25, max(0.01, deadline - time.monotonic())))
            except queue.Empty:
                if cancelled():
                    raise BuildCancelled(
                        f"The pull of {self._reference} was cancelled. Run it again to go on."
                    ) from None
                if time.monotonic() >= deadline:
                    raise self._silence(limit, answered=answered) from None
                continue
            if one is None:
                return
            if isinstance(one, BaseException):
                raise one
            yield one
            limit, answered = silence_seconds, True
            deadline = time.monotonic() + limit

    def _read(self) -> None:
        events = self._engine.pull(self._reference)
        try:
            for event in events:
                if self._stopped.is_set():
                    return
                self._queue.put(event)
            self._queue.put(None)
        except BaseException as error:
            self._queue.put(error)

    def _silence(self, seconds: float, *, answered: bool) -> PullFailed:
        if answered:
            return PullFailed(
                f"The registry has sent nothing of {self._reference} for {seconds:.0f} s. "
                "Run it again; the layers that came are kept."
            )
        return NoNetwork(f"No registry answered for {self._reference} within {seconds:.0f} s")
