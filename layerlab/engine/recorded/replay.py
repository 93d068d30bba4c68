"""What all builds that are played back have in common: they run nothing, and may be cancelled before any event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from layerlab.engine.protocol import BuildRequest, RawEvent
from layerlab.engine.recorded.chains import Chains
from layerlab.engine.recorded.session_images import SessionImages
from layerlab.engine.recorded.steps import BuildEnvironment
from layerlab.engine.recorded.store import Store
from layerlab.errors import BuildCancelled


class Replay(ABC):
    """See `layerlab.engine.protocol.BuildHandle`. Events come at once and bear their recorded times."""

    def __init__(
        self, request: BuildRequest, *, recordings: Store, images: SessionImages, environment: BuildEnvironment
    ) -> None:
        self._request = request
        self._recordings = recordings
        self._chains = Chains(recordings)
        self._session_images = images
        self._around = environment
        self._cancelled = False
        self._image_id: str | None = None

    @property
    def image_id(self) -> str | None:
        """Full id of the image, once the events are exhausted and the build succeeded."""
        return self._image_id

    def cancel(self) -> None:
        """End the build before its next event."""
        self._cancelled = True

    def __iter__(self) -> Iterator[RawEvent]:
        """Yield the recorded events; raise NotRecorded where there are none."""
        for event in self._events():
            if self._cancelled:
                raise BuildCancelled(
                    "The build was cancelled; nothing of it stays behind. Run the cell to start again."
                )
            yield event

    @abstractmethod
    def _events(self) -> Iterator[RawEvent]:
        """Yield what was recorded."""

    def _made(self, image_id: str, chain: str) -> None:
        """Note the image that this build made, under the tag that was asked for."""
        self._image_id = image_id
        self._session_images.add(image_id, chain)
        if self._request.tag:
            self._session_images.tag(self._request.tag, image_id)
