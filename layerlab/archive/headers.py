"""One block of 512 bytes → what a tar says of one member: ustar, GNU and old headers. Reads no stream."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any, NamedTuple

from layerlab.errors import ArchiveError

BLOCK = 512
ZEROS = bytes(BLOCK)
FILE_FLAGS = frozenset(map(ord, "\0 07S"))
HARD_LINK, SYMBOLIC_LINK, CHARACTER, BLOCK_DEVICE, FOLDER, FIFO, SPARSE = map(ord, "123456S")

# POSIX, pax: name; mode, uid and gid; size; mtime; the sum, passed over; type flag; link; the mark "ustar".
_FIELDS = struct.Struct("100s24s12s12s8xB100s6s")
_WITH_MORE = frozenset({HARD_LINK, SYMBOLIC_LINK, CHARACTER, BLOCK_DEVICE, FOLDER, FIFO, SPARSE})


class Member(NamedTuple):
    """One member of a tar.

    Attributes
    ----------
    flag
        Tar's type flag, one byte as a number.
    size_bytes
        The file's size, holes of a sparse one included.
    stored_bytes
        How many of them lie in the archive.
    device
        Major and minor number of a device.
    """

    name: bytes
    flag: int
    size_bytes: int
    stored_bytes: int
    mode: int
    uid: int
    gid: int
    mtime: int
    link: bytes = b""
    device: tuple[int, int] = (0, 0)
    is_sparse: bool = False


def read(block: bytes, offset: int) -> Member:
    """Read a header block that stood at ``offset``, as far as one block tells.

    Raises
    ------
    ArchiveError
        The block is no tar header. A checksum is asked only of headers without the mark ``ustar``: with it, a lie
        about the size is found at the next header, which is then none.
    """
    name, rights, size_field, mtime, flag, link, mark = _FIELDS.unpack_from(block)
    if mark[:5] != b"ustar" and not _sum_fits(block):
        raise not_tar(offset)
    name = name.split(b"\0", 1)[0]
    if block[345] and mark == b"ustar\0":  # a POSIX prefix; GNU keeps times there
        name = block[345:500].split(b"\0", 1)[0] + b"/" + name
    if not flag and name.endswith(b"/"):
        flag = FOLDER  # tars older than ustar know no flag for it
    try:
        size = number(size_field)
        member = Member(name, flag, size, size, *_rights(rights), _time(mtime))
        return member._replace(**_more(block, flag, link)) if flag in _WITH_MORE else member
    except ValueError as error:
        raise not_tar(offset) from error


def _more(block: bytes, flag: int, link: bytes) -> dict[str, Any]:
    if flag == SPARSE:
        return {"size_bytes": number(block[483:495]), "is_sparse": True}
    # POSIX: a link, a folder and a device carry no content, whatever their size says.
    more: dict[str, Any] = {"size_bytes": 0, "stored_bytes": 0}
    if flag in (HARD_LINK, SYMBOLIC_LINK):
        more["link"] = link.split(b"\0", 1)[0]
    elif flag in (CHARACTER, BLOCK_DEVICE):
        more["device"] = number(block[329:337]), number(block[337:345])
    return more


def number(field: bytes) -> int:
    """Read a numeric field: octal digits, or GNU's base 256, which a first byte above 127 marks.

    >>> number(b"0000644 "), number(b"\\x80\\x00\\x00\\x01"), number(b"\\0")
    (420, 1, 0)
    """
    if field[0] in (0x80, 0xFF):
        value = int.from_bytes(field[1:], "big")
        return value - (1 << 8 * (len(field) - 1)) if field[0] == 0xFF else value
    return int(field.strip(b" \0") or b"0", 8)


# Most members share these with their neighbours. Bounded: a hostile archive has as many as it likes.
_time = lru_cache(1024)(number)


@lru_cache(1024)
def _rights(field: bytes) -> tuple[int, int, int]:
    return number(field[:8]), number(field[8:16]), number(field[16:])


def not_tar(offset: int) -> ArchiveError:
    """Say that what stands at ``offset`` is no member of a tar."""
    return ArchiveError(
        f"No tar header stands at byte {offset:,}. The archive is damaged or is no image archive: "
        "make it anew with `docker save IMAGE -o FILE`."
    )


def _sum_fits(block: bytes) -> bool:
    try:
        wanted = number(block[148:156])
    except ValueError:
        return False
    # The field of the sum itself counts as eight spaces.
    return sum(block) - sum(block[148:156]) + 8 * 32 == wanted
