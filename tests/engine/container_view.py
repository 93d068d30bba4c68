"""What a container of an image sees, listed by the container itself; held against layers in several tests."""

from __future__ import annotations

import json

from layerlab.engine import Engine
from layerlab.image import Image
from layerlab.waste import Union

# What the engine puts into every container, or mounts over what the image has there.
THE_ENGINES = (".dockerenv", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "dev/")

# Files and links of the container's own file system by inode, with all their names; mounts are other devices.
_SEEN = """
import json, os, stat, sys
root, seen = os.stat("/usr").st_dev, {}
for folder, names, files in os.walk("/", onerror=None):
    files += [name for name in names if os.path.islink(os.path.join(folder, name))]
    names[:] = [name for name in names if os.lstat(os.path.join(folder, name)).st_dev == root]
    for name in files:
        path = os.path.join(folder, name)[1:]
        if path.startswith(tuple(sys.argv[1:])):
            continue
        status = os.lstat("/" + path)
        if stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_dev == root):
            size = 0 if stat.S_ISLNK(status.st_mode) else status.st_size
            seen.setdefault(status.st_ino, [size, []])[1].append(path)
print(json.dumps(list(seen.values())))
"""


def differences(engine: Engine, image: Image, union: Union) -> list[str]:
    """Say where the layers show another file, or another size, than a container of the image sees."""
    printed = engine.run(image.id, ["python", "-B", "-c", _SEEN, *THE_ENGINES], user="root").output
    files: list[tuple[int, list[str]]] = json.loads(printed)
    assert len(files) > 1_000, "a container of the image saw hardly anything"
    inode = {name: number for number, (_, names) in enumerate(files) for name in names}
    shown = {inode.get(one.path, one.path): one for one in union.visible if not one.path.startswith(THE_ENGINES)}
    wrong = [f"/{one.path}: no container sees it" for number, one in shown.items() if isinstance(number, str)]
    for number, (size_bytes, names) in enumerate(files):
        one = shown.get(number)
        if one is None or one.size_bytes != size_bytes:
            layers = f"{one.size_bytes} bytes" if one else "nothing"
            wrong.append(f"/{names[0]}: {size_bytes} bytes in a container, {layers} in the layers")
    return wrong
