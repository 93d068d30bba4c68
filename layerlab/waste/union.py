"""Layers laid over each other: what stays visible, and every byte that does not. Linear in entries and whiteouts.

Knows the rules of the OCI image specification (layer.md); no engine, no instruction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from layerlab.archive.collecting import paused
from layerlab.archive.entries import FileEntry, LayerFiles

How = Literal["rewritten", "attributes only", "same again", "removed", "removed with its folder", "opaque folder"]


class Wasted(NamedTuple):
    """A file whose bytes lie in a layer and are not visible in the image.

    Attributes
    ----------
    size_bytes
        A file with several hard links counts once, when its last name is hidden.
    how
        ``rewritten`` by other content; copied again for its mode or owner (``attributes only``) or for nothing
        (``same again``); ``removed``, alone or with its folder; hidden by an ``opaque folder``.
    written_by, hidden_by
        Indexes of layers, base-first. Equal where one layer's tar holds a path twice.
    """

    path: str
    size_bytes: int
    how: How
    written_by: int
    hidden_by: int


class Visible(NamedTuple):
    """A file or symbolic link as a container sees it; ``layer`` is the index of the layer that holds it."""

    path: str
    size_bytes: int
    layer: int
    entry: FileEntry


@dataclass(frozen=True)
class Union:
    """An image's layers as one file system, and what it hides."""

    wasted: tuple[Wasted, ...]
    visible: tuple[Visible, ...]

    @cached_property
    def waste_bytes(self) -> int:
        """All bytes that no container of the image can see."""
        return sum(one.size_bytes for one in self.wasted)

    @cached_property
    def visible_bytes(self) -> int:
        """The bytes of the files that a container sees; a file with several hard links counts once."""
        return sum(one.size_bytes for one in self.visible)


def union(layers: Sequence[LayerFiles]) -> Union:
    """Lay layers over each other, base-first.

    Notes
    -----
    The bytes of all layers are those of `Union.visible` and of `Union.wasted` together. Whiteouts apply to the
    layers below only, wherever they stand in their tar (OCI image specification 1.1, layer.md).
    """
    stack = _Stack()
    with paused():
        for index, layer in enumerate(layers):
            stack.lay(index, layer.entries)
        return Union(tuple(stack.wasted), tuple(stack.visible()))


class _File:
    """A file or symbolic link, how many names it still has, and whether it ever had several."""

    __slots__ = ("entry", "is_linked", "layer", "names")

    def __init__(self, entry: FileEntry, layer: int) -> None:
        self.entry = entry
        self.layer = layer
        self.names = 1
        self.is_linked = False


class _Folder(dict[str, "_Folder | _File | None"]):
    """Names in a folder; None stands for what has no bytes (pipes, devices)."""

    __slots__ = ()


class _Stack:
    """The file system so far."""

    def __init__(self) -> None:
        self.root = _Folder()
        self.wasted: list[Wasted] = []
        # Most entries ask for a parent that another one asked for; forgotten when any folder goes.
        self._known: dict[str, _Folder] = {"": self.root}

    def lay(self, layer: int, entries: Sequence[FileEntry]) -> None:
        """Put a layer on top."""
        for entry in entries:
            if entry.kind == "whiteout":
                self._remove(entry.path, layer)
            elif entry.kind == "opaque":
                self._empty(entry.path, layer)
        for entry in entries:
            if entry.kind not in ("whiteout", "opaque") and entry.path:
                self._add(entry, layer)

    def visible(self) -> Iterator[Visible]:
        """Yield the files that have a name left, each once."""
        linked: set[_File] = set()
        open_folders: list[tuple[str, _Folder]] = [("", self.root)]
        while open_folders:
            path, folder = open_folders.pop()
            for name, node in folder.items():
                if isinstance(node, _Folder):
                    open_folders.append((f"{path}{name}/", node))
                elif node is None or node in linked:
                    continue
                elif node.is_linked:
                    linked.add(node)
                    yield Visible(f"{path}{name}", node.entry.size_bytes, node.layer, node.entry)
                else:
                    yield Visible(node.entry.path, node.entry.size_bytes, node.layer, node.entry)

    def _add(self, entry: FileEntry, layer: int) -> None:
        kind = entry.kind
        folder, _, name = entry.path.rpartition("/")
        parent = self._known.get(folder)
        if parent is None:
            parent = self._folder(folder, layer)
        old = parent.get(name)
        if kind == "dir":
            if not isinstance(old, _Folder):
                self._hide(old, layer, "rewritten")
                parent[name] = _Folder()
            return
        new: _File | None = None
        if kind in ("file", "symlink"):
            new = _File(entry, layer)
        elif kind == "hardlink":
            target = self._find(entry.link)
            new = target if isinstance(target, _File) else None
            if new is not None:
                new.names += 1
                new.is_linked = True
        if old is not None:
            self._hide(old, layer, self._how(old, new))
        parent[name] = new

    @staticmethod
    def _how(old: _Folder | _File, new: _File | None) -> How:
        if not isinstance(old, _File) or new is None:
            return "rewritten"
        before, after = old.entry, new.entry
        is_same = before.size_bytes == after.size_bytes and before.checksum == after.checksum
        if not is_same or before.checksum is None:
            return "rewritten"
        attributes = (before.mode, before.uid, before.gid), (after.mode, after.uid, after.gid)
        return "same again" if attributes[0] == attributes[1] else "attributes only"

    def _remove(self, path: str, layer: int) -> None:
        folder, _, name = path.rpartition("/")
        parent = self._find(folder) if folder else self.root
        if isinstance(parent, _Folder) and name in parent:
            node = parent.pop(name)
            self._hide(node, layer, "removed with its folder" if isinstance(node, _Folder) else "removed")

    def _empty(self, path: str, layer: int) -> None:
        folder = self._find(path) if path else self.root
        if isinstance(folder, _Folder):
            for node in folder.values():
                self._hide(node, layer, "opaque folder")
            folder.clear()

    def _hide(self, node: _Folder | _File | None, layer: int, how: How) -> None:
        if isinstance(node, _Folder):
            self._known = {"": self.root}
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if isinstance(one, _Folder):
                waiting += one.values()
            elif one is not None:
                one.names -= 1
                if not one.names:
                    self.wasted.append(Wasted(one.entry.path, one.entry.size_bytes, how, one.layer, layer))

    def _folder(self, path: str, layer: int) -> _Folder:
        """Return a folder, making what is missing: a tar need not list the folders of its files."""
        folder = self.root
        for part in path.split("/"):
            node = folder.get(part)
            if not isinstance(node, _Folder):
                self._hide(node, layer, "rewritten")
                node = folder[part] = _Folder()
            folder = node
        self._known[path] = folder
        return folder

    def _find(self, path: str) -> _Folder | _File | None:
        node: _Folder | _File | None = self.root
        for part in path.split("/"):
            if not isinstance(node, _Folder):
                return None
            node = node.get(part)
        return node
