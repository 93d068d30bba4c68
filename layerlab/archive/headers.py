"""One block of 512 bytes → what a tar says of one member: ustar, GNU and old headers. Reads no stream."""

from __future__ import annotations

from typing import NamedTuple

from layerlab.errors import ArchiveError

BLOCK = 512
ZEROS = bytes(BLOCK)


class Header(NamedTuple):
    """A member as its header block has it; ``flag`` is tar's type flag, one byte as a number."""

    name: bytes
    size: int
    flag: int
    mode: int
    uid: int
    gid: int
    mtime: int
    link: bytes


def read(block: bytes, offset: int) -> Header:
    """Read a header block that stood at ``offset``.

    Raises
    ------
    ArchiveError
        The block is no tar header. A checksum is asked only of headers without the mark ``ustar``: with it, a lie
        about the size is found at the next header, which is then none.
    """
    is_ustar = block[257:262] == b"ustar"
    if not is_ustar and not _sum_fits(block):
        raise not_tar(offset)
    name = block[:100].split(b"\0", 1)[0]
    if is_ustar and block[345] and block[262] == 0:  # a POSIX prefix; GNU keeps times there
        name = block[345:500].split(b"\0", 1)[0] + b"/" + name
    try:
        return Header(
            name,
            number(block[124:136]),
            block[156],
            number(block[100:108]),
            number(block[108:116]),
            number(block[116:124]),
            number(block[136:148]),
            block[157:257].split(b"\0", 1)[0],
        )
    except ValueError as error:
        raise not_tar(offset) from error


def number(field: bytes) -> int:
    """Read a numeric field: octal digits, or GNU's base 256, which a first byte above 127 marks.

    >>> number(b"0000644 "), number(b"\\x80\\x00\\x00\\x01"), number(b"\\0")
    (420, 1, 0)
    """
    if field[0] in (0x80, 0xFF):
        value = int.from_bytes(field[1:], "big")
        return value - (1 << 8 * (len(field) - 1)) if field[0] == 0xFF else value
    return int(field.strip(b" \0") or b"0", 8)


def device(block: bytes) -> tuple[int, int]:
    """Return the major and minor numbers of a device's header."""
    return number(block[329:337]), number(block[337:345])


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
