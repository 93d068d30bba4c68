"""Removes the private engine's data, and is sure beforehand that it is ours. Knows mounts and folders only."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from layerlab.engine.private.mounting import is_bound_to_itself, mounts, mounts_below, unmount
from layerlab.engine.private.places import EARLIER_FOLDER, ENGINE_FOLDER, Paths
from layerlab.errors import PrivateEngineError

FOLDERS = (ENGINE_FOLDER, EARLIER_FOLDER)


def check(paths: Paths) -> None:
    """Refuse to remove a data root that does not look like ours.

    Raises
    ------
    PrivateEngineError
        If it is not the folder our start made: elsewhere, a link, another's, or without our configuration.
    """
    data_root = paths.data_root
    doubts = (
        (not data_root.is_absolute() or len(data_root.parts) < 4, "it is too close to the root"),
        (data_root.parent != paths.root or paths.root.name not in FOLDERS, "it is not where ours is"),
        (data_root.is_symlink() or paths.root.is_symlink(), "it is a link"),
        (data_root.exists() and data_root.stat().st_uid != os.geteuid(), "it belongs to somebody else"),
        (_has_content(data_root) and not paths.config.is_file(), "our start did not make it"),
    )
    for is_doubtful, why in doubts:
        if is_doubtful:
            raise PrivateEngineError(f"{data_root} is not removed, for {why}. Look at it, and remove it by hand.")


def remove(paths: Paths) -> None:
    """Unmount what is mounted below our folders, then remove them. The engine must have ended.

    Raises
    ------
    PrivateEngineError
        If something stays mounted: removing through a mount would delete what is behind it.
    """
    folders = (paths.data_root, paths.exec_root)
    for point in (*mounts_below(paths.exec_root), *mounts_below(paths.data_root)):
        unmount(point)
    unbind(paths)
    if left := [point for folder in folders for point in mounts_below(folder)]:
        raise PrivateEngineError(f"{left[0]} is still mounted, so nothing was removed. Unmount it, and purge again.")
    for folder in folders:
        _empty(folder)
    for name in ("programs", "programs.draft", "programs.apt", "client"):
        shutil.rmtree(paths.root / name, ignore_errors=True)
    # Folders under /tmp, where the paths were too long for sockets.
    for folder in {paths.exec_root.parent, paths.socket.parent} - {paths.root}:
        with suppress(OSError):
            folder.rmdir()


def remove_earlier(paths: Paths) -> None:
    """Remove all that the course's earlier engine left; what is none of its files stays, and so does the folder then.

    Raises
    ------
    PrivateEngineError
        If something stays mounted.
    """
    remove(paths)
    logs = (paths.log, paths.log.with_suffix(".log.old"))
    for path in (paths.config, paths.marker, paths.root / "key.json", paths.lock, *logs):
        path.unlink(missing_ok=True)
    with suppress(OSError):
        paths.root.rmdir()


def unbind(paths: Paths) -> None:
    """Undo the mount of the data root on itself that a killed dockerd leaves; a disk mounted there stays."""
    if paths.data_root.exists() and is_bound_to_itself(paths.data_root):
        unmount(paths.data_root)


def _empty(folder: Path) -> None:
    if not folder.exists():
        return
    if folder.resolve() not in (mount.point for mount in mounts()):
        shutil.rmtree(folder)
        return
    for entry in folder.iterdir():  # the user's own disk: its mount point cannot be removed
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _has_content(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
