"""Every byte by name: packages and causes of made-up layers, and that nothing is lost or counted twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from made_up_stacks import stacks

from layerlab.archive import FileEntry, LayerFiles
from layerlab.attribution import CAUSES, attribute
from layerlab.attribution.causes import cause
from layerlab.image import HistoryEntry, Image

SITE = "usr/local/lib/python3.11/site-packages"


def image(*instructions: str, sizes: tuple[int, ...]) -> Image:
    history = tuple(HistoryEntry(text, size) for text, size in zip(instructions, sizes, strict=True))
    diff_ids = tuple(f"sha256:{number}" for number in range(len(history)))
    return Image("sha256:i", (), "linux/amd64", "", history, diff_ids, sum(sizes))


@given(stacks())
def test_the_rows_add_up_to_the_layers(layers: list[LayerFiles]) -> None:
    sizes = tuple(layer.size_bytes for layer in layers)
    rows = attribute(image(*("RUN x" for _ in layers), sizes=sizes), layers, base_layers=1)
    assert sum(row.size_bytes for row in rows) == sum(sizes)
    assert {row.cause for row in rows if row.layer == 0} <= {"base"}


@pytest.mark.parametrize(
    ("path", "package", "wanted"),
    [
        (f"{SITE}/fastapi/app.py", "python:fastapi 0.115.0", "dependency"),
        (f"{SITE}/vendored/lib.so", "", "dependency"),
        (f"{SITE}/fastapi/__pycache__/app.cpython-311.pyc", "python:fastapi 0.115.0", "bytecode"),
        ("usr/local/bin/uv", "python:uv 0.5.1", "installer"),
        ("usr/bin/x86_64-linux-gnu-gcc-12", "debian:gcc-12", "compiler"),
        ("usr/include/zlib.h", "debian:zlib1g-dev", "compiler"),
        ("usr/lib/libpq.so.5", "debian:libpq5", "dependency"),
        ("lib/libgcc_s.so.1", "debian:libgcc-s1", "dependency"),
        ("usr/share/x", "debian:gcc-12-base", "dependency"),
        ("usr/bin/gcc", "alpine:gcc 13.2", "compiler"),
        ("root/.cache/pip/http/1/2", "", "cache"),
        ("var/cache/apt/archives/gcc.deb", "", "cache"),
        ("var/lib/apt/lists/deb_dists", "", "cache"),
        ("var/lib/dpkg/status", "", "other"),
        ("app/model.bin", "", "other"),
    ],
)
def test_a_path_and_a_package_tell_the_cause(path: str, package: str, wanted: str) -> None:
    assert cause(path, package, is_again=False, is_context=False) == wanted
    assert cause(path, package, is_again=True, is_context=False) == "duplicate"


def test_pip_a_second_time_is_a_duplicate_and_its_bytecode_is_not() -> None:
    pip = FileEntry(f"{SITE}/pip/main.py", "file", 40, checksum=1)
    base = LayerFiles("0", (pip,), owners={pip.path: "python:pip 24.0"})
    mine = LayerFiles(
        "1",
        (
            pip,
            FileEntry(f"{SITE}/pip/__pycache__/main.cpython-311.pyc", "file", 9),
            FileEntry(f"{SITE}/pip/new.py", "file", 7, checksum=2),
        ),
    )
    rows = attribute(image("ADD x", "COPY --from=builder a b", sizes=(40, 56)), [base, mine], base_layers=1)
    assert [(row.cause, row.size_bytes) for row in rows] == [
        ("base", 40), ("duplicate", 40), ("bytecode", 9), ("dependency", 7),
    ]  # fmt: skip
    assert rows[2].package == "python:pip 24.0"
    assert rows[0].wasted and rows[0].wasted.how == "same again"


def test_what_comes_from_the_context_is_the_application() -> None:
    layers = [LayerFiles(str(number), (FileEntry(f"app/{number}", "file", 5),)) for number in range(3)]
    rows = attribute(
        image("COPY main.py .", "COPY --from=builder /app .", "RUN make-data", sizes=(5, 5, 5)), layers, lines={0: 7}
    )
    assert [row.cause for row in rows] == ["application", "other", "other"]
    assert [row.line for row in rows] == [7, None, None]


def test_the_site_layer_of_a_stand_in_stands_apart() -> None:
    layers = [LayerFiles("0", (FileEntry("bin/sh", "file", 5),)), LayerFiles("1", (FileEntry("etc/ca", "file", 3),))]
    made = image("ADD x", "COPY certificates (our site layer)", sizes=(5, 3))
    rows = attribute(made, layers, base_layers=2, site_layer="our site layer")
    assert [row.cause for row in rows] == ["base", "site layer"]
    assert {row.cause for row in rows} <= set(CAUSES)
