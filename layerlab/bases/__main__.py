"""`python -m layerlab.bases [slim] [full]`: builds or pulls the bases of the private engine, in the foreground."""

from __future__ import annotations

import sys

from layerlab.bases.background import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
