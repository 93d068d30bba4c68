"""`layerlab clean`: shows what the course has made on each engine that answers, and removes it when told to.

What is ours is the journal's to say. Bases that were pulled, and untagged images that nothing proves to be ours, are
listed and left. BuildKit's cache belongs to nobody: it is emptied on the private engine, and elsewhere only named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console

from layerlab.course.engines import live_engines
from layerlab.engine.live import LiveEngine
from layerlab.engine.live.belongings import (
    Belonging,
    belongings,
    build_cache_bytes,
    built_bases,
    leftovers,
    prune_build_cache,
    pulled_bases,
    remove,
)
from layerlab.engine.live.translate import translated
from layerlab.errors import LayerLabError
from layerlab.units import size

_SHORT = 12  # digits of an id, as docker prints it
_MOST_NAMED = 8


def clean(*, confirm: Callable[[str], bool], console: Console | None = None) -> int:
    """List everything of the course's, ask, and remove it.

    Parameters
    ----------
    confirm
        Asked once for each engine that holds something; nothing is removed unless it answers True.

    Returns
    -------
    int
        0; or 1 where something of the course's had to stay.
    """
    say = console or Console()
    engines = tuple(live_engines())
    if not engines:
        say.print("No engine answers, so there is nothing to clean up. `layerlab doctor` says why.")
    verdicts = [_clean_one(engine, confirm, say) for engine in engines]
    for engine in engines:
        engine.close()
    return 0 if all(verdicts) else 1


def _clean_one(engine: LiveEngine, confirm: Callable[[str], bool], say: Console) -> bool:
    """Clean up one engine; one that stops answering keeps no other from being cleaned up."""
    name = f"{engine.info.name} {engine.info.version} ({engine.info.endpoint})"
    try:
        with translated(engine.info.endpoint):
            return _cleaned(engine, name, confirm, say)
    except LayerLabError as error:
        _print(say, f"FAIL {name}: {error} Then clean up again: what went is forgotten, what did not stays ours.")
        return False


def _cleaned(engine: LiveEngine, name: str, confirm: Callable[[str], bool], say: Console) -> bool:
    ours, bases = belongings(engine), pulled_bases(engine)
    if not ours:
        _print(say, f"Nothing of the course's is on {name}.")
    else:
        _print(say, f"The course made this on {name}; images share layers, so sizes overlap:")
        for line in _listed(ours):
            _print(say, line)
    _offer(say, bases)
    _name_leftovers(say, leftovers(engine))
    if built := built_bases(engine):
        _print(say, f"The stand-in bases stay ({', '.join(built)}); `layerlab engine purge` removes them too.")
    cache = build_cache_bytes(engine)
    prunes = bool(cache) and engine.info.kind == "private"
    if cache != 0 and not prunes:
        takes = f"takes {size(cache)} there" if cache else "may take room there, the engine can't say now how much"
        _print(say, f"BuildKit's cache {takes}. It serves every build on that engine, so it stays:")
        _print(say, "  docker builder prune")
    what = [f"these {len(ours)}"] * bool(ours) + [f"{size(cache or 0)} of BuildKit's cache"] * prunes
    if not what or not confirm(f"Remove {' and '.join(what)} from {name}?"):
        return True
    gone, kept = remove(engine)
    freed = f" BuildKit's cache: {size(prune_build_cache(engine))} removed." if prunes else ""
    _print(say, f"Removed {len(gone)}.{freed} Nothing else was touched.")
    for one in kept:
        _print(say, f"FAIL {one.belonging.kind} {one.belonging.name} stays: {one.reason}")
    return not kept


def _listed(ours: tuple[Belonging, ...]) -> Iterator[str]:
    for one in ours:
        name = one.name[:_SHORT] if one.kind == "container" else one.name
        if one.kind != "image":
            yield f"  {one.kind:<9} {name}" + (f"  {size(one.size_bytes)}" if one.size_bytes else "")
    if untagged := sum(one.kind == "image" for one in ours):
        yield f"  image     {untagged} without a name: the steps of these builds"


def _offer(say: Console, bases: tuple[str, ...]) -> None:
    if bases:
        _print(say, "The course pulled these bases; other images may stand on them, so they stay:")
        _print(say, f"  docker image rm {' '.join(bases)}")


def _name_leftovers(say: Console, ids: tuple[str, ...]) -> None:
    if not ids:
        return
    shown = [one.removeprefix("sha256:")[:_SHORT] for one in ids[:_MOST_NAMED]]
    more = f" and {len(ids) - len(shown)} more" if len(ids) > len(shown) else ""
    _print(
        say,
        f"{len(ids)} untagged images appeared while builds of the course failed or were cancelled. They may be steps "
        f"of these builds or yours, so they stay: {', '.join(shown)}{more}.",
    )
    _print(say, "  docker image rm ID removes one; docker image prune removes every untagged image, yours too")


def _print(say: Console, text: str) -> None:
    say.print(text, markup=False, highlight=False, soft_wrap=True)
