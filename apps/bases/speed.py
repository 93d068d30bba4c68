"""What one interpreter does in a second of its own processor time: four small tasks, each timed alone, as CSV."""

import json
import re
import time

SECONDS_PER_TASK = 0.4
TEXT = " ".join(f"name{number}=value{number};" for number in range(2000))
PATTERN = re.compile(r"(\w+)=(\w+);")
RECORD = {f"field{number}": [number, str(number), {"deep": number * 1.5}] for number in range(200)}


def calls(limit=18):
    return limit if limit < 2 else calls(limit - 1) + calls(limit - 2)


def tables():
    counts = {}
    for number in range(20_000):
        key = number * 7919 % 1009
        counts[key] = counts.get(key, 0) + number
    return sorted(counts, key=counts.get)


TASKS = {
    "function calls": calls,
    "tables": tables,
    "regular expressions": lambda: PATTERN.findall(TEXT),
    "JSON": lambda: json.loads(json.dumps(RECORD)),
}


def rate(task):
    """Runs in a second of processor time, the first one left out: it fills caches."""
    task()
    began, runs = time.process_time(), 0
    while (spent := time.process_time() - began) < SECONDS_PER_TASK:
        task()
        runs += 1
    return runs / spent


for name, task in TASKS.items():
    print(f"{name},{rate(task):.3f}")
