"""What an intruder would find, counted on layers made by hand."""

from __future__ import annotations

from layerlab.archive import FileEntry, LayerFiles
from layerlab.attribution import surface
from layerlab.waste import union


def program(path: str, mode: int = 0o755) -> FileEntry:
    return FileEntry(path, "file", 10, mode)


BASE = LayerFiles(
    "sha256:a",
    (
        program("usr/bin/dash"),
        FileEntry("usr/bin/sh", "symlink", 0, 0o777, link="dash"),
        program("usr/bin/apt-get"),
        program("usr/bin/su", 0o4755),
        program("usr/bin/expiry", 0o2755),
        program("usr/lib/python3/sh"),
        program("usr/bin/readme", 0o644),
        FileEntry("etc/passwd", "file", 10),
    ),
    owners={"usr/bin/dash": "debian:dash", "usr/bin/sh": "debian:dash", "usr/bin/su": "debian:login"},
)


def test_what_lies_in_folders_of_commands_is_counted_by_name() -> None:
    found = surface(union([BASE]), [BASE])
    assert found.commands == ("usr/bin/apt-get", "usr/bin/dash", "usr/bin/expiry", "usr/bin/sh", "usr/bin/su")
    assert found.shells == ("usr/bin/dash", "usr/bin/sh") and found.managers == ("usr/bin/apt-get",)
    assert found.setuid == ("usr/bin/expiry", "usr/bin/su"), "a group's rights are lent as well"
    assert found.packages == ("debian:dash", "debian:login") and found.python_packages == ()


def test_what_a_later_layer_removes_is_no_surface() -> None:
    removed = LayerFiles("sha256:b", (FileEntry("usr/bin/su", "whiteout"), FileEntry("usr/bin/sh", "whiteout")))
    found = surface(union([BASE, removed]), [BASE, removed])
    assert found.setuid == ("usr/bin/expiry",) and found.shells == ("usr/bin/dash",)
    assert found.packages == ("debian:dash",)


def test_an_image_without_a_record_of_packages_has_an_unknown_number_of_them() -> None:
    layer = LayerFiles("sha256:c", (program("bin/busybox"),), owners={"app/x.py": "python:x 1"})
    found = surface(union([layer]), [layer])
    assert found.packages is None and found.python_packages == ()
