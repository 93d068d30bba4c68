"""Counts the prime numbers below each million, the slow way: a stage of a build that needs nothing of the others."""

import json
from pathlib import Path

END = 8_000_000


def main() -> None:
    """Sieve once, count by millions, write the table."""
    is_prime = [True] * END
    for number in range(2, int(END**0.5) + 1):
        if is_prime[number]:
            for multiple in range(number * number, END, number):
                is_prime[multiple] = False
    counts = {below: sum(is_prime[2:below]) for below in range(1_000_000, END + 1, 1_000_000)}
    Path("primes.json").write_text(json.dumps(counts))


main()
