"""What is said of a transfer, live and replayed alike. Values and a shape; knows no address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["push", "pull", "fetch"]


@dataclass(frozen=True)
class Blob:
    """A packed layer as a registry keeps it.

    Attributes
    ----------
    digest
        SHA-256 of the packed bytes, by which it is asked for; its ``diff_id`` is that of the unpacked ones.
    size_bytes
        Packed.
    was_there
        The receiving end had it before, so it was not sent.
    """

    digest: str
    size_bytes: int
    was_there: bool


@dataclass(frozen=True)
class Transfer:
    """One image on its way: its layers, base-first, and how long it took."""

    kind: Kind
    blobs: tuple[Blob, ...]
    seconds: float

    @property
    def compressed_bytes(self) -> int:
        """All layers, packed: what a machine fetches that has none of them."""
        return sum(blob.size_bytes for blob in self.blobs)

    @property
    def sent_bytes(self) -> int:
        """The layers that were really sent, packed."""
        return sum(blob.size_bytes for blob in self.blobs if not blob.was_there)

    @property
    def sent(self) -> tuple[Blob, ...]:
        """The layers that were really sent."""
        return tuple(blob for blob in self.blobs if not blob.was_there)

    def __repr__(self) -> str:
        from layerlab.units import duration, size

        done = {"push": "pushed", "pull": "pulled", "fetch": "fetched"}[self.kind]
        return (
            f"{len(self.sent)} of {len(self.blobs)} layers {done}: {size(self.sent_bytes)} of "
            f"{size(self.compressed_bytes)} packed, in {duration(self.seconds)}"
        )


class Registry(Protocol):
    """A registry that is empty when it is opened and gone when it is closed."""

    def push(self, image: str) -> Transfer:
        """Push an image of ours. Raises ImageNotFound, PullFailed or NotRecorded."""

    def pull(self, image: str) -> Transfer:
        """Let the engine pull what was pushed: layers that it holds are not sent. Raises as `push` does."""

    def fetch(self, image: str, *, having: str | None = None) -> Transfer:
        """Fetch and unpack what was pushed, as a machine would that holds the layers of ``having`` and no others.

        Raises
        ------
        ImageNotFound
            It was not pushed to this registry.
        PullFailed
            What came is not what the image's configuration names.
        NotRecorded
        """

    def close(self) -> None:
        """End it; all it held is gone."""

    def __enter__(self) -> Registry:
        """Return itself."""

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
