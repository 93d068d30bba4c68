"""Draws a map of an island in numbers. Stands in for whatever makes large files while an image is built.

draw.py FILE [ROWS]: a row is 5,000 bytes.
"""

import sys
from math import cos, hypot, pi
from pathlib import Path

FIELDS, TIMES = 250, 4  # a field is four numbers wide, a number five characters


def height(x, y):
    """Metres above the sea; 0 outside the coast."""
    from_the_middle = hypot(x - 0.5, y - 0.5) + 0.04 * cos(9 * pi * x) * cos(7 * pi * y)
    return max(0, round(4800 * (0.45 - from_the_middle)))


def main(path, rows=2500):
    """Write the map; folders above it are made."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="\n") as drawn:
        for row in range(rows):
            line = "".join(f"{height(field / FIELDS, row / rows):5}" * TIMES for field in range(FIELDS))
            drawn.write(line[1:] + "\n")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
