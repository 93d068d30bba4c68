"""Files as the folders they lie in, what is too small to be seen folded together. Knows paths and sizes, no plotly."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

# A cell below this part of its layer is less than two pixels high when the layer is opened.
_SMALLEST_SHARE = 1 / 400
# A figure with more takes seconds to draw and megabytes to keep.
_MOST_CELLS = 500
# Deeper folders than any image needs count as files of this one: a path may have a hundred thousand parts.
_DEEPEST = 40


@dataclass(slots=True)
class Folder:
    """A folder with everything below it; ``rows`` are the numbers of the files that lie in it directly."""

    size_bytes: int = 0
    wasted_bytes: int = 0
    files: int = 0
    folders: dict[str, Folder] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)

    def sum_up(self) -> None:
        """Add to each folder what its folders hold."""
        for below in self.folders.values():
            below.sum_up()
            self.size_bytes += below.size_bytes
            self.wasted_bytes += below.wasted_bytes
            self.files += below.files


@dataclass(frozen=True, slots=True)
class Cell:
    """One rectangle: a layer, a folder, a file (``row`` is its number), or the rest of a folder (``is_rest``)."""

    parent: int
    name: str
    path: str
    layer: int
    size_bytes: int
    wasted_bytes: int
    files: int
    row: int | None = None
    is_rest: bool = False


class Folding:
    """The cells of some layers. A cell's number is its place in `cells`; the parent comes first, -1 has none.

    Parameters
    ----------
    paths, sizes, layers, wasted
        A value for each file; ``layers`` are indexes, and ``wasted`` is true where no container sees the file.
    """

    def __init__(
        self, paths: Sequence[str], sizes: Sequence[int], layers: Sequence[int], wasted: Sequence[bool]
    ) -> None:
        self._paths, self._sizes, self._wasted = paths, sizes, wasted
        self.roots = _grown(paths, sizes, layers, wasted)
        self._least = self._least_share()
        self.cells: list[Cell] = []
        for layer, root in sorted(self.roots.items()):
            self._open(root, self._add(root, -1, "", "", layer), layer)

    @property
    def folded(self) -> tuple[int, int]:
        """How many files have no cell of their own, and their bytes."""
        rest = [cell for cell in self.cells if cell.is_rest]
        return sum(cell.files for cell in rest), sum(cell.size_bytes for cell in rest)

    def _least_share(self) -> float:
        shares = (share for root in self.roots.values() for share in self._shares(root, root.size_bytes or 1))
        most = heapq.nlargest(_MOST_CELLS + 1, (share for share in shares if share > _SMALLEST_SHARE))
        return most[-1] if len(most) > _MOST_CELLS else _SMALLEST_SHARE

    def _shares(self, folder: Folder, whole: int) -> Iterator[float]:
        yield from (self._sizes[row] / whole for row in folder.rows)
        for below in folder.folders.values():
            yield below.size_bytes / whole
            # Nothing in a folder is larger than the folder.
            if below.size_bytes / whole > _SMALLEST_SHARE:
                yield from self._shares(below, whole)

    def _open(self, folder: Folder, number: int, layer: int) -> None:
        """Add what a folder holds, the largest first, and one cell for all that is too small."""
        least = self._least * (self.roots[layer].size_bytes or 1)
        path, seen = self.cells[number].path, 0
        held: list[tuple[int, str, Folder | int]] = [
            (one.size_bytes, name, one) for name, one in folder.folders.items()
        ]
        held += [(self._sizes[row], self._paths[row], row) for row in folder.rows]
        rest = Folder(folder.size_bytes, folder.wasted_bytes, folder.files)
        for size, name, one in sorted(held, key=lambda each: (-each[0], each[1])):
            if size <= least:
                break
            seen += 1
            if isinstance(one, Folder):
                below, joined = _joined(one, name)
                self._open(below, self._add(below, number, joined, f"{path}{joined}/", layer), layer)
                taken = (one.size_bytes, one.wasted_bytes, one.files)
            else:
                taken = (size, size * self._wasted[one], 1)
                self.cells.append(Cell(number, name[len(path) :], name, layer, *taken, row=one))
            rest.size_bytes, rest.wasted_bytes, rest.files = (
                rest.size_bytes - taken[0], rest.wasted_bytes - taken[1], rest.files - taken[2],
            )  # fmt: skip
        if rest.files:
            name = f"{rest.files:,} smaller" if seen else f"{rest.files:,} files"
            self._add(rest, number, name, path, layer, is_rest=True)

    def _add(self, folder: Folder, parent: int, name: str, path: str, layer: int, *, is_rest: bool = False) -> int:
        totals = (folder.size_bytes, folder.wasted_bytes, folder.files)
        self.cells.append(Cell(parent, name, path, layer, *totals, is_rest=is_rest))
        return len(self.cells) - 1


def _grown(
    paths: Iterable[str], sizes: Iterable[int], layers: Iterable[int], wasted: Iterable[bool]
) -> dict[int, Folder]:
    roots: dict[int, Folder] = {}
    known: dict[tuple[int, str], Folder] = {}
    for row, (path, size, layer, is_wasted) in enumerate(zip(paths, sizes, layers, wasted, strict=True)):
        name = path.rpartition("/")[0]
        folder = known.get((layer, name))
        if folder is None:
            folder = known[layer, name] = _found(roots.setdefault(layer, Folder()), name)
        folder.rows.append(row)
        folder.size_bytes += size
        folder.wasted_bytes += size * is_wasted
        folder.files += 1
    for root in roots.values():
        root.sum_up()
    return roots


def _found(root: Folder, path: str) -> Folder:
    folder = root
    for name in path.split("/", _DEEPEST)[:_DEEPEST] if path else ():
        folder = folder.folders.setdefault(name, Folder())
    return folder


def _joined(folder: Folder, name: str) -> tuple[Folder, str]:
    """Go down to the first folder that holds more than one other: a chain of them says no more than its end."""
    while len(folder.folders) == 1 and not folder.rows:
        ((below, folder),) = folder.folders.items()
        name = f"{name}/{below}"
    return folder, name
