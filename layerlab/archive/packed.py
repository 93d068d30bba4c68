"""What a layer takes packed, as a registry keeps it: the blob's own size, or measured by packing it into nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerlab.archive.packing import Packing  # not loaded here: it brings a library that reads zstd

# What a push of the classic image store uses: Go's gzip.NewWriter (moby, distribution/push.go), whose default is 6.
# zlib's level 6 takes the same decisions, and need not come to the same byte.
LEVEL = 6
_AS_GZIP = 31  # zlib's number for a gzip header and trailer


@dataclass(frozen=True)
class PackedLayer:
    """How many bytes a layer takes packed.

    Attributes
    ----------
    packing
        How its blob lay: packed, then ``compressed_bytes`` is the size that a manifest gives it; or plain, then it was
        packed with gzip at level 6 for the measurement.
    """

    diff_id: str
    compressed_bytes: int
    packing: Packing

    @property
    def is_packed_here(self) -> bool:
        """True where nobody had packed it, so that another packer may come to a slightly other figure."""
        return self.packing == "plain"


def gzipped_bytes(pieces: Iterable[bytes | memoryview]) -> int:
    """Return how many bytes these take as gzip; keeps neither them nor what comes of them."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _AS_GZIP)
    count = sum(len(packer.compress(piece)) for piece in pieces)
    return count + len(packer.flush())
