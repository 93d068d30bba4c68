"""What one source of COPY or ADD selects among a context's entries. Knows paths only and reads nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from fnmatch import fnmatchcase

from layerlab.context.folder import ContextFile
from layerlab.errors import ContextError

# Linux gives up after 40 links in one path (path_resolution(7)).
_MAX_LINKS = 40


def selected(source: str, entries: Mapping[str, ContextFile]) -> tuple[ContextFile, ...]:
    """Return a file, a folder with its content, or whatever a wildcard matches, sorted by path.

    Raises
    ------
    ContextError
        If symbolic links on the way go round in circles.

    Notes
    -----
    A source starts at the context's root and never leaves it, whatever ``/``, ``..`` or a link says;
    ``*`` and ``?`` stop at a slash (Go's filepath.Match; Dockerfile reference, "COPY").
    """
    path = normal_path(source)
    is_wildcard = any(sign in path for sign in "*?[")
    tops = [one for one in entries if _matches(one, path)] if is_wildcard else [path]
    found = {entry.path: entry for top in tops for entry in _under(top, entries)}
    return tuple(found[one] for one in sorted(found))


def normal_path(source: str) -> str:
    """Return the path relative to the context's root; the root itself is the empty string."""
    return posixpath.normpath("/" + source).lstrip("/")


def _under(top: str, entries: Mapping[str, ContextFile]) -> tuple[ContextFile, ...]:
    target = _follow(top, entries)
    entry = entries.get(target)
    if target and entry is None:
        return ()
    prefix = f"{target}/" if target else ""
    is_folder = entry is None or entry.kind == "folder"
    inside = (one for one in entries.values() if is_folder and one.path.startswith(prefix))
    # The link itself counts: the name it is asked for by ends up in the image.
    link = entries.get(top) if target != top else None
    return tuple(one for one in (link, entry, *inside) if one is not None)


def _follow(path: str, entries: Mapping[str, ContextFile]) -> str:
    done, waiting, links = "", path.split("/"), 0
    while waiting:
        part = waiting.pop(0)
        if part == "..":
            done = posixpath.dirname(done)
        elif part not in ("", "."):
            step = posixpath.join(done, part)
            entry = entries.get(step)
            if entry is None or entry.kind != "link":
                done = step
                continue
            links += 1
            if links > _MAX_LINKS:
                raise ContextError(f"The link {path} in the context leads in a circle. Remove or correct it.")
            # An absolute target counts from the context's root, as in the engine.
            done = "" if entry.link_target.startswith("/") else done
            waiting = [*entry.link_target.split("/"), *waiting]
    return done


def _matches(path: str, pattern: str) -> bool:
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatchcase(part, _as_fnmatch(one)) for part, one in zip(parts, wanted, strict=True)
    )


def _as_fnmatch(pattern: str) -> str:
    # Go negates a class with ^ and escapes with a backslash; Python negates with ! and escapes with [].
    result, at = "", 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 < len(pattern):
            result += f"[{pattern[at + 1]}]"
            at += 2
        else:
            negates = pattern.startswith("[^", at)
            result += "[!" if negates else pattern[at]
            at += 2 if negates else 1
    return result
