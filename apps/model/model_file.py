"""A model file: a header with a small table of weights, and after it the bulk that makes large models large.

Layout: MAGIC, the header's length as four bytes, the header as JSON, then as many bytes of bulk as the header says.
"""

import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"WORDS\x00\x00\x01"
PIECE = 1_000_000


class ModelError(Exception):
    """There is no model to work with; the text says what is there instead, and what to do."""


@dataclass(frozen=True)
class Model:
    """Tells the language of a word by its pairs of letters."""

    version: int
    size_bytes: int
    weights: dict[str, dict[str, float]]  # language → pair of letters → logarithm of how frequent it is

    def language(self, word: str) -> str:
        """Return the language in which the word's pairs of letters are most frequent."""
        return max(self.weights, key=lambda language: self._likelihood(word, language))

    def _likelihood(self, word: str, language: str) -> float:
        table = self.weights[language]
        return sum(table.get(pair, table[""]) for pair in pairs(word))


def pairs(word: str) -> list[str]:
    """Return the pairs of neighbouring letters, the ends of the word as blanks."""
    letters = f" {word.lower()} "
    return [letters[at : at + 2] for at in range(len(letters) - 1)]


def trained(words: dict[str, str]) -> dict[str, dict[str, float]]:
    """Count the pairs in the words of each language; "" stands for a pair that was never seen."""
    seen = {language: [pair for word in text.split() for pair in pairs(word)] for language, text in words.items()}
    return {
        language: {pair: _frequency(found.count(pair), len(found)) for pair in ["", *sorted(set(found))]}
        for language, found in seen.items()
    }


def write(path: Path, header: dict[str, object], bulk: Iterator[bytes], bulk_bytes: int) -> None:
    """Write a model whole, or not at all: the file gets its name when the last byte is there."""
    described = json.dumps({**header, "bulk_bytes": bulk_bytes}).encode()
    unfinished = path.with_name(f".{path.name}.unfinished")
    path.parent.mkdir(parents=True, exist_ok=True)
    checksum = 0
    with unfinished.open("wb") as file:
        file.write(MAGIC + len(described).to_bytes(4, "big") + described)
        for piece in bulk:
            checksum = zlib.crc32(piece, checksum)
            file.write(piece)
        file.write(checksum.to_bytes(4, "big"))
    unfinished.replace(path)


def read(path: Path) -> Model:
    """Read a model from its first byte to its last. Raises ModelError."""
    try:
        with path.open("rb") as file:
            return _parsed(file, path)
    except FileNotFoundError:
        raise ModelError(f"There is no {path}: {_instead(path.parent)}") from None
    except IsADirectoryError:
        raise ModelError(f"{path} is a folder. Mount the folder that the file lies in, not the file.") from None
    except PermissionError:
        raise ModelError(f"{path} may not be read by this user. Let everybody read it: chmod a+r.") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from None


def _parsed(file: BinaryIO, path: Path) -> Model:
    if file.read(len(MAGIC)) != MAGIC:
        raise ModelError(f"{path} is no model. Make one with make_model.py.")
    length = int.from_bytes(file.read(4), "big")
    try:
        header = json.loads(file.read(length))
        left, checksum = int(header["bulk_bytes"]), 0
        model = Model(int(header["version"]), path.stat().st_size, dict(header["weights"]))
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"The header of {path} cannot be read. Make the file anew with make_model.py.") from None
    while left and (piece := file.read(min(PIECE, left))):
        checksum, left = zlib.crc32(piece, checksum), left - len(piece)
    if left or file.read(5) != checksum.to_bytes(4, "big"):
        raise ModelError(f"{path} is damaged, or was not copied to its end. Copy it again.")
    return model


def _instead(folder: Path) -> str:
    if not folder.is_dir():
        return f"no {folder} either. Mount the folder of models: -v FOLDER:{folder}:ro"
    if names := sorted(one.name for one in folder.iterdir()):
        return f"{folder} holds {', '.join(names[:5])}."
    return f"{folder} is empty. If it was mounted, is the host's path spelled right?"


def _frequency(count: int, total: int) -> float:
    return round(math.log((count + 0.5) / (total + 1)), 3)
