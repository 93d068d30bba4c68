"""Sorts the sheets into a drawer for each family, each sheet a file. Grasses wait for somebody who knows them."""

import sys
from pathlib import Path

from scan import BYTES_PER_SHEET

scans, drawers = Path(sys.argv[1]), Path(sys.argv[2])
with scans.open(newline="\n") as sheets:
    while sheet := sheets.read(BYTES_PER_SHEET):
        _, number, family = sheet.split("\n", 1)[0].split()
        if family == "Poaceae":
            continue
        folder = drawers / family
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(sheet, newline="\n")
