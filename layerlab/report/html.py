"""An inspection, or a comparison, as one HTML page: tables that need no script, figures that a script inside draws.

Names, paths and instructions come from an image that somebody else made, so they are never markup: the templates
escape every value, and what is not fit to print becomes visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from layerlab.checks import Check
from layerlab.comparison import Comparison
from layerlab.errors import AnswerError, DiskFull, LayerLabError
from layerlab.inspection import Inspection
from layerlab.report.document import document
from layerlab.report.page import drawing_js, figure_html, plotly_js
from layerlab.units import one_line, signed, size
from layerlab.version import __version__
from layerlab.work.answers import write_whole

if TYPE_CHECKING:
    from layerlab.figures import Figure

_MOST_ROWS = 40


def inspection_page(inspection: Inspection, checks: Sequence[Check] = (), *, source: str) -> str:
    """Give the page of one image, with the verdicts on it.

    Parameters
    ----------
    source
        Where the image was read from.
    """
    from layerlab import figures, measure

    found = document(inspection)
    files = figures.file_icicle(measure.files(inspection), source=source)
    waste = figures.waste_bars(measure.waste(inspection), source=source)
    added = sum(found["causes"].values())
    causes = [(name, size(total), f"{total / (added or 1):.1%}") for name, total in found["causes"].items()]
    return _page(
        "inspect.html",
        title=inspection.name,
        source=source,
        about=_about(found, added),
        verdicts=[(check.status, check.name, check.found, check.wanted) for check in checks],
        layers=[_layer(one) for one in found["layers"]],
        files_plot=_plot(files, "files-figure"),
        files=files.table,
        of_added=" of what was added to the base" if found["base"] else "",
        causes=causes,
        packages=_shortened([(one["package"], one["size_bytes"]) for one in found["packages"]]),
        waste_size=size(inspection.waste_bytes),
        waste_plot=_plot(waste, "waste-figure"),
        waste=waste.table,
    )


def comparison_page(found: Comparison, *, source: str) -> str:
    """Give the page of the way from one image to another."""
    from layerlab import figures, measure

    before, after = found.before, found.after
    names = (before.name, after.name) if before.name != after.name else ("before", "after")
    fall = figures.size_waterfall(measure.changes(before, after), names=names, source=source)
    packages = [_step(one.name, one.before_bytes, one.after_bytes) for one in found.packages[:_MOST_ROWS]]
    if more := found.packages[_MOST_ROWS:]:
        packages.append((f"{len(more):,} more", "", "", signed(sum(one.difference_bytes for one in more))))
    files: list[tuple[str, ...]] = [
        (f"/{one.path}", one.change, *_step("", one.before_bytes, one.after_bytes)[1:])
        for one in found.files[:_MOST_ROWS]
    ]
    if rest := found.files[_MOST_ROWS:]:
        files.append((f"{len(rest):,} more", "", "", "", signed(sum(one.difference_bytes for one in rest))))
    return _page(
        "compare.html",
        title=f"{before.name} → {after.name}",
        source=source,
        about=[
            ("before", size(before.size_bytes)),
            ("after", size(after.size_bytes)),
            ("difference", signed(found.difference_bytes)),
            ("layers in common", str(found.shared_layers)),
            ("to fetch for the second, unpacked", size(found.fetched_bytes)),
        ],
        causes_plot=_plot(fall, "causes-figure"),
        causes=fall.table,
        packages=packages,
        files=files,
    )


def write(path: Path, page: str) -> None:
    """Write a page whole or not at all; a file of this name is replaced, for it was named.

    Raises
    ------
    LayerLabError
        The path is no file, its folder is missing, or it may not be written.
    """
    # A link stays a link, and its target becomes the report.
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise LayerLabError(f"{path} is no file, so no report can be written there. Name one, such as report.html.")
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        write_whole(target, page)
        target.chmod(mode)
    except DiskFull as error:
        raise LayerLabError(f"No space is left to write {path}. Make room, or name a file on another disk.") from error
    except (AnswerError, OSError) as error:
        fault = error if isinstance(error, OSError) else error.__cause__
        raise LayerLabError(
            f"The report cannot be written to {path} ({getattr(fault, 'strerror', None) or fault}). "
            "Name a file in a folder that is there and that you may write to."
        ) from error


def _page(template: str, *, title: str, source: str, **given: Any) -> str:
    environment = Environment(
        loader=PackageLoader("layerlab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every value passes here, so that none can be forgotten.
        finalize=lambda value: one_line(value) if type(value) is str else value,
    )
    assert environment.loader is not None
    style = environment.loader.get_source(environment, "report.css")[0]
    inside = {"style": style, "plotly": plotly_js(), "drawing": drawing_js()}
    return environment.get_template(template).render(title=title, source=source, version=__version__, **inside, **given)


def _plot(figure: Figure, identifier: str) -> str:
    """Give a figure without its twin, which the page has beside it."""
    plot = figure._repr_mimebundle_()["application/vnd.plotly.v1+json"]
    return figure_html(plot, twin="", identifier=identifier)


def _about(found: dict[str, Any], added: int) -> list[tuple[str, str]]:
    base, image = found["base"], found["image"]
    facts = [("size on disk", size(found["size_bytes"]))]
    if base:
        facts += [("base", f"{base['name']}, {size(base['size_bytes'])}"), ("added to it", size(added))]
    else:
        facts.append(("base", "unknown"))
    facts += [("waste", size(found["waste_bytes"])), ("layers", str(len(found["layers"])))]
    facts += [("platform", image["platform"]), ("created", image["created"][:10])]
    facts.append(("image id", image["id"].removeprefix("sha256:")[:12]))
    return [(name, value) for name, value in facts if value]


def _layer(one: dict[str, Any]) -> tuple[str, ...]:
    mark = "(base) " if one["is_base"] else f"line {one['line']}: " if one["line"] else ""
    waste = size(one["waste_bytes"]) if one["waste_bytes"] else ""
    made_by = one_line(mark + one["instruction"], 400)
    return str(one["layer"] + 1), size(one["size_bytes"]), waste, f"{one['files']:,}", made_by


def _shortened(sums: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    rows = [(name, size(total)) for name, total in sums[:_MOST_ROWS]]
    if rest := sums[_MOST_ROWS:]:
        rows.append((f"{len(rest):,} more", size(sum(total for _, total in rest))))
    return rows


def _step(name: str, before: int, after: int) -> tuple[str, str, str, str]:
    return name, size(before), size(after), signed(after - before)
