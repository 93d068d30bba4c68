"""What a word on the command line names: an archive, one image of several in an archive, or an image of the engine."""

from __future__ import annotations

from pathlib import Path

from layerlab.errors import LayerLabError

# An image's name can begin and end with none of these.
_BEGINNINGS = ("/", "./", "../", "~")
_ENDINGS = ("/", ".tar", ".tar.gz", ".tgz", ".tar.zst")


def archive_named(target: str) -> tuple[Path, str | None] | None:
    """Return the archive that a target names, and which image of it, or None where it names an image of the engine.

    ``images.tar#app:1`` is the image ``app:1`` of an archive that holds several.

    Raises
    ------
    LayerLabError
        It can only be a file, and there is none.
    """
    name, mark, reference = target.rpartition("#")
    for path, chosen in ((Path(target), None), (Path(name), reference)):
        if path.exists() and not path.is_dir():  # a pipe too: inspect <(docker save app)
            return path, chosen
    path_text = name if mark else target
    if mark or path_text.startswith(_BEGINNINGS) or path_text.endswith(_ENDINGS):
        found = f"{path_text} is a folder" if Path(path_text).is_dir() else f"There is no file {path_text}"
        raise LayerLabError(f"{found}. Name an archive made by `docker save`, or an image.")
    if not target.strip():
        raise LayerLabError("An image has no empty name. Name one that `docker images` lists, or an archive.")
    return None
