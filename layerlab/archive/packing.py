"""How a blob is packed: plain, gzip or zstd, told from its first bytes; unpacked as a stream within bounds."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any, Literal

import zstandard

from layerlab import units
from layerlab.errors import ArchiveError

Packing = Literal["plain", "gzip", "zstd"]

_PIECE = 1 << 20
_AS_GZIP = 31  # zlib's number for a gzip header and trailer
_WINDOW = 1 << 27  # the largest window that the zstd tool itself accepts without being told to
# Deflate shrinks to a thousandth at most, and only what is all alike; real layers stay above a twentieth.
_FREE_BYTES = 1 << 30
_MOST_TIMES = 200


def packing(head: bytes) -> Packing:
    """Tell from the first bytes of a blob how it is packed."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") else "plain"


def unpacked(chunks: Iterator[bytes], how: Packing, *, packed_bytes: int | None = None) -> Iterator[bytes]:
    """Unpack a blob piece by piece.

    Parameters
    ----------
    packed_bytes
        Size of the blob; unpacking more than 1 GiB and 200 times that is refused. None sets no bound.

    Raises
    ------
    ArchiveError
        The blob is damaged, cut off, or unpacks to far more than any layer does.
    """
    pieces = {"plain": lambda: chunks, "gzip": lambda: _gunzipped(chunks), "zstd": lambda: _unzstd(chunks)}[how]()
    return pieces if packed_bytes is None else _bounded(pieces, max(_FREE_BYTES, _MOST_TIMES * packed_bytes))


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    reader = zlib.decompressobj(_AS_GZIP)
    for chunk in chunks:
        rest = bytes(chunk)
        while rest:
            if reader.eof:  # gzip files may stand behind each other
                if not rest.strip(b"\0"):
                    break
                reader = zlib.decompressobj(_AS_GZIP)
            try:
                piece = reader.decompress(rest, _PIECE)
            except zlib.error as error:
                raise _damaged("gzip", error) from error
            rest = reader.unused_data if reader.eof else reader.unconsumed_tail
            if piece:
                yield piece
    if not reader.eof:
        raise _cut_off("gzip")


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    source = io.BufferedReader(_Readable(chunks), _PIECE)
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(source, read_across_frames=True)
    try:
        while piece := reader.read(_PIECE):
            yield piece
    except zstandard.ZstdError as error:
        raise _damaged("zstd", error) from error


class _Readable(io.RawIOBase):
    """Chunks as the file-like object that the zstd library wants."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        self._rest = self._rest or bytes(next(self._chunks, b""))
        piece, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(piece)] = piece
        return len(piece)


def _bounded(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    seen = 0
    for piece in pieces:
        seen += len(piece)
        if seen > limit:
            raise ArchiveError(
                f"A layer unpacks to more than {units.size(limit)}, at least {_MOST_TIMES} times what it takes packed. "
                "That is how archives are made to fill a disk; this one was not read further."
            )
        yield piece


def _damaged(how: str, error: Exception) -> ArchiveError:
    return ArchiveError(f"A {how} layer cannot be unpacked ({error}). The archive is damaged: save the image again.")


def _cut_off(how: str) -> ArchiveError:
    return ArchiveError(f"A {how} layer ends too early. The archive was cut off: save the image again.")
