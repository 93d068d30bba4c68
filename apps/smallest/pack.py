"""Put the modules that keep.py kept into one packed file, as bytecode without asserts and docstrings.

    python pack.py FOLDER

A module with compiled parts cannot be loaded out of a packed file, so its package stays a folder.
"""

import os
import py_compile
import sys
import zipfile
from pathlib import Path

MINOR = sys.version_info.minor
ROOTS = (f"usr/local/lib/python3.{MINOR}", "packages", "app")


def bytecode(module):
    """The module without its source, under the name that Python then looks for; what has none is left as it is."""
    if module.suffix == ".pyc":
        return module
    target = module.with_suffix(".pyc")
    py_compile.compile(str(module), str(target), dfile=f"/{module}", doraise=True, optimize=2)
    module.unlink()
    return target


def stays(module, root):
    top = root / module.relative_to(root).parts[0]
    return top.is_dir() and any(top.rglob("*.so"))


def main(folder):
    os.chdir(folder)
    packed = Path(f"usr/local/lib/python3{MINOR}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for root in map(Path, ROOTS):
            for module in map(bytecode, sorted(root.rglob("*.py*"))):
                if not stays(module, root):
                    archive.write(module, module.relative_to(root))
                    module.unlink()
        print(len(archive.namelist()), "modules in", packed.name)
    for path, _, _ in os.walk(".", topdown=False):
        if not os.listdir(path):
            os.rmdir(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
