"""Fetch the model: python fetch_model.py FILE. In earnest this is a download, or a night of training."""

import hashlib
import json
import os
import sys

WINGS = {"wren": 48, "robin": 73, "blackbird": 128, "magpie": 190, "crow": 320, "buzzard": 390}
PIECES, PIECE = 40, 1_000_000


def main(path):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(json.dumps(WINGS).encode() + b"\n")
        for number in range(PIECES):
            # The bulk of a real model: numbers that nothing can pack any smaller.
            file.write(hashlib.shake_256(str(number).encode()).digest(PIECE))


if __name__ == "__main__":
    main(sys.argv[1])
