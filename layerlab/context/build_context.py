"""The build context: which files a build may copy, their digest, and the tar an engine is sent.

Knows the folder, `.dockerignore` and the Dockerfile; knows no engine.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from layerlab.context import tar
from layerlab.context.folder import (
    IGNORE,
    ContextFile,
    existing_folder,
    list_entries,
    make_entry,
    read_dockerfile,
    read_ignore_file,
    unreadable,
)
from layerlab.context.ignore import read_patterns
from layerlab.context.sources import normal_path, selected
from layerlab.dockerfile import Dockerfile, parse, resolve
from layerlab.errors import ContextError

_OWN_NAME = ".layerlab.Dockerfile"


@dataclass(frozen=True)
class MissingSource:
    """A source of COPY or ADD that selects nothing; ``is_ignored`` if it is there but ignored."""

    line: int
    keyword: str
    source: str
    is_ignored: bool

    @property
    def message(self) -> str:
        """What is missing, and what to do."""
        copies = f"Line {self.line} says {self.keyword} {self.source}, but"
        if self.is_ignored:
            return f"{copies} .dockerignore leaves it out. Remove its pattern there, or add !{self.source} at the end."
        return (
            f"{copies} the build context holds no such file. Create it, or correct the path: it starts at the context."
        )


@dataclass(frozen=True)
class BuildContext:
    """A folder as a build sees it, looked at once; file contents are read when they are needed.

    ``entries`` is what COPY can see, sorted by path. ``dockerfile_name`` is the Dockerfile's name in the
    tar, where it also is if `.dockerignore` hides it from COPY; ``shown_name`` is the one its author knows.
    ``changed`` holds contents that take the place of those on disk, by path; see `with_changed`.
    """

    folder: Path
    dockerfile_name: str
    text: str
    dockerfile: Dockerfile
    entries: tuple[ContextFile, ...]
    ignore_text: str | None
    ignore_name: str | None
    is_injected: bool
    shown_name: str
    changed: tuple[tuple[str, str], ...] = ()

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        dockerfile: str | os.PathLike[str] = "Dockerfile",
        *,
        dockerfile_text: str | None = None,
    ) -> BuildContext:
        """Look at a folder and its Dockerfile.

        Parameters
        ----------
        folder : the build context.
        dockerfile : its path, relative to the folder or absolute; it may lie outside the folder.
        dockerfile_text : used instead of the file's content; the file need not exist then.

        Raises
        ------
        ContextError
            If the folder or the Dockerfile is missing, or something in the folder cannot be read.
        DockerfileError
            If the Dockerfile cannot be parsed.

        Notes
        -----
        ``<dockerfile>.dockerignore`` beside the Dockerfile wins over ``.dockerignore``, as in BuildKit.
        """
        root = existing_folder(folder)
        path = root / dockerfile
        text = read_dockerfile(path, root) if dockerfile_text is None else dockerfile_text
        ignore_name, ignore_text = read_ignore_file(root, path)
        patterns = read_patterns(ignore_text or "", ignore_name or IGNORE)
        name, is_injected = _name_in_tar(root, path, given=dockerfile_text)
        return cls(
            folder=root,
            dockerfile_name=name,
            text=text,
            dockerfile=parse(text),
            entries=list_entries(root, patterns),
            ignore_text=ignore_text,
            ignore_name=ignore_name,
            is_injected=is_injected,
            shown_name=Path(dockerfile).name if is_injected else name,
        )

    def with_changed(self, changed: Mapping[str, str]) -> BuildContext:
        """Return the context as it would be if these files held these texts; the disk stays as it is.

        Digests, sizes and the tar are exactly those of a folder that holds the texts, so a build of it is
        what a build after such an edit would be.

        Parameters
        ----------
        changed : path in the context to text; each must name a regular file that COPY can see.

        Raises
        ------
        ContextError
            If a path names no such file, or the ignore file or the Dockerfile, which the context was opened by.
        """
        texts = dict(self.changed) | {normal_path(path): text for path, text in changed.items()}
        for path in texts:
            self._require_changeable(path)
        entries = (
            replace(entry, size_bytes=len(_encoded(texts[entry.path]))) if entry.path in texts else entry
            for entry in self.entries
        )
        return replace(self, entries=tuple(entries), changed=tuple(sorted(texts.items())))

    @property
    def files(self) -> tuple[ContextFile, ...]:
        """The regular files among the entries."""
        return tuple(entry for entry in self.entries if entry.kind == "file")

    @property
    def size_bytes(self) -> int:
        """The bytes of all files COPY can see: neither folders nor tar headers count."""
        return sum(entry.size_bytes for entry in self.files)

    @property
    def file_count(self) -> int:
        """The number of files COPY can see."""
        return len(self.files)

    def selected(self, source: str) -> tuple[ContextFile, ...]:
        """Return what one source of COPY or ADD selects, sorted by path; nothing if it is missing.

        Raises
        ------
        ContextError
            If symbolic links on the way go round in circles.
        """
        return selected(source, self._by_path)

    def digest(self, patterns: Iterable[str]) -> str:
        """Return the SHA-256, in hex, of what these COPY or ADD sources select.

        Paths, contents, link targets and the executable bit count; times, owners and the order of the
        sources do not. Docker's own cache judges a COPY in the same way.

        Raises
        ------
        ContextError
            If a source selects nothing, or a file cannot be read.
        """
        total = hashlib.sha256()
        chosen: dict[str, ContextFile] = {}
        for pattern in patterns:
            found = self.selected(pattern)
            # A context without any file is still something that COPY . can copy.
            if not found and normal_path(pattern):
                raise ContextError(f"The source {pattern!r} selects nothing in {self.folder}. Correct the path.")
            chosen |= {entry.path: entry for entry in found}
        for path in sorted(chosen):
            entry = chosen[path]
            fields = (path, entry.kind, str(int(entry.is_executable)), entry.link_target, self._content(entry))
            total.update("\0".join(fields).encode("utf-8", "surrogateescape") + b"\n")
        return total.hexdigest()

    def missing_sources(self, *, build_args: Mapping[str, str] | None = None) -> tuple[MissingSource, ...]:
        """Return the sources of COPY and ADD, in any stage, that select nothing.

        Raises
        ------
        DockerfileError
            If a variable in the Dockerfile cannot be replaced.
        """
        resolved = resolve(self.dockerfile, build_args=build_args or {})
        steps = (step.expanded for stage in resolved.stages for step in stage.instructions)
        return tuple(
            MissingSource(step.line, step.keyword, source, self._is_on_disk(source))
            for step in steps
            for source in step.sources
            if not self.selected(source) and normal_path(source)
        )

    def require_sources(self, *, build_args: Mapping[str, str] | None = None) -> None:
        """Raise ContextError for the first source that selects nothing."""
        for missing in self.missing_sources(build_args=build_args):
            raise ContextError(missing.message)

    def tar(self) -> Iterator[bytes]:
        """Yield the context as an uncompressed tar, in pieces of about 64 kB.

        Equal names, contents and executable bits give equal bytes: entries are sorted, times and owners
        are zero, modes are 0644 or 0755.

        Raises
        ------
        ContextError
            If a file cannot be read, or changes while it is read.

        Notes
        -----
        GNU format, because `POST /build?version=2` refuses a tar that begins with a PAX header
        (Engine 20.10 to 28). The classic builder hides an ignored Dockerfile and `.dockerignore` from
        COPY again; BuildKit without a session does not (tried on 20.10). Not compressed: packing costs
        more than a local socket saves.
        """
        return tar.stream(self.folder, self._sent(), self._texts(), changed=dict(self.changed))

    def _sent(self) -> tuple[ContextFile, ...]:
        # The engine needs both files to build, and drops what they hide before the first COPY.
        wanted = {entry.path: entry for entry in self.entries}
        names = [self.dockerfile_name, *([IGNORE] if self.ignore_name == IGNORE else [])]
        for name in names:
            if name not in wanted and (self.folder / name).is_file():
                wanted[name] = make_entry(self.folder, name, os.lstat(self.folder / name))
        return tuple(wanted[path] for path in sorted(wanted))

    def _texts(self) -> dict[str, str]:
        extra = {self.dockerfile_name: self.text} if self.is_injected else {}
        is_hidden = self.is_injected or self.dockerfile_name not in self._by_path
        if is_hidden and (self.is_injected or self.ignore_name != IGNORE):
            # The classic builder hides a Dockerfile only if the .dockerignore it finds says so.
            own = [] if IGNORE in self._by_path else [IGNORE]
            extra[IGNORE] = "\n".join([self.ignore_text or "", *own, self.dockerfile_name, ""])
        return extra

    @cached_property
    def _by_path(self) -> dict[str, ContextFile]:
        return {entry.path: entry for entry in self.entries}

    def _content(self, entry: ContextFile) -> str:
        if entry.kind != "file":
            return ""
        if (text := dict(self.changed).get(entry.path)) is not None:
            return hashlib.sha256(_encoded(text)).hexdigest()
        try:
            with (self.folder / entry.path).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as fault:
            raise unreadable(self.folder / entry.path, fault) from fault

    def _require_changeable(self, path: str) -> None:
        if path in (self.ignore_name, self.dockerfile_name):
            raise ContextError(f"{path} decides what this context is. Change it on disk, or open another context.")
        entry = self._by_path.get(path)
        if entry is None or entry.kind != "file":
            known = ", ".join(file.path for file in self.files[:8]) or "none"
            raise ContextError(f"The context holds no file {path!r} that COPY can see. Change one of: {known}.")

    def _is_on_disk(self, source: str) -> bool:
        everything = {entry.path: entry for entry in list_entries(self.folder, [], must_be_readable=False)}
        return bool(selected(source, everything))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _name_in_tar(root: Path, path: Path, *, given: str | None) -> tuple[str, bool]:
    inside = Path(os.path.normpath(path))
    if inside.is_relative_to(root) and _is_plain(root, inside) and _holds(inside, given):
        return inside.relative_to(root).as_posix(), False
    name, number = _OWN_NAME, 1
    while os.path.lexists(root / name):
        number += 1
        name = f"{_OWN_NAME}.{number}"
    return name, True


def _is_plain(root: Path, path: Path) -> bool:
    # The engine would follow a link inside the context only; sending the text always works.
    return path.resolve() == root.resolve() / path.relative_to(root)


def _holds(path: Path, given: str | None) -> bool:
    return given is None or (path.is_file() and path.read_bytes() == given.encode())
