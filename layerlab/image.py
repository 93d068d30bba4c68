"""Images as frozen values: history, layers, configuration. Knows no engine and no raw API answer.

Everything is base-first: index 0 is the oldest. `docker history` prints the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

# `#(nop)` is how the classic builder marks an instruction that ran nothing; BuildKit writes the
# instruction itself. Both write these keywords for entries that only change configuration.
_CONFIG_ONLY = re.compile(
    r"^(?:/bin/sh -c #\(nop\)\s+)?(ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|"
    r"STOPSIGNAL|USER|VOLUME)\b"
)
_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s+")
_RUN = re.compile(r"^(?:RUN )?(?:\|\d+ (?P<args>.*?) )?/bin/sh -c (?P<command>.*)$", re.DOTALL)
_BUILDKIT_SUFFIX = re.compile(r"\s+# buildkit$")
# The classic builder puts a checksum in the place of what was copied.
_CHECKSUM = re.compile(r"\b(file|dir|multi):[0-9a-f]{32,}\b")


@dataclass(frozen=True)
class HistoryEntry:
    """One line of an image's history: an instruction, and the bytes its layer added (0 if it made none).

    ``written`` is the instruction as its Dockerfile has it, where the build was ours: the classic builder
    puts a checksum into the history in place of a COPY's sources.
    """

    created_by: str
    size_bytes: int
    created: str = ""
    comment: str = ""
    is_empty_layer: bool = False
    written: str = ""

    @property
    def instruction(self) -> str:
        """The entry as a Dockerfile instruction, without the builder's own decoration.

        >>> HistoryEntry('/bin/sh -c #(nop)  EXPOSE 8000', 0).instruction
        'EXPOSE 8000'
        >>> HistoryEntry('RUN /bin/sh -c pip install x # buildkit', 9).instruction
        'RUN pip install x'
        """
        if self.written:
            return self.written
        # `docker import` leaves no instruction, only a comment.
        text = _BUILDKIT_SUFFIX.sub("", self.created_by.strip() or self.comment.strip())
        if _NOP.match(text):
            return re.sub(r"\s+", " ", _CHECKSUM.sub(r"(\1)", _NOP.sub("", text))).strip()
        if match := _RUN.match(text):
            return f"RUN {match['command'].strip()}"
        return re.sub(r"\s+", " ", text)


@dataclass(frozen=True)
class Layer:
    """A list of file changes: one layer of an image, paired with the history entry that made it."""

    index: int
    diff_id: str
    size_bytes: int
    instruction: str
    history_index: int | None


@dataclass(frozen=True)
class ImageConfig:
    """What a container of the image starts as."""

    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    exposed_ports: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def label(self, name: str) -> str | None:
        """Return the value of a label, or None where the image has none of that name."""
        return dict(self.labels).get(name)


@dataclass(frozen=True)
class Image:
    """One image as an engine described it.

    Attributes
    ----------
    engine_size_bytes
        The engine's own figure, kept apart: what it counts differs between engines and their image stores.
    layer_sizes
        Size on disk of each layer, base-first, read from the layers; None where they could not be read, and the
        sizes here are those of the engine's history.
    """

    id: str
    tags: tuple[str, ...]
    platform: str
    created: str
    history: tuple[HistoryEntry, ...]
    diff_ids: tuple[str, ...]
    engine_size_bytes: int
    config: ImageConfig = field(default_factory=ImageConfig)
    layer_sizes: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """The first tag, else the beginning of the id."""
        return self.tags[0] if self.tags else self.id.removeprefix("sha256:")[:12]

    @property
    def size_bytes(self) -> int:
        """Size on disk: the bytes of the files in all layers, a hard-linked file once a layer."""
        return sum(entry.size_bytes for entry in self.history) if self.layer_sizes is None else sum(self.layer_sizes)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, base-first, each with its instruction."""
        layers = pair(self.history, self.diff_ids)
        if self.layer_sizes is None:
            return layers
        return tuple(replace(layer, size_bytes=size) for layer, size in zip(layers, self.layer_sizes, strict=True))

    def with_layer_sizes(self, sizes: Sequence[int]) -> Image:
        """Return the image with the size of each layer, base-first, as it was read; the history gets them too.

        An engine's history may count whole blocks, and then an entry that made a layer without a byte counts some.
        """
        made = {layer.history_index: size for layer, size in zip(self.layers, sizes, strict=True)}
        history = tuple(
            replace(entry, size_bytes=made.get(number, 0), is_empty_layer=number not in made)
            for number, entry in enumerate(self.history)
        )
        return replace(self, history=history, layer_sizes=tuple(sizes))

    def layers_added_to(self, base: Image) -> tuple[Layer, ...]:
        """Return the layers beyond the longest common prefix of diff_ids with ``base``."""
        return self.layers[shared_prefix(self.diff_ids, base.diff_ids) :]

    def added_bytes(self, base: Image) -> int:
        """Return the bytes that this image's own layers add to ``base``."""
        return sum(layer.size_bytes for layer in self.layers_added_to(base))

    def layers_not_in(self, other: Image) -> tuple[Layer, ...]:
        """Return the layers that whoever holds ``other`` still lacks: registries and engines keep them by digest."""
        held = set(other.diff_ids)
        return tuple(layer for layer in self.layers if layer.diff_id not in held)


