"""This machine's folders as an engine can mount them: as they are where it sees them, else copied into a volume.

Docker Desktop and Colima run their engine in a virtual machine that sees a part of this machine's disk; an engine
behind DOCKER_HOST sees none of it. What the engine says of itself does not tell, so it is found out by an experiment.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker.errors
import docker.types

from layerlab.context import tar
from layerlab.context.folder import list_entries
from layerlab.engine.journal import Kind
from layerlab.engine.live.client import JournallingClient
from layerlab.engine.mounts import Mount
from layerlab.errors import EngineRefused

_INSIDE = "/layerlab-mount"
_TOKEN = "token"


class Folders:
    """What one engine sees of this machine's folders, and the volumes that stand in for the others."""

    def __init__(self, api: JournallingClient) -> None:
        self._api = api
        self._seen: dict[Path, bool] = {}
        self._volumes: dict[str, str] = {}
        self._users: Counter[str] = Counter()

    def bound(self, mount: Mount, image: str) -> tuple[str, str | None]:
        """Return a mount in Docker's notation, and the volume that stands in for its folder, if one does.

        Parameters
        ----------
        image
            Any image that the engine holds: containers of it are made and never started.

        Raises
        ------
        EngineRefused
            The engine does not see the folder, and a volume cannot stand in for it.
        """
        if not mount.is_local or self.sees(Path(mount.source), image):
            return f"{mount.source}:{mount.target}:{'ro' if mount.read_only else 'rw'}", None
        if not mount.read_only:
            raise EngineRefused(
                f"The engine does not see {mount.source}, and what is written to a copy of it would be lost. "
                f"Mount it read-only, as in '{mount.target}:ro', or work on an engine of this machine."
            )
        volume = self._volume(mount, image)
        # Without nocopy an empty volume would be filled with what the image has at that place.
        return f"{volume}:{mount.target}:ro,nocopy", volume

    def sees(self, folder: Path, image: str) -> bool:
        """Put a token beside the folder, mount that, and look whether the engine has it."""
        # Beside it is the same disk, unless the folder is a mount point itself. Of a source that is not there, the
        # nearest folder that is.
        beside = folder if folder.is_mount() else next(one for one in folder.parents if one.is_dir())
        if beside not in self._seen:
            place = beside if os.access(beside, os.W_OK) else None
            with tempfile.TemporaryDirectory(prefix=".layerlab-", dir=place) as made:
                token = secrets.token_hex(16)
                Path(made, _TOKEN).write_text(token, encoding="utf-8")
                self._seen[beside] = self._reads(made, image) == token
        return self._seen[beside]

    def release(self, volume: str) -> None:
        """Remove a volume once no container of this engine's needs it."""
        self._users[volume] -= 1
        if self._users[volume] <= 0:
            self._volumes = {content: name for content, name in self._volumes.items() if name != volume}
            self._remove(volume)

    def _volume(self, mount: Mount, image: str) -> str:
        content = mount.content
        if content not in self._volumes:
            self._volumes[content] = self._filled(Path(mount.source), image)
        self._users[self._volumes[content]] += 1
        return self._volumes[content]

    def _filled(self, folder: Path, image: str) -> str:
        if folder.is_file():
            raise EngineRefused(f"The engine does not see the file {folder}. Mount the folder that it lies in.")
        volume = f"layerlab-{secrets.token_hex(8)}"
        self._note("volume", volume)
        try:
            self._api.create_volume(volume)
            self._fill(volume, folder, image)
        except BaseException:
            self._remove(volume)
            raise
        return volume

    def _fill(self, volume: str, folder: Path, image: str) -> None:
        entries = list_entries(folder, []) if folder.is_dir() else ()
        with self._container(image, docker.types.Mount(_INSIDE, volume)) as container:
            self._api.put_archive(container, _INSIDE, tar.stream(folder, tuple(entries), {}, changed={}))

    def _reads(self, folder: str, image: str) -> str | None:
        # Asked for in this form, an engine refuses a folder that it does not see, instead of making an empty one.
        mount = docker.types.Mount(_INSIDE, folder, type="bind", read_only=True)
        try:
            with self._container(image, mount) as container:
                pieces, _ = self._api.get_archive(container, f"{_INSIDE}/{_TOKEN}")
                return _content(b"".join(pieces))
        except docker.errors.ImageNotFound:
            raise
        except (docker.errors.APIError, tarfile.TarError):
            return None

    @contextmanager
    def _container(self, image: str, mount: Any) -> Iterator[str]:
        """Make a container that is never started: its mounts can be read and written all the same."""
        config = self._api.create_host_config(mounts=[mount])
        made = str(self._api.create_container(image, ["none"], host_config=config)["Id"])
        self._note("container", made)
        try:
            yield made
        finally:
            self._api.remove_container(made)
            self._forget("container", made)

    def _remove(self, volume: str) -> None:
        # One that a container of another kernel still uses stays in the journal, for `layerlab clean`.
        with contextlib.suppress(docker.errors.APIError):
            self._api.remove_volume(volume)
            self._forget("volume", volume)

    def _note(self, kind: Kind, identity: str) -> None:
        if self._api.journal:
            self._api.journal.note(kind, identity)

    def _forget(self, kind: Kind, identity: str) -> None:
        if self._api.journal:
            self._api.journal.forget(kind, identity)


def _content(archive: bytes) -> str | None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        file = packed.extractfile(_TOKEN)
        return file.read().decode("utf-8") if file else None
