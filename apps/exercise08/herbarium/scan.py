"""Stands in for the scanner of a herbarium: writes a sheet for each plant, all of one length, one behind the other."""

import sys
from hashlib import sha256

FAMILIES = ("Asteraceae", "Fabaceae", "Rosaceae", "Poaceae", "Lamiaceae")
SHEETS = 625
DOTS = 100_000  # of a sheet
BYTES_PER_SHEET = 64 + DOTS


def label(number):
    """What is written below a plant: its number and its family."""
    return f"sheet {number:03} {FAMILIES[number % len(FAMILIES)]}"


def dots(number):
    """The plant itself, dark and light."""
    seed = sha256(label(number).encode()).hexdigest()
    leaf = "".join(" .:*"[int(digit, 16) % 4] for digit in seed)
    return (leaf * (DOTS // len(leaf) + 1))[:DOTS]


if __name__ == "__main__":
    with open(sys.argv[1], "w", newline="\n") as sheets:
        for number in range(SHEETS):
            sheets.write(label(number).ljust(63) + "\n" + dots(number))
