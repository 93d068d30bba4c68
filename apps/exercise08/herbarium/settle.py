"""Puts things in order when the work is done."""

import shutil
import sys
from pathlib import Path

for name in sys.argv[1:]:
    shutil.rmtree(name)
print(f"{Path.cwd()} is in order", file=sys.stderr)
