"""Sizes and durations as text, in the decimal units that Docker prints; foreign text made fit to print.

Knows no other module.
"""

from __future__ import annotations

import html
import re

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?:(?P<unit>[kmgt])(?P<binary>i)?)?b?", re.IGNORECASE)
_BANDWIDTH = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kmg])?(?:bit(?:s)?(?:/s)?|bps)", re.IGNORECASE)
_STEPS = (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000))


def size(size_bytes: int | float) -> str:
    """Print a number of bytes with three or four significant digits, as `docker images` does.

    >>> size(1_114_000_000), size(152_600_000), size(48_870_000), size(512)
    ('1.11 GB', '153 MB', '48.9 MB', '512 B')

    Notes
    -----
    Decimal units (1 MB = 1,000,000 bytes), as docker/go-units `HumanSize` uses them.
    """
    sign = "-" if size_bytes < 0 else ""
    value = abs(size_bytes)
    for index, (unit, step) in enumerate(_STEPS):
        scaled = value / step
        # 999.96 kB would round to "1000 kB": hand it to the next larger unit instead.
        if scaled >= 1 or (index + 1 < len(_STEPS) and round(value / _STEPS[index + 1][1]) >= 1000):
            return f"{sign}{_three_digits(scaled)} {unit}"
    if value >= 999.5:
        return f"{sign}{_three_digits(value / 1000)} kB"
    return f"{sign}{value:.0f} B"


def signed(size_bytes: int) -> str:
    """Print a difference of sizes with its sign.

    >>> signed(-45_400_000), signed(12), signed(0)
    ('-45.4 MB', '+12 B', '0 B')
    """
    return f"+{size(size_bytes)}" if size_bytes > 0 else size(size_bytes)


def parse_size(text: str) -> int:
    """Read a number of bytes as people write it: ``60MB``, ``1.5 GB``, ``512``.

    Raises
    ------
    ValueError
        The text is no size, or is below zero.

    >>> parse_size("60MB"), parse_size("1.5 kb"), parse_size("512")
    (60000000, 1500, 512)

    Notes
    -----
    Decimal units, as they are printed; binary ones have to be said: ``1 MiB`` is 1,048,576.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no size. Write it like 60MB, 1.5GB or 512kB.")
    factor = 1024 if match["binary"] else 1000
    power = " kmgt".index((match["unit"] or " ").lower())
    return round(float(match["number"]) * float(factor**power))


def parse_bandwidth(text: str) -> float:
    """Read bits a second as people write them: ``100Mbit``, ``1 Gbit/s``, ``16Mbps``.

    Raises
    ------
    ValueError
        The text is no bandwidth, or is not above zero.

    >>> parse_bandwidth("100Mbit"), parse_bandwidth("1.5 Gbit/s")
    (100000000.0, 1500000000.0)
    """
    match = _BANDWIDTH.fullmatch(text.strip())
    bits = float(match["number"]) * 1000.0 ** " kmg".index((match["unit"] or " ").lower()) if match else 0.0
    if not bits:
        raise ValueError(f"{text!r} is no bandwidth. Write it like 100Mbit or 1Gbit.")
    return bits


def duration(seconds: float) -> str:
    """Print a duration: tenths below a minute, minutes and seconds above.

    >>> duration(0.34), duration(12.3), duration(185)
    ('0.3 s', '12.3 s', '3 min 5 s')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def printable(text: str) -> str:
    r"""Return a text that an image brings along with everything that is no visible character written as an escape.

    >>> printable("tmp/\x1b[31mred"), printable("caf\udcc3\udca9"), printable("café")
    ('tmp/\\x1b[31mred', 'caf\\xc3\\xa9', 'café')

    Notes
    -----
    Names of images and files and instructions may hold commands to a terminal, turn the direction of writing, or be
    no UTF-8 at all (PEP 383 keeps such bytes as lone surrogates, which no file and no JSON takes).
    """
    return text if text.isprintable() else "".join(one if one.isprintable() else _escape(one) for one in text)


def one_line(text: str, width: int | None = None) -> str:
    """Return a foreign text on one line, fit to print, and cut where it is longer than ``width``.

    >>> one_line("RUN apt-get update &&   apt-get install -y git", 20)
    'RUN apt-get update…'
    """
    line = printable(" ".join(text.split()))
    return line if width is None or len(line) <= width else f"{line[: width - 1].rstrip()}…"


def as_html(text: str) -> str:
    """Return plain text as HTML; what stands between backticks is code.

    >>> as_html("`COPY` <file>")
    '<code>COPY</code> &lt;file&gt;'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
