"""Bytes that come one after the other: read, skipped or summed up, never kept. Knows nothing of tar."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from layerlab.errors import ArchiveError


class Stream:
    """A reader over chunks of bytes that holds one chunk at a time.

    Attributes
    ----------
    offset
        How many bytes were read or skipped so far.
    """

    __slots__ = ("_begin", "_chunks", "_data", "_end", "offset")

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.offset = 0
        self._chunks = chunks
        self._data = b""
        # The chunk in hand reaches from offset _begin to offset _end.
        self._begin = 0
        self._end = 0

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes, or what is left of them at the end. For small counts: they are kept."""
        begin = self.offset
        end = begin + count
        if end <= self._end:
            self.offset = end
            return self._data[begin - self._begin : end - self._begin]
        return b"".join(bytes(piece) for piece in self._pieces(count))

    def peek(self, count: int) -> bytes:
        """Return the next ``count`` bytes, or what is left of them, without passing over them."""
        while self._end - self.offset < count:
            more = bytes(next(self._chunks, b""))
            if not more:
                break
            self._hold(self._data[self.offset - self._begin :] + more)
        begin = self.offset - self._begin
        return self._data[begin : begin + count]

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

    def skip_to(self, offset: int, what: bytes | str) -> None:
        """Pass over everything before ``offset``."""
        if self.offset <= offset <= self._end:
            self.offset = offset
            return
        for _ in self.chunks(offset - self.offset, what):
            pass

    def checksum(self, count: int, what: bytes | str) -> int:
        """Pass over ``count`` bytes and return their CRC-32."""
        begin = self.offset
        end = begin + count
        if end <= self._end:
            self.offset = end
            return zlib.crc32(memoryview(self._data)[begin - self._begin : end - self._begin])
        made = 0
        for piece in self.chunks(count, what):
            made = zlib.crc32(piece, made)
        return made

    def _pieces(self, count: int) -> Iterator[memoryview]:
        while count > 0:
            if self.offset >= self._end:
                self._hold(bytes(next(self._chunks, b"")))
                if not self._data:
                    return
            begin = self.offset
            self.offset = min(self._end, begin + count)
            count -= self.offset - begin
            yield memoryview(self._data)[begin - self._begin : self.offset - self._begin]

    def _hold(self, data: bytes) -> None:
        self._data = data
        self._begin = self.offset
        self._end = self.offset + len(data)


def truncated(what: bytes | str, offset: int) -> ArchiveError:
    """Say that the bytes end in the middle of something."""
    return ArchiveError(
        f"The archive ends at byte {offset:,} in the middle of {called(what)}. "
        "It was cut off: save or copy the image again, and compare the sizes."
    )


def called(what: bytes | str) -> str:
    """Return a member's name, or words for something else, as an error says it."""
    return what if isinstance(what, str) else repr(what[-80:].decode("utf-8", "replace"))
