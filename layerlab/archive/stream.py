"""Bytes that come one after the other: read, skipped or summed up, never kept. Knows nothing of tar."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from layerlab.errors import ArchiveError


class Stream:
    """A reader over chunks of bytes that holds one chunk at a time."""

    __slots__ = ("_before", "_chunks", "_data", "_position")

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._data = b""
        self._position = 0
        self._before = 0

    @property
    def offset(self) -> int:
        """How many bytes were read or skipped so far."""
        return self._before + self._position

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes, or what is left of them at the end. For small counts: they are kept."""
        end = self._position + count
        if end <= len(self._data):
            taken = self._data[self._position : end]
            self._position = end
            return taken
        return b"".join(bytes(piece) for piece in self._pieces(count))

    def peek(self, count: int) -> bytes:
        """Return the next ``count`` bytes, or what is left of them, without passing over them."""
        while len(self._data) - self._position < count:
            more = bytes(next(self._chunks, b""))
            if not more:
                break
            self._before += self._position
            self._data, self._position = self._data[self._position :] + more, 0
        return self._data[self._position : self._position + count]

    def exactly(self, count: int, what: bytes | str) -> bytes:
        """Return the next ``count`` bytes.

        Raises
        ------
        ArchiveError
            The archive ends before.
        """
        taken = self.take(count)
        if len(taken) != count:
            raise truncated(what, self.offset)
        return taken

    def chunks(self, count: int, what: bytes | str) -> Iterator[memoryview]:
        """Yield the next ``count`` bytes in pieces, each to be used before the next is asked for."""
        seen = 0
        for piece in self._pieces(count):
            seen += len(piece)
            yield piece
        if seen != count:
            raise truncated(what, self.offset)

    def skip(self, count: int, what: bytes | str) -> None:
        """Pass over ``count`` bytes."""
        end = self._position + count
        if end <= len(self._data):
            self._position = end
            return
        for _ in self.chunks(count, what):
            pass

    def checksum(self, count: int, what: bytes | str) -> int:
        """Pass over ``count`` bytes and return their CRC-32."""
        end = self._position + count
        if end <= len(self._data):
            made = zlib.crc32(memoryview(self._data)[self._position : end])
            self._position = end
            return made
        made = 0
        for piece in self.chunks(count, what):
            made = zlib.crc32(piece, made)
        return made

    def _pieces(self, count: int) -> Iterator[memoryview]:
        while count > 0:
            if self._position >= len(self._data) and not self._fill():
                return
            end = min(len(self._data), self._position + count)
            piece = memoryview(self._data)[self._position : end]
            self._position = end
            count -= len(piece)
            yield piece

    def _fill(self) -> bool:
        self._before += len(self._data)
        self._data, self._position = bytes(next(self._chunks, b"")), 0
        return bool(self._data)


def truncated(what: bytes | str, offset: int) -> ArchiveError:
    """Say that the bytes end in the middle of something."""
    return ArchiveError(
        f"The archive ends at byte {offset:,} in the middle of {called(what)}. "
        "It was cut off: save or copy the image again, and compare the sizes."
    )


def called(what: bytes | str) -> str:
    """Return a member's name, or words for something else, as an error says it."""
    return what if isinstance(what, str) else repr(what[-80:].decode("utf-8", "replace"))
