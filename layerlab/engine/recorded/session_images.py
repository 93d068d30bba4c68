"""Which names and ids stand for which chain in this session. Knows no engine and opens no file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerlab.image import normal_reference

_HEX = re.compile(r"^(?:sha256:)?([0-9a-f]{6,64})$")


def is_id(name: str) -> bool:
    """True where a name is an image's id, or the beginning of one, rather than a reference.

    >>> is_id("sha256:0f0e08a5007d"), is_id("python:3.12"), is_id("d42705ab675a")
    (True, False, True)
    """
    return _HEX.match(name) is not None


class SessionImages:
    """The images of one session, as a fresh engine would hold them: what was built here, and nothing else."""

    def __init__(self) -> None:
        self._tags: dict[str, str] = {}
        self._chains: dict[str, str] = {}
        # Steps that ran in this session: they are this session's build cache.
        self.cache: set[str] = set()

    def add(self, image_id: str, chain: str) -> None:
        """Put an image on the shelf."""
        self._chains[image_id] = chain

    def tag(self, reference: str, image_id: str) -> None:
        """Give an image on the shelf a name, taking it from whatever had it."""
        self._tags[normal_reference(reference)] = image_id

    def find(self, name: str) -> str | None:
        """Return the id of the image with this tag, id, or beginning of an id."""
        if tagged := self._tags.get(normal_reference(name)):
            return tagged
        if match := _HEX.match(name):
            found = [one for one in self._chains if one.removeprefix("sha256:").startswith(match[1])]
            return found[0] if len(found) == 1 else None
        return None

    def chain(self, name: str) -> str | None:
        """Return the chain of the image with this name or id."""
        image_id = self.find(name)
        return self._chains[image_id] if image_id else None

    def is_tag(self, name: str) -> bool:
        """True where ``name`` is one of the names, not an id."""
        return normal_reference(name) in self._tags

    def tags_of(self, image_id: str) -> list[str]:
        """Return the names of an image."""
        return sorted(tag for tag, one in self._tags.items() if one == image_id)

    def by_image(self) -> dict[str, list[str]]:
        """Return the names of every image that has one."""
        return {image_id: self.tags_of(image_id) for image_id in set(self._tags.values())}

    def tagged(self) -> Iterator[tuple[str, str]]:
        """Yield id and chain of every image that has a name, the last one tagged first."""
        for image_id in dict.fromkeys(reversed(self._tags.values())):
            yield image_id, self._chains[image_id]

    def drop(self, name: str) -> None:
        """Take a name away, and the image with its last name; an id takes the image and all its names."""
        image_id = self.find(name)
        if self._tags.pop(normal_reference(name), None) is None:
            for tag in self.tags_of(str(image_id)):
                del self._tags[tag]
        if image_id and not self.tags_of(image_id):
            self.cache.discard(self._chains.pop(image_id))
