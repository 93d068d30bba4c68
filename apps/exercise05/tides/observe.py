"""Stands in for the harbour's gauge: draws a year of water levels as its pen would, a line for every five minutes."""

import sys
from datetime import datetime, timedelta
from math import cos, pi

# The moon twice a day, the sun twice a day, the moon's distance, the sun and the moon once a day:
# height in metres, period in hours, phase.
TIDES = ((1.62, 12.4206, 0.4), (0.55, 12.0, 1.1), (0.31, 12.6583, 2.0), (0.12, 23.9345, 0.2), (0.09, 25.8193, 2.7))
STEP = timedelta(minutes=5)
PAPER = 360  # columns
PER_METRE = 60

first, after = datetime(2026, 1, 1), datetime(2027, 1, 1)
with open(sys.argv[1], "w") as chart:
    for number in range((after - first) // STEP):
        hours = number / 12
        level = sum(height * cos(2 * pi * hours / period - phase) for height, period, phase in TIDES)
        pen = (" " * round(PAPER / 2 + PER_METRE * level) + "*").ljust(PAPER)
        chart.write(f"{first + number * STEP} {level:+.3f} m |{pen}|\n")
print("observed a year of levels", file=sys.stderr)
