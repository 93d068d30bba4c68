"""A made-up image with its files, as an inspection: waste of every kind, a package, a base. Holds no test."""

from __future__ import annotations

from layerlab.archive import FileEntry, LayerFiles
from layerlab.image import HistoryEntry, Image
from layerlab.inspection import Inspection

SITE = "usr/local/lib/python3.11/site-packages"
HOSTILE = "tmp/<img src=x onerror=alert(1)>\x1b[31m\u202e\udcff{{7*7}}[bold]"

_LAYERS = (
    ("ADD rootfs.tar /", {"usr/bin/python3.11": 60_000_000, "etc/motd": 300}, {}),
    ("RUN apt-get install -y gcc", {"usr/bin/gcc": 30_000_000}, {"usr/bin/gcc": "debian:gcc-12"}),
    ("RUN pip install flask", {f"{SITE}/flask/app.py": 4_000_000}, {f"{SITE}/flask/app.py": "python:flask 3.0"}),
    ("COPY model.bin /data/", {"data/model.bin": 50_000_000, "data/readme": 20}, {}),
    ("RUN chmod 600 /data/model.bin && rm /usr/bin/gcc", {"data/model.bin": 50_000_000}, {}),
)


def inspection(*, base_layers: int = 1, name: str = "layerlab/made-up:1") -> Inspection:
    """Return an image of five layers: a compiler that is removed again, and a model copied again for its mode."""
    layers = [_layer(number, files, owners) for number, (_, files, owners) in enumerate(_LAYERS)]
    gone = (*layers[-1].entries, FileEntry("usr/bin/gcc", "whiteout"))
    layers[-1] = LayerFiles(layers[-1].diff_id, gone)
    instructions = [instruction for instruction, *_ in _LAYERS]
    return of_layers(layers, instructions, base_layers=base_layers, name=name)


def of_layers(
    layers: list[LayerFiles], instructions: list[str], *, base_layers: int = 0, name: str = "layerlab/made-up:1"
) -> Inspection:
    """Return an inspection of these layers; the n-th added one stands in line n + 1 of its Dockerfile."""
    sized = zip(instructions, layers, strict=True)
    history = tuple(HistoryEntry(f"/bin/sh -c #(nop) {text}", layer.size_bytes, written=text) for text, layer in sized)
    ids = tuple(layer.diff_id for layer in layers)
    image = Image("sha256:" + "b" * 64, (name,), "linux/amd64", "", history, ids, 0)
    lines = tuple((number, number + 2 - base_layers) for number in range(base_layers, len(layers)))
    return Inspection(image, tuple(layers), base_layers, "made-up:base" if base_layers else "", lines)


def hostile() -> Inspection:
    """Return an image whose name, instruction, file and package would be markup, commands or templates somewhere."""
    layer = LayerFiles("sha256:0", (FileEntry(HOSTILE, "file", 900),), owners={HOSTILE: "python:<b>x</b>\x07 1"})
    above = LayerFiles("sha256:1", (FileEntry(HOSTILE, "whiteout"),))
    evil = "\x1b]0;owned\x07</script><script>alert(2)</script>[/red]"
    return of_layers([layer, above], [f"{evil} RUN", f"RUN {evil}"], name=f"layerlab/x:{evil}")


def many(count: int, *, layers: int = 5) -> Inspection:
    """Return an image of so many small files in folders of 50."""
    entries = [FileEntry(f"{SITE}/p{n // 50:04}/m_{n}.py", "file", 100 + n % 997) for n in range(count)]
    each = -(-count // layers)
    split = [entries[start : start + each] for start in range(0, count, each)]
    made = [LayerFiles(f"sha256:{number}", tuple(part)) for number, part in enumerate(split)]
    return of_layers(made, [f"RUN step {number}" for number in range(len(made))], base_layers=1)


def _layer(number: int, files: dict[str, int], owners: dict[str, str]) -> LayerFiles:
    mode = 0o600 if number == len(_LAYERS) - 1 else 0o644
    entries = tuple(FileEntry(path, "file", size, mode, checksum=len(path)) for path, size in files.items())
    return LayerFiles(f"sha256:{number}", entries, owners=owners)