# `FROM scratch`: a name that Dockerfiles may use, and no image that any engine holds.
SCRATCH = Image(id="scratch", tags=("scratch",), platform="", created="", history=(), diff_ids=(), engine_size_bytes=0)


def shared_prefix(first: Sequence[str], second: Sequence[str]) -> int:
    """Count the leading elements that two sequences of diff_ids have in common.

    >>> shared_prefix(["a", "b", "c"], ["a", "b", "x", "c"])
    2
    """
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def pair(history: Iterable[HistoryEntry], diff_ids: Sequence[str]) -> tuple[Layer, ...]:
    """Pair layers with the history entries that made them, base-first.

    The engine's history does not say which entries are empty: an entry of 0 bytes may still have made
    a layer (`RUN true`). Entries with bytes always have; the layers left over go to those entries of
    0 bytes that can make one (RUN, COPY, ADD, WORKDIR) before those that only change configuration.
    Layers beyond what the history explains (a squashed or imported image) get ``history_index`` None.
    """
    entries = tuple(history)
    made = _layer_makers(entries, len(diff_ids))
    # Without an explanation for every layer the surplus lies at the bottom: `docker import` and
    # squashing leave layers whose history is lost, and what is built on top is always described.
    unexplained = len(diff_ids) - len(made)
    layers = [Layer(i, diff_ids[i], 0, "", None) for i in range(unexplained)]
    for offset, index in enumerate(made):
        position = unexplained + offset
        entry = entries[index]
        layers.append(Layer(position, diff_ids[position], entry.size_bytes, entry.instruction, index))
    return tuple(layers)


def _layer_makers(entries: tuple[HistoryEntry, ...], wanted: int) -> list[int]:
    certain = [i for i, entry in enumerate(entries) if entry.size_bytes > 0]
    zero = [i for i, entry in enumerate(entries) if entry.size_bytes == 0 and not entry.is_empty_layer]
    likely = [i for i in zero if not _CONFIG_ONLY.match(entries[i].created_by)]
    unlikely = [i for i in zero if _CONFIG_ONLY.match(entries[i].created_by)]
    # WORKDIR makes a layer only where the folder was new, so among the likely it comes last.
    likely.sort(key=lambda i: "WORKDIR" in entries[i].created_by[:40])
    room = max(0, wanted - len(certain))
    return sorted((certain + (likely + unlikely)[:room])[:wanted])


def normal_reference(reference: str) -> str:
    """Give a reference the form Docker prints: no docker.io/library, and always a tag or digest.

    >>> normal_reference("docker.io/library/python"), normal_reference("localhost:5000/x")
    ('python:latest', 'localhost:5000/x:latest')

    Notes
    -----
    Podman lists in full what came from nowhere: ``docker load`` of ``python:3.11`` is ``localhost/python:3.11``
    there, and answers to the short name.
    """
    short = re.sub(r"^(?:index\.)?docker\.io/(?:library/)?|^library/|^localhost/", "", reference.strip())
    last = short.rpartition("/")[2]
    return short if ":" in last or "@" in short else f"{short}:latest"
