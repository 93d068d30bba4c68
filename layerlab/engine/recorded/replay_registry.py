"""Transfers written down and played back. Of the registry nothing is kept, neither its address nor a digest's path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from layerlab.engine.recorded.store import Payload, Store, digest
from layerlab.engine.registry import Blob, Kind, Registry, Transfer
from layerlab.errors import NotRecorded

ChainOf = Callable[[str], str]


class _Journey:
    """What makes a transfer the one it is: the image, and what the registry had been sent before, in order."""

    def __init__(self, chain_of: ChainOf) -> None:
        self._chain_of = chain_of
        self._pushed: list[str] = []

    def key(self, kind: Kind, image: str, having: str | None = None) -> str:
        chain, other = self._chain_of(image), self._chain_of(having) if having else None
        return digest("transfer", kind, chain, other, self._pushed if kind == "push" else None)

    def pushed(self, image: str) -> None:
        chain = self._chain_of(image)
        if chain not in self._pushed:
            self._pushed.append(chain)


class RecordingRegistry:
    """See `layerlab.engine.registry.Registry`; passes everything on, and writes down what came of it."""

    def __init__(self, live: Registry, recordings: Store, chain_of: ChainOf) -> None:
        self._live = live
        self._recordings = recordings
        self._journey = _Journey(chain_of)

    def push(self, image: str) -> Transfer:
        """Push an image."""
        key = self._journey.key("push", image)
        done = self._note(key, self._live.push(image))
        self._journey.pushed(image)
        return done

    def pull(self, image: str) -> Transfer:
        """Let the engine pull what was pushed."""
        return self._note(self._journey.key("pull", image), self._live.pull(image))

    def fetch(self, image: str, *, having: str | None = None) -> Transfer:
        """Fetch what a machine lacks."""
        return self._note(self._journey.key("fetch", image, having), self._live.fetch(image, having=having))

    def close(self) -> None:
        """End the live one."""
        self._live.close()

    def __enter__(self) -> RecordingRegistry:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _note(self, key: str, done: Transfer) -> Transfer:
        self._recordings.write("transfers", key, asdict(done))
        return done


class ReplayedRegistry:
    """See `layerlab.engine.registry.Registry`; answers what was measured when it was recorded."""

    def __init__(self, recordings: Store, chain_of: ChainOf) -> None:
        self._recordings = recordings
        self._journey = _Journey(chain_of)

    def push(self, image: str) -> Transfer:
        """Return the recorded push."""
        done = self._read("Pushing", "push", image)
        self._journey.pushed(image)
        return done

    def pull(self, image: str) -> Transfer:
        """Return the recorded pull."""
        return self._read("Pulling", "pull", image)

    def fetch(self, image: str, *, having: str | None = None) -> Transfer:
        """Return the recorded fetch."""
        return self._read("Fetching", "fetch", image, having)

    def close(self) -> None:
        """Do nothing: there is no process."""

    def __enter__(self) -> ReplayedRegistry:
        return self

    def __exit__(self, *exc_info: object) -> None:
        return None

    def _read(self, verb: str, kind: Kind, image: str, having: str | None = None) -> Transfer:
        found = self._recordings.read("transfers", self._journey.key(kind, image, having))
        if found is None:
            after = f" for a machine that has {having}" if having else ""
            raise NotRecorded(
                f"{verb} {image}{after} is not recorded, or not in this order. Start an engine (`layerlab doctor` "
                "says how), and do it for real."
            )
        return _transfer(found)


def _transfer(found: Payload) -> Transfer:
    return Transfer(found["kind"], tuple(Blob(**one) for one in found["blobs"]), float(found["seconds"]))
