"""What `layerlab bases status|build|pull` do and print. Where a base comes from is `layerlab.bases`' business."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from layerlab import bases
from layerlab.course.engines import live_engines
from layerlab.engine import connect
from layerlab.setup import steps
from layerlab.units import duration


def show() -> int:
    """Print which bases each live engine holds, and how far those are that are being built. Returns 0."""
    engines = tuple(live_engines())
    if not engines:
        print("No live engine answers; recordings bring their own bases. `layerlab doctor` says why.")
    for engine in engines:
        print(f"On {engine.info.name} {engine.info.version} ({engine.info.kind}):")
        for base in bases.status(engine):
            print(f"  {base.reference:<18} {base.state}{_more(base)}")
        engine.close()
    work = bases.background_status()
    if work.state not in {"absent", "done"}:
        print(f"In the background: {work.state}. {work.message}".rstrip(". ") + f". The log is {work.log}.")
    return 0


def build(keys: Sequence[str], *, background: bool) -> int:
    """Provide bases on the engine the course uses: pulled where a registry answers, else built as stand-ins.

    Raises
    ------
    BaseError
        One of them can't be provided; says why.
    """
    wanted = tuple(keys) or tuple(bases.BASES)
    if background:
        work = bases.start_background(wanted)
        print(f"Working in the background on {', '.join(wanted)}; `layerlab bases status` shows how far ({work.log}).")
        return 0
    prepare(wanted)
    return 0


def pull(keys: Sequence[str]) -> int:
    """Pull the official bases onto the engine the course uses.

    Raises
    ------
    NoNetwork, RateLimited, PullFailed, BaseUnavailable
        The registry can't be reached, refuses, or fails.
    """
    engine = connect()
    try:
        for key in tuple(keys) or tuple(bases.BASES):
            reference = bases.BASES[key].reference()
            with steps.Quietly(f"Pulling {reference}") as step:
                bases.resolve(engine, reference, on_progress=_told_to(step))
    finally:
        engine.close()
    return 0


def prepare(keys: Sequence[str]) -> None:
    """Wait for these bases one by one, each as a step that says how long it took."""
    for key in keys:
        with steps.Quietly(f"Base image {key}") as step:
            bases.ensure((key,), on_line=step)


def _more(base: bases.BaseStatus) -> str:
    """Say how far a base is, or what a stand-in lacks for good."""
    if base.state == "building":
        return f" ({base.fraction:.0%}: {base.detail})"
    if base.state == "stand-in" and base.lacks:
        return f" (without {', '.join(base.lacks)}: SKIP, needs an official base)"
    return ""


def _told_to(step: steps.Quietly) -> Callable[[bases.Progress], None]:
    """Turn progress into the lines of a step."""

    def tell(progress: bases.Progress) -> None:
        left = "" if progress.eta_seconds is None else f", about {duration(progress.eta_seconds)} left"
        step(f"{progress.fraction:.0%}{left}: {progress.detail}")

    return tell
