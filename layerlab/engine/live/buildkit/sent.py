"""A context as buildx takes it: its folder, of which only what changed is sent, and the Dockerfile beside."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from layerlab.context import BuildContext


@dataclass(frozen=True)
class Sent:
    """Paths for `docker build --file dockerfile folder`."""

    dockerfile: Path
    folder: Path


def lay_out(context: BuildContext, into: Path) -> Sent:
    """Write what a build needs besides the context's folder into another one, which is the caller's to remove.

    Parameters
    ----------
    into
        An empty folder.

    Notes
    -----
    The Dockerfile's text is the one that was read when the context was opened, whatever happens to the file meanwhile.
    ``<Dockerfile>.dockerignore`` beside it wins over the folder's own (BuildKit, frontend/dockerui), so what that file
    said is written there.
    Files that are to hold another text than on disk make a copy of the folder necessary, with the same permission bits:
    these count in BuildKit's cache, times do not (BuildKit, cache/contenthash).
    """
    dockerfile = into / "Dockerfile"
    dockerfile.write_bytes(_encoded(context.text))
    if context.ignore_text is not None:
        dockerfile.with_name("Dockerfile.dockerignore").write_bytes(_encoded(context.ignore_text))
    return Sent(dockerfile, _copied(context, into / "context") if context.changed else context.folder)


def _copied(context: BuildContext, folder: Path) -> Path:
    changed = dict(context.changed)
    folder.mkdir()
    for entry in context.entries:  # sorted, so a folder comes before what lies in it
        source, target = context.folder / entry.path, folder / entry.path
        # An exception of .dockerignore leaves a file in a folder that is itself left out.
        target.parent.mkdir(parents=True, exist_ok=True)
        if entry.kind == "folder":
            target.mkdir(exist_ok=True)
        else:
            shutil.copy2(source, target, follow_symlinks=False)
        if entry.path in changed:
            target.chmod(target.stat().st_mode | 0o200)
            target.write_bytes(_encoded(changed[entry.path]))
            shutil.copymode(source, target)
    for inside in sorted((one for one in folder.rglob("*") if one.is_dir() and not one.is_symlink()), reverse=True):
        shutil.copystat(context.folder / inside.relative_to(folder), inside)
    shutil.copystat(context.folder, folder)
    return folder


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
