"""The command line: verbs that only forward. Every import of work to do happens inside its verb."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from layerlab.errors import LayerLabError
from layerlab.version import __version__

if TYPE_CHECKING:
    from layerlab.engine.private import Status


class Verbs(click.Group):
    """A group that lists its verbs in the order they were written, and shows our errors as one message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Keep the order of use: click would sort by name."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; an error of ours is its message on stderr and status 2, without frames."""
        try:
            return super().invoke(ctx)
        except LayerLabError as error:
            click.echo(str(error), err=True)
            ctx.exit(2)


class Bytes(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """A size as people write it."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say how to write it."""
        from layerlab.units import parse_size

        try:
            return parse_size(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Bandwidth(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """A bandwidth as people write it."""

    name = "bandwidth"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it, or say how to write it."""
        from layerlab.units import parse_bandwidth

        try:
            return parse_bandwidth(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="layerlab")
def main() -> None:
    """Layer Lab: container image optimization, measured on your own engine.

    Start with `layerlab lab`. `layerlab doctor` says what is missing, if anything is.
    """


@main.command()
@click.option("--port", default=8888, show_default=True, help="Where to start looking for a free port.")
@click.option("--no-browser", is_flag=True, help="Print the address, open nothing.")
def lab(port: int, no_browser: bool) -> None:
    """Open the course in JupyterLab, setting up whatever is missing."""
    from layerlab.course.jupyterlab import lab as open_lab

    sys.exit(open_lab(port=port, browser=not no_browser))


@main.command()
@click.argument("pytest_arguments", nargs=-1)
@click.option("--nightly", is_flag=True, help="Also what takes hours, such as every documented mistake, live.")
@click.option("--on", metavar="ENGINE", help="Only the contract and the notebooks, on an engine of another version.")
def test(pytest_arguments: tuple[str, ...], nightly: bool, on: str | None) -> None:
    """Run every test, on a live engine where possible.

    What stands after `--` goes to pytest. ENGINE is docker-26.1, docker-28.5-overlay2, docker-28.5-containerd or
    podman-5.8: started for the tests alone, and removed after them (root on Debian only; docs/engines.md).
    """
    if on:
        from layerlab.course.other_engines import test_on
        from layerlab.engine.temporary import KINDS

        if on not in KINDS:
            raise click.BadParameter(f"{on!r} is none of {', '.join(KINDS)}.", param_hint="--on")
        if nightly:
            raise click.UsageError("--on and --nightly exclude each other.")
        sys.exit(test_on(on, pytest_arguments))
    from layerlab.course.testing import test as run_tests

    sys.exit(run_tests(pytest_arguments, nightly=nightly))


@main.command()
@click.argument("pytest_arguments", nargs=-1)
def check(pytest_arguments: tuple[str, ...]) -> None:
    """Run the fast tests that need no engine, in a minute.

    What stands after `--` goes to pytest.
    """
    from layerlab.course.testing import check as run_checks

    sys.exit(run_checks(pytest_arguments))


@main.command()
@click.argument("numbers", nargs=-1)
def run(numbers: tuple[str, ...]) -> None:
    """Run the course headless into build/course.html.

    NUMBERS are beginnings of notebooks' names, such as 02; all of them without any.
    """
    from layerlab.course.run import run as run_course

    sys.exit(run_course(numbers))


@main.command()
def doctor() -> None:
    """Say what is missing, and what fixes it."""
    from layerlab.course.doctor import doctor as examine

    sys.exit(examine())


@main.command()
@click.argument("image")
@click.option("--base", help="The image it stands on; else the engine's images are tried.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of tables.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a report to this file too; it is replaced.")
@click.option("--max-size", type=Bytes(), help="Fail above this size, such as 60MB.")
@click.option("--max-waste", type=Bytes(), help="Fail above this waste.")
@click.option("--max-layers", type=int, help="Fail above this number of layers.")
@click.option("--forbid", default="", help="Fail where what was added to the base holds one of these: gcc,uv,pip.")
def inspect(
    image: str, base: str | None, as_json: bool, html: Path | None, max_size: int | None,
    max_waste: int | None, max_layers: int | None, forbid: str,
) -> None:  # fmt: skip
    """Look into an image or its archive: layers, causes, waste.

    IMAGE is one that your engine holds, or a file made by `docker save`; FILE#TAG where it holds several.
    With limits it ends with PASS, FAIL or SKIP for each, and exits with 0, 1 or 2.
    """
    from layerlab.report.budget import Budget
    from layerlab.report.inspecting import inspect as look_into

    forbidden = tuple(name.strip() for name in forbid.split(",") if name.strip())
    budget = Budget(max_size, max_waste, max_layers, forbidden)
    sys.exit(look_into(image, base=base, as_json=as_json, html=html, budget=budget))


@main.command()
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of tables.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a report to this file too; it is replaced.")
def compare(before: str, after: str, as_json: bool, html: Path | None) -> None:
    """Say what came, went and grew from one image to another.

    Both are images that your engine holds, or files made by `docker save`.
    """
    from layerlab.report.comparing import compare as compare_images

    sys.exit(compare_images(before, after, as_json=as_json, html=html))


@main.command()
@click.argument("dockerfile", default="Dockerfile")
@click.option(
    "--context", type=click.Path(path_type=Path), help="The folder that a build is sent; else the file's own."
)
@click.option("--image", help="A tag that was built from it: prices are then measured.")
@click.option("--bandwidth", type=Bandwidth(), default="100Mbit", show_default=True, help="For seconds a pull.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")
@click.option("--ignore", default="", help="Names of rules that are not wanted: unpinned,root.")
@click.option("--others", is_flag=True, help="Also ask hadolint and docker build --check, where they are installed.")
def review(
    dockerfile: str, context: Path | None, image: str | None, bandwidth: float, as_json: bool, ignore: str, others: bool
) -> None:
    """Review a Dockerfile: each fault with line, why, fix, price.

    The worst comes first: breaks, leaks, bloats, style. `-` reads standard input.
    Exits with 0 where nothing is found, 1 where something is, 2 where the file cannot be read.
    """
    from layerlab.report.reviewing import review_file

    unwanted = [name.strip() for name in ignore.split(",") if name.strip()]
    sys.exit(
        review_file(
            dockerfile, context=context, image=image, bandwidth_bits=bandwidth, as_json=as_json, ignore=unwanted,
            others=others,
        )
    )  # fmt: skip


@main.command()
@click.option("--yes", is_flag=True, help="Remove what is listed without asking.")
def clean(yes: bool) -> None:
    """Show what the course made on your engine, remove it."""
    from layerlab.course.clean import clean as clean_up

    sys.exit(clean_up(confirm=lambda question: yes or click.confirm(question)))


@main.command()
@click.argument("names", nargs=-1)
@click.option("--matrix", is_flag=True, help="Record all combinations of the design space, and their notebook.")
def record(names: tuple[str, ...], matrix: bool) -> None:
    """Record the course anew on a live engine (for authors).

    NAMES are beginnings of notebooks' names; all are recorded without any.
    """
    from layerlab.course.record import record as record_course
    from layerlab.lab.matrix import NOTEBOOK

    sys.exit(record_course((*names, NOTEBOOK) if matrix else names))


@main.command()
@click.argument("names", nargs=-1)
@click.option("--force", is_flag=True, help="Overwrite an exercise that was edited by hand.")
def release(names: tuple[str, ...], force: bool) -> None:
    """Generate exercises from solutions (for authors)."""
    from layerlab.grading.verbs import release as release_exercises

    sys.exit(release_exercises(names, force=force))


@main.command()
@click.argument("names", nargs=-1)
@click.option("--engine", type=click.Choice(["docker", "podman", "private", "recorded"]), help="Verify on this one.")
def verify(names: tuple[str, ...], engine: str | None) -> None:
    """Prove the exercises: solved, unsolved, wrong (for authors)."""
    from layerlab.grading.verbs import verify as verify_exercises

    sys.exit(verify_exercises(names, engine=engine))


@main.command("new-exercise")
@click.argument("name")
def new_exercise(name: str) -> None:
    """Write a new exercise that works, to be changed (for authors).

    NAME is a number and a word, such as 12_caches.
    """
    from layerlab.grading.verbs import new_exercise as write_exercise

    sys.exit(write_exercise(name))


@main.group(cls=Verbs)
def engine() -> None:
    """Start, stop or remove the private engine."""


@engine.command()
def start() -> None:
    """Start the private engine.

    Its programs are fetched from Debian's packages first and unpacked beside its data; nothing is installed.
    """
    from layerlab.engine import private

    private.install(on_line=click.echo)
    _show_engine(private.start(on_line=click.echo))


@engine.command()
def stop() -> None:
    """Stop the private engine, dockerd and its containerd; its images stay."""
    from layerlab.engine import private

    _show_engine(private.stop())


@engine.command()
def status() -> None:
    """Say how the private engine is."""
    from layerlab.engine import private

    _show_engine(private.status())


@engine.command()
@click.option("--earlier", is_flag=True, help="Only what the course's earlier engine, Docker 20.10, has left.")
@click.confirmation_option(prompt="Remove all images and containers of the private engine?")
def purge(earlier: bool) -> None:
    """Stop the private engine and remove its programs, images, containers and volumes.

    What the course's earlier engine has left goes along.
    """
    from layerlab.engine import private

    _show_engine(private.purge(earlier_only=earlier))


def _show_engine(status: Status) -> None:
    from layerlab.units import size

    pid = f", pid {status.pid}" if status.pid else ""
    click.echo(f"The private engine is {status.state}{pid}.")
    click.echo(f"  socket  {status.socket}\n  data    {status.data_root} ({size(status.disk_bytes_free)} free)")


@main.group(cls=Verbs)
def bases() -> None:
    """Show, build or pull the base images."""


@bases.command("status")
def bases_status() -> None:
    """Say which bases are there, and how far the others are."""
    from layerlab.course.base_images import show

    sys.exit(show())


@bases.command("build")
@click.argument("keys", nargs=-1, type=click.Choice(["slim", "full", "musl", "distroless"]))
@click.option("--background", is_flag=True, help="Go on without waiting.")
def bases_build(keys: tuple[str, ...], background: bool) -> None:
    """Provide bases: pulled, else built as stand-ins."""
    from layerlab.course.base_images import build

    sys.exit(build(keys, background=background))


@bases.command("pull")
@click.argument("keys", nargs=-1, type=click.Choice(["slim", "full", "musl", "distroless"]))
def bases_pull(keys: tuple[str, ...]) -> None:
    """Pull the official bases."""
    from layerlab.course.base_images import pull

    sys.exit(pull(keys))


@main.group(cls=Verbs)
def progress() -> None:
    """Show, export or import your progress."""


@progress.command("show")
def progress_show() -> None:
    """Say what is done, and what your predictions came to."""
    from layerlab.course import progress as verbs
    from layerlab.lab.lab import course_root

    sys.exit(verbs.show(course_root()))


@progress.command("export")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def progress_export(file: Path | None) -> None:
    """Write all you kept to one FILE.

    Without FILE it is layerlab-progress.json in this folder.
    """
    from layerlab.course import progress as verbs

    sys.exit(verbs.export(file))


@progress.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def progress_import(file: Path) -> None:
    """Merge a FILE into what is kept here.

    The newer of two answers counts; the older one is kept beside it.
    """
    from layerlab.course import progress as verbs

    sys.exit(verbs.import_file(file))


@main.command()
def sheets() -> None:
    """Write the run sheets for instructors (for authors)."""
    from layerlab.course.run_sheets import PAGE, write
    from layerlab.setup.bootstrap import CHECKOUT

    click.echo(f"{PAGE}: {'written' if write(CHECKOUT) else 'nothing to change'}")


@main.command()
@click.argument("arguments", nargs=-1)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure the course itself (for authors).

    What stands after `--` goes to the benchmarks.
    """
    from layerlab.course.bench import bench as run_benchmarks

    sys.exit(run_benchmarks(arguments))
