"""Writes a large file and sums it up in a small one."""

import sys

CELLS = bytes(number % 251 for number in range(1000)) * 20_000

with open(sys.argv[1], "wb") as grid:
    grid.write(CELLS)
with open("sum.txt", "w", encoding="utf-8") as total:
    total.write(str(sum(CELLS)))
