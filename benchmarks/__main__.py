"""``python -m benchmarks [NAME …]``: measures, prints a line for each figure, and keeps them in README.md."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import click

from benchmarks import machine, report
from benchmarks.figure import Figure
from layerlab.errors import LayerLabError

ORDER = (
    "cached-build-small",
    "cached-build-large",
    "import",
    "python",
    "first-figure-process",
    "first-figure-kernel",
    "notebooks-recorded",
    "panel-shown",
    "panel-static",
    "panel-cancel",
    "archive-large",
    "archive-peer",
    "archive-memory",
    "archive-removed",
    "icicle",
    "archive-files",
    "archive-whiteouts",
    "layers-walked",
    "layers-kept",
    "layers-streamed",
    "setup-first",
    "setup-slim",
    "setup-full",
    "setup-second",
    "setup-first-recorded",
    "setup-second-recorded",
)


def _cached_build() -> Iterator[Figure]:
    from benchmarks import cached_build

    return cached_build.measure()


def _start_up() -> Iterator[Figure]:
    from benchmarks import start_up

    return start_up.measure()


def _notebooks() -> Iterator[Figure]:
    from benchmarks import notebooks

    return notebooks.measure()


def _panel() -> Iterator[Figure]:
    from benchmarks import panel

    return panel.measure()


def _archives() -> Iterator[Figure]:
    from benchmarks import archives

    return archives.measure()


def _icicle() -> Iterator[Figure]:
    from benchmarks import icicle

    return icicle.measure()


def _layers() -> Iterator[Figure]:
    from benchmarks import layers

    return layers.measure()


def _setting_up(*, with_engine: bool = True) -> Iterator[Figure]:
    from benchmarks import setting_up

    return setting_up.measure(with_engine=with_engine)


BENCHMARKS: dict[str, Callable[[], Iterator[Figure]]] = {
    "cached-build": _cached_build,
    "start-up": _start_up,
    "notebooks": _notebooks,
    "panel": _panel,
    "archives": _archives,
    "icicle": _icicle,
    "layers": _layers,
    "setting-up": _setting_up,
    "setting-up-recorded": lambda: _setting_up(with_engine=False),
}
# These take a machine for themselves, and are asked for by name.
BY_NAME_ONLY = ("setting-up", "setting-up-recorded")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(tuple(BENCHMARKS)))
@click.option("--dry", is_flag=True, help="Print only; leave README.md and results.json as they are.")
def main(names: tuple[str, ...], dry: bool) -> None:
    """Measure the course; without NAMES everything but the two that set up a machine."""
    measured: list[Figure] = []
    failed = False
    for name in names or tuple(name for name in BENCHMARKS if name not in BY_NAME_ONLY):
        try:
            for figure in BENCHMARKS[name]():
                measured.append(figure)
                click.echo(report.line(figure))
        except LayerLabError as error:
            failed = True
            click.echo(f"FAIL {name}: {error}", err=True)
    if measured and not dry:
        report.write(measured, machine.description(), order=ORDER)
    sys.exit(2 if failed else int(any(figure.verdict == "FAIL" for figure in measured)))


if __name__ == "__main__":
    main(prog_name="layerlab bench")
