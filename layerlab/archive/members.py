"""The members of a tar in a stream, one by one, with PAX records, GNU long names and sparse files resolved.

Knows tar's conventions, not what an image is. Unpacks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from layerlab.archive import headers
from layerlab.archive.headers import BLOCK, FILE_FLAGS, SPARSE, ZEROS, Member
from layerlab.archive.stream import Stream, called, truncated
from layerlab.errors import ArchiveError

# Names and PAX records are read into memory, so they are bounded; the kernel's longest path has 4,096 bytes.
_LONGEST_TEXT = 1 << 20

_LONG_NAME, _LONG_LINK, _PAX, _PAX_SUN, _PAX_GLOBAL = map(ord, "LKxXg")
_EXTENDED = frozenset({_LONG_NAME, _LONG_LINK, _PAX, _PAX_SUN, _PAX_GLOBAL})

# What is read of PAX records; the rest (extended attributes, other times) is passed over, not kept.
_KEYS = frozenset(b"path linkpath size uid gid mtime GNU.sparse.name GNU.sparse.size GNU.sparse.realsize".split())

Records = Mapping[bytes, bytes]


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
            raise truncated("its members", start) if start else headers.not_tar(0)
        member = headers.read(block, start)
        flag = member.flag
        if flag in _EXTENDED:
            text = _text(stream, member.stored_bytes, start)
            if end is not None and stream.offset > end:
                raise _lying(member, start)
            if flag == _PAX_GLOBAL:
                defaults |= _records(text)
            elif flag in (_PAX, _PAX_SUN):
                records |= _records(text)
            else:
                records[b"path" if flag == _LONG_NAME else b"linkpath"] = text.split(b"\0", 1)[0]
            continue
        if flag == SPARSE:
            _pass_map(stream, block)
        if records or defaults:
            member = _with_records(member, {**defaults, **records})
            records = {}
        stored = member.stored_bytes
        after = stream.offset + (stored + BLOCK - 1) // BLOCK * BLOCK
        if stored < 0 or member.size_bytes < 0 or (end is not None and after > end):
            raise _lying(member, start)
        yield member
        stream.skip_to(after, member.name)


def _with_records(member: Member, records: Records) -> Member:
    is_file = member.flag in FILE_FLAGS
    stored = _whole(records, b"size", member.stored_bytes) if is_file else member.stored_bytes
    real = records.get(b"GNU.sparse.realsize", records.get(b"GNU.sparse.size"))
    is_sparse = is_file and (real is not None or member.is_sparse)
    if real is not None and is_file:
        size = _number(b"GNU.sparse.realsize", real)
    else:
        size = member.size_bytes if is_sparse else stored
    return member._replace(
        name=records.get(b"GNU.sparse.name", records.get(b"path", member.name)),
        size_bytes=size,
        stored_bytes=stored,
        uid=_whole(records, b"uid", member.uid),
        gid=_whole(records, b"gid", member.gid),
        mtime=_whole(records, b"mtime", member.mtime),
        link=records.get(b"linkpath", member.link),
        is_sparse=is_sparse,
    )


def _pass_map(stream: Stream, block: bytes) -> None:
    # GNU's old format: a flag says that more blocks of the map follow the header, each with the same flag.
    more = block[482]
    while more:
        more = stream.exactly(BLOCK, "the map of a sparse file")[504]


def _text(stream: Stream, size: int, start: int) -> bytes:
    if not 0 <= size <= _LONGEST_TEXT:
        raise ArchiveError(
            f"The extended header at byte {start:,} claims {size:,} bytes; more than {_LONGEST_TEXT:,} are not read. "
            "No engine writes such a header: the archive is damaged or was made to do harm."
        )
    text = stream.exactly(size, "an extended header")
    stream.skip_to(stream.offset + -size % BLOCK, "an extended header")
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
        if key in _KEYS:
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
