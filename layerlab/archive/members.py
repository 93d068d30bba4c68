"""The members of a tar in a stream, one by one, with PAX records, GNU long names and sparse files resolved.

Knows tar's conventions, not what an image is. Unpacks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from layerlab.archive import headers
from layerlab.archive.headers import BLOCK, ZEROS, Header
from layerlab.archive.stream import Stream, called, truncated
from layerlab.errors import ArchiveError

# Names and PAX records are read into memory, so they are bounded; the kernel's longest path has 4,096 bytes.
_LONGEST_TEXT = 1 << 20

_LONG_NAME, _LONG_LINK, _PAX, _PAX_SUN, _PAX_GLOBAL, _SPARSE = map(ord, "LKxXgS")
FILE_FLAGS = frozenset(map(ord, "\0 07S"))
HARD_LINK, SYMBOLIC_LINK, CHARACTER, BLOCK_DEVICE, FOLDER, FIFO = map(ord, "123456")

Records = Mapping[bytes, bytes]


class Member(NamedTuple):
    """One member: ``stored_bytes`` lie in the archive, ``size_bytes`` is the file, holes of a sparse one included."""

    name: bytes
    flag: int
    size_bytes: int
    stored_bytes: int
    mode: int
    uid: int
    gid: int
    mtime: int
    link: bytes
    device: tuple[int, int]
    is_sparse: bool


def members(stream: Stream, end: int | None = None, *, must_close: bool = False) -> Iterator[Member]:
    """Yield the members up to offset ``end``, or to the end of the stream.

    The content of the member in hand may be read from the stream, in part or whole, before the next is asked for.

    Parameters
    ----------
    must_close
        Take a missing end mark (a block of zeros) for an archive that was cut off. Every engine writes the mark,
        though readers do without it.

    Raises
    ------
    ArchiveError
        Damaged, cut off, or a member that claims more bytes than there are.
    """
    defaults: dict[bytes, bytes] = {}
    records: dict[bytes, bytes] = {}
    while (start := stream.offset) != end:
        block = stream.take(BLOCK)
        if block == ZEROS or (not block and not must_close):
            break
        if len(block) < BLOCK:
            raise truncated("its members", start)
        header = headers.read(block, start)
        flag, size = header.flag, header.size
        if flag in (_PAX, _PAX_SUN):
            records |= _records(_text(stream, size, start))
        elif flag == _PAX_GLOBAL:
            defaults |= _records(_text(stream, size, start))
        elif flag == _LONG_NAME:
            records[b"path"] = _text(stream, size, start).split(b"\0", 1)[0]
        elif flag == _LONG_LINK:
            records[b"linkpath"] = _text(stream, size, start).split(b"\0", 1)[0]
        else:
            known = {**defaults, **records} if defaults else records
            member = _member(stream, header, block, known)
            after = stream.offset + -(-member.stored_bytes // BLOCK) * BLOCK
            if size < 0 or (end is not None and after > end):
                raise _lying(member, start)
            yield member
            stream.skip(after - stream.offset, member.name)
            records = {}


def _member(stream: Stream, header: Header, block: bytes, records: Records) -> Member:
    device = headers.device(block) if header.flag in (CHARACTER, BLOCK_DEVICE) else (0, 0)
    # POSIX: a link, a folder and a device carry no content, whatever their size says. GNU's old sparse format and
    # every regular file do.
    stored = header.size if header.flag in FILE_FLAGS else 0
    name, _, flag, mode, uid, gid, mtime, link = header
    size = stored
    if header.flag == _SPARSE:
        size = _old_sparse_size(stream, block)
    if not records:
        return Member(name, flag, size, stored, mode, uid, gid, mtime, link, device, header.flag == _SPARSE)
    stored = _whole(records, b"size", stored) if header.flag in FILE_FLAGS else 0
    real = records.get(b"GNU.sparse.realsize", records.get(b"GNU.sparse.size"))
    return Member(
        name=records.get(b"GNU.sparse.name", records.get(b"path", name)),
        flag=flag,
        size_bytes=_number(b"GNU.sparse.realsize", real) if real is not None else stored if flag != _SPARSE else size,
        stored_bytes=stored,
        mode=mode,
        uid=_whole(records, b"uid", uid),
        gid=_whole(records, b"gid", gid),
        mtime=_whole(records, b"mtime", mtime),
        link=records.get(b"linkpath", link),
        device=device,
        is_sparse=real is not None or flag == _SPARSE,
    )


def _old_sparse_size(stream: Stream, block: bytes) -> int:
    # GNU's old format: a flag says that more blocks of the map follow the header, each with the same flag.
    more = block[482]
    while more:
        more = stream.exactly(BLOCK, "the map of a sparse file")[504]
    return headers.number(block[483:495])


def _text(stream: Stream, size: int, start: int) -> bytes:
    if not 0 <= size <= _LONGEST_TEXT:
        raise ArchiveError(
            f"The extended header at byte {start:,} claims {size:,} bytes; more than {_LONGEST_TEXT:,} are not read. "
            "No engine writes such a header: the archive is damaged or was made to do harm."
        )
    text = stream.exactly(size, "an extended header")
    stream.skip(-size % BLOCK, "an extended header")
    return text


def _records(text: bytes) -> dict[bytes, bytes]:
    # "LENGTH KEY=VALUE\n", the length counting itself; values may hold newlines and NULs.
    found = {}
    position = 0
    while position < len(text) and text[position]:
        digits, space, _ = text[position : position + 20].partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        record = text[position : position + length]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if not equals or record[-1:] != b"\n":
            raise ArchiveError(f"A PAX record cannot be read: {record[:60]!r}. The archive is damaged: make it anew.")
        found[key] = value
        position += length
    return found


def _whole(records: Records, key: bytes, otherwise: int) -> int:
    return _number(key, records[key]) if key in records else otherwise


def _number(key: bytes, value: bytes) -> int:
    digits, _, fraction = value.partition(b".")  # times may have a fraction
    if not digits.lstrip(b"-").isdigit() or (fraction and not fraction.isdigit()) or len(digits) > 20:
        raise ArchiveError(
            f"The PAX record {key!r} is no number: {value[:40]!r}. The archive is damaged: make it anew."
        )
    return int(digits)


def _lying(member: Member, start: int) -> ArchiveError:
    return ArchiveError(
        f"{called(member.name)} at byte {start:,} claims {member.stored_bytes:,} bytes, which are not there. "
        "The archive is damaged or was made to do harm; nothing of it was unpacked."
    )
