"""The combinations of the design space as a table, with the front of those that none beats."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import median

import pandas as pd

from layerlab.design_space import AXES, Measured, front, noise_seconds

_KINDS = {
    **dict.fromkeys(("name", "base", "stages", "installer", "bytecode", "user"), "str"),
    **dict.fromkeys(("size_bytes", "added_bytes"), "int64"),
    "start_seconds": "float64",
    "uid": "Int64",
    "serves": "bool",
    "is_on_front": "bool",
}


def space(measured: Sequence[Measured]) -> pd.DataFrame:
    """List combinations, the smallest image first.

    Returns
    -------
    pandas.DataFrame
        ``name``, the five choices by their keys, ``size_bytes``, ``added_bytes`` (to the base), ``start_seconds`` of
        processor time until it answers (NaN where it does not), ``uid`` (NA likewise), ``serves`` and
        ``is_on_front``: none is smaller and starts with less work, by more than repeated starts differ.
    """
    best = set(front(measured, noise=noise_seconds(measured)))
    rows = [
        (
            one.combination.name,
            *one.combination.options,
            one.size_bytes,
            one.added_bytes,
            one.start_seconds,
            one.uid,
            one.serves,
            one in best,
        )
        for one in sorted(measured, key=lambda one: (one.size_bytes, one.combination.name))
    ]
    return pd.DataFrame(rows, columns=list(_KINDS)).astype(_KINDS)


def space_steps(measured: Sequence[Measured]) -> pd.DataFrame:
    """Say what one change buys: over all pairs that differ in this choice and in no other, the middle difference.

    Returns
    -------
    pandas.DataFrame
        ``choice``, ``from`` and ``to`` (options by their titles), ``pairs`` (how many), and the middle of what the
        second has more than the first: ``size_bytes`` and ``start_seconds``. Only what serves is compared.
    """
    serving = [one for one in measured if one.start_seconds is not None]
    rows = []
    for axis in AXES:
        for first, second in itertools.combinations(axis.keys, 2):
            pairs = [
                (one, other)
                for one in serving
                for other in serving
                if one.combination.differences(other.combination) == (axis.key,)
                and (getattr(one.combination, axis.key), getattr(other.combination, axis.key)) == (first, second)
            ]
            if pairs:
                sizes = median(other.size_bytes - one.size_bytes for one, other in pairs)
                seconds = median((other.start_seconds or 0) - (one.start_seconds or 0) for one, other in pairs)
                rows.append((axis.title, axis.name(first), axis.name(second), len(pairs), sizes, seconds))
    return pd.DataFrame(rows, columns=["choice", "from", "to", "pairs", "size_bytes", "start_seconds"])
