"""Faults that leave in a layer what an installation needed for itself. What stays behind in a builder is none."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from layerlab.dockerfile.shell import only_removes
from layerlab.review import pricing
from layerlab.review.commands import Install, install
from layerlab.review.finding import UNKNOWN, Finding, quoted
from layerlab.review.subject import Step, Subject, within

_OFF = ("", "0", "false", "no", "off")
_LARGE_BYTES, _SMALL_BYTES = 100_000_000, 1_000_000


def pip_cache(subject: Subject) -> Iterator[Finding]:
    """An installer's cache in a layer that ships."""
    for step in subject.of("RUN", shipped=True):
        found = next((one for one in map(install, step.commands) if one and _keeps_cache(one, step)), None)
        if found:
            yield Finding(
                "pip-cache", "bloats", (step.line,),
                f"{found.tool} keeps the archives it downloaded in the layer.",
                "A cache speeds up the next installation, and in an image there is none.",
                "Add --no-cache-dir." if found.tool == "pip" else "Add --no-cache, or mount the cache.",
                UNKNOWN,
            )  # fmt: skip


def package_lists(subject: Subject) -> Iterator[Finding]:
    """The lists of a package manager in a layer that ships."""
    for step in subject.of("RUN", shipped=True):
        managers = {one.program for one in step.commands if one.words[1:2] and "update" in one.words[1:4]}
        kept = managers & {"apt-get", "apt"} and not _cleaned(step, "/var/lib/apt/lists")
        if kept and not step.caches("/var/lib/apt/lists") and not _cleaned_later(subject, step, "/var/lib/apt"):
            yield Finding(
                "package-lists", "bloats", (step.line,),
                "It keeps the lists of all packages that apt knows.",
                "Nothing reads them in a running service.",
                "End the same RUN with && rm -rf /var/lib/apt/lists/*.",
                pricing.estimated("package-lists"),
            )  # fmt: skip
        installs = (one for one in map(install, step.commands) if one and one.tool == "apk")
        if any(not one.has("--no-cache") for one in installs) and not _cleaned(step, "/var/cache/apk"):
            if step.caches("/var/cache/apk") or step.caches("/etc/apk/cache"):
                continue
            if managers & {"apk"} or any(one.has("-U", "--update", "--update-cache") for one in
                                         filter(None, map(install, step.commands))):  # fmt: skip
                yield Finding(
                    "package-lists", "bloats", (step.line,),
                    "It keeps the list of all packages that apk knows.",
                    "Nothing reads it in a running service.",
                    "Use apk add --no-cache, which fetches the list and keeps nothing.",
                    UNKNOWN,
                )  # fmt: skip


def recommends(subject: Subject) -> Iterator[Finding]:
    """Packages that apt brings along because others recommend them."""
    for step in subject.of("RUN", shipped=True):
        apt = [one for one in map(install, step.commands) if one and one.tool in ("apt-get", "apt") and one.packages]
        if apt and not any(one.has("--no-install-recommends", "-o") for one in apt):
            yield Finding(
                "recommends", "bloats", (step.line,),
                f"apt installs {quoted(', '.join(apt[0].packages), 48)} with all that is recommended beside it.",
                "Recommended is not needed: often more is recommended than asked for.",
                "Add --no-install-recommends, and name what is missing then.",
                UNKNOWN,
            )  # fmt: skip


def late_removal(subject: Subject) -> Iterator[Finding]:
    """A removal in another layer than the one that wrote the files."""
    earlier: list[Step] = []
    for step in (one for one in subject.steps if one.stage in subject.shipped):
        if step.one.keyword == "RUN" and only_removes(step.one):
            writer = next((one for one in reversed(earlier) if _wrote(one, step)), None)
            if writer:
                yield Finding(
                    "late-removal", "bloats", (step.line, writer.line),
                    f"It removes what line {writer.line} wrote: {quoted(step.commands[0].text)}.",
                    "A layer only adds: the files are hidden from the container and still pulled by every node.",
                    f"Remove them at the end of the instruction in line {writer.line}, or write them in a builder.",
                    UNKNOWN,
                )  # fmt: skip
        earlier.append(step)


