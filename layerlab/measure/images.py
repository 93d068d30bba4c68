"""Images and builds as tables: sizes, layers, history, steps, what is copied and pulled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from layerlab.errors import BaseMismatch
from layerlab.image import Image, shared_prefix

if TYPE_CHECKING:
    from layerlab.build import BuildResult
    from layerlab.probe import CopiedItem

    Measurable: TypeAlias = Image | BuildResult
    Guess: TypeAlias = int | tuple[int, int]

PARTS = ("base", "added")


def images(measured: Mapping[str, Measurable | None], bases: Mapping[str, Image] | None = None) -> pd.DataFrame:
    """Put images side by side, one row each, in the order given.

    Parameters
    ----------
    measured
        Name → image or build result; None for an image that is not measured yet.
    bases
        Name → the base that this image stands on. Without one, base and added bytes stay NA.

    Returns
    -------
    pandas.DataFrame
        ``name``, ``size_bytes``, ``base_bytes``, ``added_bytes``, ``layers`` (all of them),
        ``added_layers`` and ``engine_size_bytes`` (the engine's own figure, another kind of size).
        Whole numbers that may be NA (``Int64``). ``counted_by``: "layers", or "engine" where the layers could not be
        read and the sizes are those of the engine's history; "" for what is not measured.

    Raises
    ------
    BaseMismatch
        Where the layers of a base are not the lowest layers of its image.
    """
    known = bases or {}
    rows = [_image_row(name, value, known.get(name)) for name, value in measured.items()]
    columns = ["name", *_IMAGE_NUMBERS, "counted_by"]
    kinds = {"name": "str", **dict.fromkeys(_IMAGE_NUMBERS, "Int64"), "counted_by": "str"}
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def ladder(
    measured: Mapping[str, Measurable | None],
    *,
    bases: Mapping[str, Image] | None = None,
    predictions: Mapping[str, Guess] | None = None,
) -> pd.DataFrame:
    """Return `images` with what each row saves, and what was predicted for it.

    Parameters
    ----------
    predictions
        Name → bytes, or a band of (lowest, highest) bytes.

    Returns
    -------
    pandas.DataFrame
        The columns of `images`, then ``saved_bytes`` (against the row above), ``share_of_first``
        (size as a part of the first row's) and ``predicted_low_bytes``, ``predicted_high_bytes``.
    """
    frame = images(measured, bases)
    sizes = frame["size_bytes"]
    frame["saved_bytes"] = -sizes.diff()
    # Without rows there is no first one to compare with; NA divides to NA.
    frame["share_of_first"] = (sizes / sizes.iloc[0] if len(sizes) else sizes).astype("Float64")
    bands = [_band((predictions or {}).get(name)) for name in measured]
    for column, edge in (("predicted_low_bytes", 0), ("predicted_high_bytes", 1)):
        frame[column] = pd.array([band[edge] for band in bands], dtype="Int64")
    return frame


def layers(image: Image, *, base: Image | None = None) -> pd.DataFrame:
    """List the layers of an image, base-first.

    Returns
    -------
    pandas.DataFrame
        ``index`` (0 is the lowest), ``instruction`` (empty where the history does not tell),
        ``size_bytes``, ``part`` (category *base* or *added*; NA without a base) and ``share`` of the
        image's size (0 to 1).

    Raises
    ------
    BaseMismatch
        Where the layers of ``base`` are not the lowest layers of ``image``.
    """
    count = _base_layers(image, base)
    frame = pd.DataFrame(
        [(layer.index, layer.instruction, layer.size_bytes) for layer in image.layers],
        columns=["index", "instruction", "size_bytes"],
    ).astype({"index": "int64", "instruction": "str", "size_bytes": "int64"})
    frame["part"] = _parts(len(frame), count)
    frame["share"] = _shares(frame["size_bytes"])
    return frame


def history(image: Image, *, base: Image | None = None) -> pd.DataFrame:
    """List every history entry of an image, base-first, those that made no layer included.

    Returns
    -------
    pandas.DataFrame
        ``entry`` (0 is the oldest), ``instruction``, ``size_bytes``, ``layer`` (its index, NA where
        the entry only changed configuration) and ``part``.
    """
    _base_layers(image, base)
    made = {layer.history_index: layer.index for layer in image.layers}
    rows = [(i, e.instruction, e.size_bytes, made.get(i)) for i, e in enumerate(image.history)]
    frame = pd.DataFrame(rows, columns=["entry", "instruction", "size_bytes", "layer"]).astype(
        {"entry": "int64", "instruction": "str", "size_bytes": "int64", "layer": "Int64"}
    )
    # A build appends to its base's history, so the base's own lines come first, CMD and ENV included.
    frame["part"] = _parts(len(frame), len(base.history) if base else None)
    return frame


def steps(result: BuildResult) -> pd.DataFrame:
    """List the steps of a build in the order they ran.

    Returns
    -------
    pandas.DataFrame
        ``number``, ``instruction``, ``line`` in the Dockerfile (NA where unknown), ``seconds`` of wall
        time (as recorded, where the build was replayed) and ``is_cached``.
    """
    rows = [(s.number, s.instruction, s.line, s.seconds, s.is_cached) for s in result.steps]
    columns = ["number", "instruction", "line", "seconds", "is_cached"]
    kinds = {"number": "int64", "instruction": "str", "line": "Int64", "seconds": "float64", "is_cached": "bool"}
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def timeline(result: BuildResult) -> pd.DataFrame:
    """List when each step of a build ran, in the order of the file; ARG and FROM do no work and are left out.

    Returns
    -------
    pandas.DataFrame
        ``stage`` (name or number), ``instruction``, ``line``, ``began`` and ``seconds`` (both in seconds, ``began``
        from the beginning of the build), ``is_cached``, and ``size_bytes`` of the layer that the step gave the image:
        NA for steps of other stages, which give it none.
    """
    sizes = {entry.written: entry.size_bytes for entry in result.image.history if entry.written}
    last = result.steps[-1].stage if result.steps else ""
    layers = [sizes.get(s.instruction) if s.stage == last else None for s in result.steps]
    rows = [
        (s.stage, s.instruction, s.line, s.began, s.seconds, s.is_cached, size)
        for s, size in zip(result.steps, layers, strict=True)
        if s.keyword not in ("ARG", "FROM")
    ]
    columns = ["stage", "instruction", "line", "began", "seconds", "is_cached", "size_bytes"]
    kinds = {"stage": "str", "instruction": "str", "line": "Int64", "began": "float64", "seconds": "float64"}
    return pd.DataFrame(rows, columns=columns).astype({**kinds, "is_cached": "bool", "size_bytes": "Int64"})


def blobs(described: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """List packed layers, base-first, from (what it holds, compressed bytes) pairs.

    Returns
    -------
    pandas.DataFrame
        ``index``, ``what``, ``compressed_bytes`` and ``share`` of the pull (0 to 1).
    """
    rows = [(index, what, size) for index, (what, size) in enumerate(described)]
    frame = pd.DataFrame(rows, columns=["index", "what", "compressed_bytes"]).astype(
        {"index": "int64", "what": "str", "compressed_bytes": "int64"}
    )
    frame["share"] = _shares(frame["compressed_bytes"])
    return frame


def copied(copied_files: Sequence[CopiedItem]) -> pd.DataFrame:
    """List what each ``COPY --from`` carries, in file order, the heaviest of a line first.

    Returns
    -------
    pandas.DataFrame
        ``line`` in the Dockerfile, ``path`` in the image that is shipped, ``owner`` (the Python
        distribution; NA where there is none), ``size_bytes`` with bytecode, ``is_executable`` and
        ``in_base`` (the base holds the same files there already).
    """
    ordered = sorted(copied_files, key=lambda item: (item.line, -item.size_bytes, item.path))
    rows = [(r.line, r.path, r.owner, r.size_bytes, r.is_executable, r.in_base) for r in ordered]
    kinds = {"line": "int64", "path": "str", "owner": "string", "size_bytes": "int64"}
    kinds |= {"is_executable": "bool", "in_base": "bool"}
    return pd.DataFrame(rows, columns=[*kinds]).astype(kinds)


_IMAGE_NUMBERS = ("size_bytes", "base_bytes", "added_bytes", "layers", "added_layers", "engine_size_bytes")


def _image_row(name: str, value: Measurable | None, base: Image | None) -> dict[str, Any]:
    if value is None:
        return {"name": name, "counted_by": ""}
    image = value if isinstance(value, Image) else value.image
    row: dict[str, Any] = {
        "name": name,
        "size_bytes": image.size_bytes,
        "layers": len(image.diff_ids),
        "engine_size_bytes": image.engine_size_bytes,
        "counted_by": "engine" if image.layer_sizes is None else "layers",
    }
    if base is not None:
        count = _base_layers(image, base) or 0
        added = sum(layer.size_bytes for layer in image.layers[count:])
        row |= {
            "base_bytes": image.size_bytes - added,
            "added_bytes": added,
            "added_layers": len(image.diff_ids) - count,
        }
    return row


def _base_layers(image: Image, base: Image | None) -> int | None:
    """Count the layers that ``image`` takes from ``base``; None without a base."""
    if base is None:
        return None
    shared = shared_prefix(image.diff_ids, base.diff_ids)
    # A tag moves: an image built last month stands on last month's base, and "added" against
    # today's would be its whole size. Saying so beats drawing it.
    if shared < len(base.diff_ids):
        raise BaseMismatch(
            f"The image {image.name} has {shared} of the {len(base.diff_ids)} layers of {base.name}. "
            "Build it again on the base that is here now, or compare it with the base it was built on."
        )
    return shared


def _parts(rows: int, of_base: int | None) -> pd.Categorical[object]:
    values = [None] * rows if of_base is None else ["base" if i < of_base else "added" for i in range(rows)]
    return pd.Categorical(values, categories=list(PARTS), ordered=True)


def _shares(sizes: pd.Series[int]) -> pd.Series[float]:
    # An image may weigh nothing (FROM scratch plus configuration): its shares are 0, not NaN.
    return (sizes / (int(sizes.sum()) or 1)).astype("float64")


def _band(guess: Guess | None) -> tuple[int | None, int | None]:
    if guess is None or isinstance(guess, tuple):
        return guess or (None, None)
    return guess, guess
