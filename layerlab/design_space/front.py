"""Which measured combinations are beaten by none in both size and work at the start. Knows values, draws nothing."""

from __future__ import annotations

from collections.abc import Sequence

from layerlab.design_space.measuring import Measured


def front(measured: Sequence[Measured], *, noise: float = 0.0) -> tuple[Measured, ...]:
    """Return those that no other one on the front beats, the smallest first; what does not serve never counts.

    Parameters
    ----------
    noise
        Seconds below which a difference says nothing; see `noise_seconds`.

    Notes
    -----
    Every other one is beaten by one on the front. Without noise that is what is beaten by nobody at all. With noise
    the two differ, since three starts can each be as good as the next while the first is better than the last: so
    only those on the front may beat.
    """
    serving = [one for one in measured if one.start_seconds is not None]
    kept: list[Measured] = []
    for one in sorted(serving, key=lambda one: (one.size_bytes, one.start_seconds, one.combination.name)):
        if not any(beats(better, one, noise=noise) for better in kept):
            kept.append(one)
    return tuple(kept)


def beats(one: Measured, other: Measured, *, noise: float = 0.0) -> bool:
    """True where one is no larger and no slower than another, and better in one of the two."""
    if one.start_seconds is None or other.start_seconds is None:
        return False
    if one.size_bytes > other.size_bytes or one.start_seconds > other.start_seconds + noise:
        return False
    return one.size_bytes < other.size_bytes or one.start_seconds < other.start_seconds - noise


def noise_seconds(measured: Sequence[Measured]) -> float:
    """Return how far the work of a start varies by itself: nine of ten images have two starts that are closer.

    Notes
    -----
    Of each image the two least starts are compared, since the least is what counts.
    """
    least = [sorted(one.starts)[:2] for one in measured if len(one.starts) > 1]
    apart = sorted(second - first for first, second in least)
    return apart[len(apart) * 9 // 10] if apart else 0.0
