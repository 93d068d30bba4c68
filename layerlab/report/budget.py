"""A budget for an image, as rules with a verdict each. Knows an inspection; prints nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlab.attribution import Attributed
from layerlab.checks import Check, judge
from layerlab.inspection import Inspection
from layerlab.units import size


@dataclass(frozen=True)
class Budget:
    """What an image may cost; None and an empty tuple set no rule.

    Attributes
    ----------
    forbidden
        Names of packages or programs that no layer above the base may hold, visible or not: ``gcc``, ``uv``, ``pip``.
    """

    max_size_bytes: int | None = None
    max_waste_bytes: int | None = None
    max_layers: int | None = None
    forbidden: tuple[str, ...] = ()


def judged(inspection: Inspection, budget: Budget) -> tuple[Check, ...]:
    """Hold an image against a budget, one check a rule."""
    return tuple(_checks(inspection, budget))


def _checks(inspection: Inspection, budget: Budget) -> Iterator[Check]:
    if budget.max_size_bytes is not None:
        yield _at_most("size", inspection.size_bytes, budget.max_size_bytes)
    if budget.max_waste_bytes is not None:
        yield _at_most("waste", inspection.waste_bytes, budget.max_waste_bytes)
    if budget.max_layers is not None:
        count = len(inspection.layers)
        yield judge("layers", count <= budget.max_layers, found=str(count), wanted=f"at most {budget.max_layers}")
    for name in budget.forbidden:
        yield _forbids(inspection, name)


def forbidden_files(files: Sequence[Attributed], name: str) -> tuple[Attributed, ...]:
    """Return what layers above the base hold of a package or program, the largest first.

    A package counts by its name (``gcc`` is also ``gcc-12``), a program by its file name in a ``bin`` folder.
    """
    wanted = name.lower()
    found = [one for one in files if one.cause not in ("base", "site layer") and _is(one, wanted)]
    return tuple(sorted(found, key=lambda one: -one.size_bytes))


def _forbids(inspection: Inspection, name: str) -> Check:
    added = forbidden_files(inspection.files, name)
    found = _found(inspection, added)
    if added and not inspection.base_layers:
        # It may be the base's own, which a budget does not speak of.
        unknown = "the base is unknown, and it may be the base's own"
        return Check(name=f"no {name} added", status="SKIP", found=found, wanted="--base NAME to decide", why=unknown)
    return judge(f"no {name} added", not added, found=found, wanted="nothing of it above the base")


def _is(one: Attributed, wanted: str) -> bool:
    package = one.package.partition(":")[2].partition(" ")[0].lower()
    if package == wanted or (
        package.startswith(f"{wanted}-") and package[len(wanted) + 1 :].replace(".", "").isdigit()
    ):
        return True
    folder, _, file = one.path.rpartition("/")
    return posixpath.basename(folder) in ("bin", "sbin") and file.lower() == wanted


def _at_most(name: str, found: int, limit: int) -> Check:
    return judge(name, found <= limit, found=size(found), wanted=f"at most {size(limit)}")


def _found(inspection: Inspection, added: Sequence[Attributed]) -> str:
    if not added:
        return "none"
    total = sum(one.size_bytes for one in added)
    where = inspection.makers[added[0].layer].where
    hidden = ", hidden but carried" if all(one.wasted for one in added) else ""
    return f"{size(total)} in {len(added)} files, /{added[0].path} in {where}{hidden}"
