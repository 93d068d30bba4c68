"""Boils the gauge's chart down to what the service tells: the highest and the lowest water of each day."""

import json
import sys

days: dict[str, list[tuple[float, str]]] = {}
with open(sys.argv[1]) as chart:
    for line in chart:
        day, time, level, *_ = line.split(maxsplit=3)
        days.setdefault(day, []).append((float(level), time[:5]))
if not days:
    sys.exit(f"no levels in {sys.argv[1]}")
table = {}
for day, levels in days.items():
    (high, at), (low, then) = max(levels), min(levels)
    table[day] = {"high": f"{high:+.2f} m at {at}", "low": f"{low:+.2f} m at {then}"}
with open(sys.argv[2], "w") as out:
    json.dump(table, out)
print(f"tabulated {len(table)} days", file=sys.stderr)