def copied_twice(subject: Subject) -> Iterator[Finding]:
    """Files that are in the image twice because only their mode or owner changed."""
    copies: list[Step] = []
    for step in (one for one in subject.steps if one.stage in subject.shipped):
        if step.one.keyword == "COPY":
            copies.append(step)
        for command in step.commands:
            if command.program not in ("chmod", "chown") or not {"-R", "--recursive"} & set(command.words):
                continue
            paths = [
                posixpath.normpath(posixpath.join(step.workdir, word)) for word in command.words[2:] if word[0] != "-"
            ]
            again = [
                one for one in copies if any(within(one.target, path) for path in paths) and _is_heavy(subject, one)
            ]
            if again:
                yield Finding(
                    "copied-twice", "bloats", (step.line, again[-1].line),
                    f"{command.program} changes every file that line {again[-1].line} copied.",
                    "A changed mode or owner is a changed file: the layer carries all of them once more.",
                    f"Say it while copying: COPY --{command.program}=….",
                    UNKNOWN,
                )  # fmt: skip
                break


def _keeps_cache(one: Install, step: Step) -> bool:
    tool = {"pip": "PIP", "uv": "UV"}.get(one.tool)
    if tool is None:
        return False
    if one.has("--no-cache-dir", "--no-cache", "-n") or step.env.get(f"{tool}_NO_CACHE_DIR", "").lower() not in _OFF:
        return False
    if step.env.get(f"{tool}_NO_CACHE", "").lower() not in _OFF:
        return False
    folder = step.env.get(f"{tool}_CACHE_DIR") or one.options.get("--cache-dir") or f"/root/.cache/{one.tool}"
    if step.caches(folder):
        return False
    # Another user's home, or a variable in the path: which folder it is cannot be told, that a cache is mounted can.
    if any(mount.type == "cache" and "cache" in (mount.target or "") for mount in step.mounts):
        return False
    return not _cleaned(step, folder) and not any("cache" in command.words[1:2] for command in step.commands)


def _cleaned(step: Step, folder: str) -> bool:
    words = (word for command in step.commands if command.program in ("rm", "find") for word in command.words[1:])
    return any(within(folder, word.rstrip("/*") or "/") or within(word.rstrip("/*"), folder)
               for word in words if word.startswith("/") or word.startswith("~"))  # fmt: skip


def _cleaned_later(subject: Subject, step: Step, folder: str) -> bool:
    later = (one for one in subject.of("RUN", shipped=True) if one.number > step.number and only_removes(one.one))
    return any(_cleaned(one, folder) for one in later)


def _wrote(writer: Step, removal: Step) -> bool:
    """True where a step wrote what a later one takes away, as far as the text says."""
    for command in removal.commands:
        paths = [
            word.rstrip("/*") for word in command.words[1:] if word.startswith(("/", "./", "~")) and word.rstrip("/*")
        ]
        if command.program in ("rm", "rmdir", "unlink"):
            words = [word for word in command.words[1:] if not word.startswith("-")]
            full = [posixpath.normpath(posixpath.join(removal.workdir, word.rstrip("/*") or "/")) for word in words]
            if any(_writes(writer, path, word) for path, word in zip(full, words, strict=True)):
                return True
        elif command.program == "find" and writer.one.keyword == "RUN":
            return any(map(install, writer.commands)) and bool(paths)
        elif {"purge", "remove", "autoremove", "del", "uninstall", "clean"} & set(command.words[1:4]):
            tool = "apt" if command.program.startswith("apt") else command.program
            installs = filter(None, map(install, writer.commands))
            if any(one.tool.startswith(tool) or (tool == "pip" and one.is_python) for one in installs):
                return True
    return False


def _writes(writer: Step, path: str, word: str) -> bool:
    if writer.one.keyword in ("COPY", "ADD"):
        names = [posixpath.join(writer.target, posixpath.basename(one)) for one in writer.one.arguments[:-1]]
        return any(within(one, path) or within(path, one) for one in (writer.target, *names))
    if writer.one.keyword != "RUN":
        return False
    if within(path, "/root/.cache") or within("/root/.cache", path):
        return any(_keeps_cache(one, writer) for one in filter(None, map(install, writer.commands)))
    if within(path, "/var/lib/apt/lists") or within(path, "/var/cache/apk"):
        return any("update" in command.words for command in writer.commands) and not _cleaned(writer, path)
    named = {piece for command in writer.commands for piece in (*command.words, *command.written_to)}
    return any(
        within(posixpath.normpath(posixpath.join(writer.workdir, one)), path) for one in named if one and one[0] != "-"
    )


def _is_heavy(subject: Subject, copy: Step) -> bool:
    if subject.source(copy) is not None:
        return True
    if subject.context is None:
        return False
    size_bytes = sum(one.size_bytes for source in copy.one.sources for one in subject.context.selected(source))
    return size_bytes >= _SMALL_BYTES


RULES = (pip_cache, package_lists, recommends, late_removal, copied_twice)
