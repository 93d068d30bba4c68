"""Times pip and uv on the same wheels from a local folder; prints one line of CSV for each run."""

import shutil
import subprocess
import time
from pathlib import Path

ROUNDS = 3
CACHE, TARGET = Path("/tmp/cache"), Path("/tmp/target")
COMMON = ["--quiet", "--no-index", "--find-links", "/wheels", "--cache-dir", str(CACHE), "--target", str(TARGET)]
PIP = ["pip", "install", "--root-user-action", "ignore", *COMMON, "-r", "requirements.txt"]
UV = ["uv", "pip", "install", *COMMON, "-r", "requirements.txt"]
# By default pip compiles bytecode and uv does not: each is timed both ways, so that like stands beside like.
WAYS = {
    ("pip", "no"): [*PIP, "--no-compile"],
    ("pip", "yes"): PIP,
    ("uv", "no"): UV,
    ("uv", "yes"): [*UV, "--compile-bytecode"],
}


def seconds(command: list[str]) -> float:
    """Install into an empty folder and return the seconds it took."""
    shutil.rmtree(TARGET, ignore_errors=True)
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Time every way with an empty cache and again with a full one, in turns, so that a busy moment hits all."""
    print("round,installer,bytecode,cache,seconds")
    for command in (PIP, UV):
        seconds(command)  # not counted: it brings the files into memory
    for number in range(1, ROUNDS + 1):
        for (installer, bytecode), command in WAYS.items():
            shutil.rmtree(CACHE, ignore_errors=True)
            for cache in ("cold", "warm"):
                print(f"{number},{installer},{bytecode},{cache},{seconds(command):.4f}", flush=True)


if __name__ == "__main__":
    main()
