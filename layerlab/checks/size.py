"""Checks on sizes: relative, and only on what was added to the base. Given bytes; measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerlab.checks.verdict import Check, Sizes, judge
from layerlab.units import size

if TYPE_CHECKING:
    from layerlab.probe import CopiedItem

_NEGLIGIBLE_BYTES = 1_000_000  # an environment's own scripts, a package's licence: nobody removes these


def luggage(
    sizes: Sizes,
    *,
    share: float = 0.25,
    most_bytes: int | None = None,
    which_is: str = "",
    copied_files: Sequence[CopiedItem] = (),
) -> Check:
    """Check that what else gets copied is small beside what the service needs.

    Parameters
    ----------
    share
        Of the needed bytes; below a megabyte luggage always passes.
    most_bytes, which_is
        Another limit in the place of that share, and what it is in words: "15% of what rode along before".
    copied_files
        What the COPY lines carry, to name the heaviest that is not needed.
    """
    most = max(int(sizes.needed_bytes * share), _NEGLIGIBLE_BYTES) if most_bytes is None else most_bytes
    carried, needed = size(sizes.luggage_bytes), size(sizes.needed_bytes)
    return judge(
        "luggage",
        sizes.luggage_bytes <= most,
        found=f"{carried}{_heaviest(copied_files)}",
        wanted=f"at most {size(most)}" + (f", {which_is}" if which_is else ""),
        because=f"{carried} beside the {needed} that the service needs",
        not_yet=f"the service needs {needed}; every node pulls the rest.",
        look="Which line brought it, and what of it is used?",
    )


def smaller(before_bytes: int, after_bytes: int, *, share: float = 1.0, what: str = "the image before") -> Check:
    """Check that an image is at most this share of another one; sizes of two images on one engine."""
    most = int(before_bytes * share)
    return judge(
        "smaller",
        after_bytes < before_bytes and after_bytes <= most,
        found=size(after_bytes),
        wanted=f"less than {size(before_bytes)}" if share >= 1 else f"at most {size(most)}",
        because=f"{size(after_bytes)}, where {what} has {size(before_bytes)}",
        not_yet=f"{what} has {size(before_bytes)}, and little of it stayed behind.",
        look="Which layer is the largest now, and which line wrote it?",
    )


def _heaviest(copied_files: Sequence[CopiedItem]) -> str:
    from layerlab.probe import is_installer

    known = [item for item in copied_files if is_installer(item)]
    if not known:
        return ""
    worst = max(known, key=lambda item: item.size_bytes)
    return f", of it {size(worst.size_bytes)} in {worst.path} by line {worst.line}"
