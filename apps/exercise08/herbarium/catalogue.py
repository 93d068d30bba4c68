"""Reads the drawers once, and writes which sheet lies in which."""

import json
import sys
from pathlib import Path

drawers = sorted(folder for folder in Path(sys.argv[1]).iterdir() if folder.is_dir())
found = {folder.name: sorted(sheet.stem for sheet in folder.glob("*.txt")) for folder in drawers}
if not any(found.values()):
    raise SystemExit(f"{sys.argv[1]}: no sheet lies in any drawer")
Path(sys.argv[2]).write_text(json.dumps(found))
