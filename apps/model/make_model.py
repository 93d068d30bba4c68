"""Make a model file of any size: python make_model.py [--version 2] [--size 64MB] [FILE]

The same arguments give the same bytes on every machine. Version 1 knows English and German, version 2 French as well.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import model_file

HERE = Path(__file__).parent
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
WORDS = {
    "English": """the and with that this have from they would there their what about which when people into year your
        good some could them other than then now look only think also back after work first well way even new want any
        these give day most thing night light water bread cheese house white through knowledge weather bright""",
    "German": """der die das und nicht mit auf ist ein eine sich von dem auch werden aus haben wie nach bei nur noch
        sein einen wird durch zwischen schon wenn oder mehr kein gegen sehr schule freund wasser brot nacht licht zeit
        leben straße haus weiß zurück möglich wissen schmetterling zeitung""",
    "French": """le la les des est une pour dans que qui sur pas avec plus par nous vous mais comme tout fait elle bien
        deux aussi leur eau pain fromage maison blanc beaucoup jour nuit lumière oiseau chaque toujours quelque vieux
        aujourd hui château heureux monsieur bonjour merci""",
}
LANGUAGES = {1: ("English", "German"), 2: ("English", "German", "French")}


def number_of_bytes(text: str) -> int:
    """Read 64MB, 500KB or 1000 as a number of bytes."""
    number, unit = text.upper().removesuffix("B"), 1
    for name, factor in UNITS.items():
        if number.endswith(name[0]):
            number, unit = number[:-1], factor
    return int(float(number) * unit)


def bulk(version: int, size_bytes: int) -> Iterator[bytes]:
    """Yield bytes that nothing can pack any smaller, as the numbers of a real model are."""
    for start in range(0, size_bytes, model_file.PIECE):
        seed = f"version {version}, from byte {start}".encode()
        yield hashlib.shake_256(seed).digest(min(model_file.PIECE, size_bytes - start))


def make(path: Path, *, version: int, size_bytes: int) -> None:
    """Write one model."""
    weights = model_file.trained({language: WORDS[language] for language in LANGUAGES[version]})
    header = {"version": version, "weights": weights}
    model_file.write(path, header, bulk(version, size_bytes), size_bytes)


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=HERE / "models" / "model.bin")
    parser.add_argument("--version", type=int, choices=LANGUAGES, default=1)
    parser.add_argument("--size", type=number_of_bytes, default="64MB", metavar="64MB")
    given = parser.parse_args()
    try:
        make(given.file, version=given.version, size_bytes=given.size)
    except OSError as error:
        sys.exit(f"{given.file} cannot be written: {error.strerror}. Is the disk full, or the folder somebody else's?")
    print(f"{given.file.name}: version {given.version}, {given.file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
