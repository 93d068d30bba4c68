"""The seam's verbs on a live engine, through the Docker SDK."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import docker.errors
import docker.utils
from docker.utils import parse_repository_tag

from layerlab.archive import LayerFiles, PackedLayer
from layerlab.engine.journal import Journal
from layerlab.engine.live import ownership
from layerlab.engine.live.building import LiveBuild
from layerlab.engine.live.buildkit import LiveBuildKitBuild, program
from layerlab.engine.live.client import CourseClient
from layerlab.engine.live.containers import LiveContainer, missing_program
from layerlab.engine.live.dialect import Dialect, spoken
from layerlab.engine.live.folders import Folders
from layerlab.engine.live.layers import content_roots, layer_files, layer_sizes, packed_layers
from layerlab.engine.live.limits import of_container
from layerlab.engine.live.registry.local import LocalRegistry
from layerlab.engine.live.translate import (
    TRANSPORT_ERRORS,
    image_not_found,
    pull_failed,
    translated,
    unreachable,
)
from layerlab.engine.mounts import Mount, mounted, require_sources
from layerlab.engine.protocol import (
    USUAL_NAMESPACE,
    BuildRequest,
    EngineInfo,
    EngineKind,
    ExecResult,
    Limits,
    RawEvent,
    StartRequest,
)
from layerlab.errors import EngineRefused, ImageNotFound, NoBuildKit, NotOurs
from layerlab.image import normal_reference

_REGISTRY_TIMEOUT = 600


class LiveEngine:
    """See `layerlab.engine.protocol.Engine`. Open one with `LiveEngine.open`."""

    def __init__(
        self, client: CourseClient, info: EngineInfo, journal: Journal, *, tls: Any = None, content: Sequence[Path] = ()
    ) -> None:
        self._client = client
        self._dialect = client.api.dialect
        self._info = info
        self._tls = tls
        self._content = tuple(content)
        self.journal = journal
        client.api.journal = journal
        client.api.refuse_others, client.api.give = self._refuse_others, self._give
        self.folders = Folders(client.api)

    @classmethod
    def open(
        cls,
        endpoint: str,
        *,
        kind: EngineKind,
        why: str,
        tls: Any = None,
        timeout: float = 60,
        namespace: str = USUAL_NAMESPACE,
        content_root: Path | None = None,
        buildx: Path | None = None,
    ) -> LiveEngine:
        """Connect to the engine at ``endpoint`` (``unix://…``, ``tcp://…``, ``ssh://…``, ``npipe://…``).

        Parameters
        ----------
        content_root
            The root folder of the engine's containerd, where it has one of its own on this machine; the usual places
            are looked into as well.
        buildx
            The program that builds, where the engine brings one along; else it is looked for, see `NoBuildKit`.

        Raises
        ------
        EngineUnreachable, EnginePermission
        EngineRefused
            It is older than what the course is made for.
        """
        try:
            client = CourseClient(endpoint, timeout=timeout, tls=tls)
            version, info = client.version(), client.info()
        except (docker.errors.DockerException, *TRANSPORT_ERRORS, OSError) as error:
            raise unreachable(endpoint, error) from error
        client.api.dialect = dialect = spoken(version)
        client.api.buildx = buildx
        dialect.require_supported(str(version["Version"]), endpoint)
        described = _describe(endpoint, dialect.kind(kind), why, version, info, dialect)
        described = replace(described, namespace=namespace)
        journal = Journal.open(dialect.identity(info, endpoint))
        return cls(client, described, journal, tls=tls, content=content_roots(info, content_root))

    def buildx(self) -> str:
        """Return the path of the program that builds. Raises NoBuildKit."""
        return program.buildx(self._client.api.buildx)

    @property
    def info(self) -> EngineInfo:
        """Which engine this is, and why it was chosen."""
        return self._info

    @property
    def client(self) -> CourseClient:
        """The Docker SDK's own client; what it builds is entered in the journal too."""
        return self._client

    def build(self, request: BuildRequest) -> LiveBuild | LiveBuildKitBuild:
        """Start a build; see the protocol."""
        tag = request.tag or ""
        if tag:
            self._may_hold(tag)
        is_buildkit = self._dialect.builder == "buildkit"
        if request.secrets and not is_buildkit:
            raise NoBuildKit(
                f"A build secret needs BuildKit, and {self._info.name} builds with {self._info.builder}, which can't "
                "be given one through Docker's API. Use a Docker engine."
            )
        # A connection of its own, so that cancelling one build disturbs nothing else.
        with translated(self._info.endpoint):
            client = CourseClient(
                self._info.endpoint, version=self._info.api_version, timeout=_REGISTRY_TIMEOUT, tls=self._tls
            )
            client.api.journal, client.api.dialect = self.journal, self._dialect
            client.api.buildx = self._client.api.buildx
            kind = LiveBuildKitBuild if is_buildkit else LiveBuild
            return kind(client.api, request, name=lambda image_id: self._name(image_id, tag))

    def inspect(self, image: str) -> dict[str, Any]:
        """Return the raw answer of ``GET /images/{image}/json``."""
        with translated(self._info.endpoint, image=image):
            return cast(dict[str, Any], self._client.api.inspect_image(image))

    def history(self, image: str) -> list[dict[str, Any]]:
        """Return the raw answer of ``GET /images/{image}/history``, newest first."""
        with translated(self._info.endpoint, image=image):
            return cast(list[dict[str, Any]], self._client.api.history(image))

    def images(self) -> list[dict[str, Any]]:
        """Return the raw answer of ``GET /images/json``."""
        with translated(self._info.endpoint):
            return cast(list[dict[str, Any]], self._client.api.images())

    def save(self, image: str) -> Iterator[bytes]:
        """Stream the image archive."""
        with translated(self._info.endpoint, image=image):
            yield from self._client.api.get_image(image)

    def layer_files(self, image: str) -> tuple[LayerFiles, ...]:
        """Return what each layer holds: kept from before, else walked where it lies, else streamed."""
        return layer_files(self.inspect(image), save=self.save, content=self._content)

    def layer_sizes(self, image: str) -> tuple[int, ...]:
        """Return the size on disk of each layer; only those are read that never were before."""
        return layer_sizes(self.inspect(image), save=self.save, content=self._content)

    def packed_layers(self, image: str) -> tuple[PackedLayer, ...]:
        """Return what each layer takes packed: kept from before, else measured on a stream of the archive."""
        return packed_layers(self.inspect(image), save=self.save, content=self._content)

    def pull(self, reference: str) -> Iterator[RawEvent]:
        """Pull an image; see the protocol."""
        was_here = self._holds(reference)
        yield from self._transfer(reference, lambda: self._client.api.pull(reference, stream=True, decode=True))
        if not was_here:
            self.journal.note("base", reference)

    def push(self, reference: str) -> Iterator[RawEvent]:
        """Push an image under a tag of ours."""
        yield from self._transfer(reference, lambda: self._client.api.push(reference, stream=True, decode=True))

    def registry(self) -> LocalRegistry:
        """Open a registry of the course's own on this machine; see the protocol."""
        return LocalRegistry.open(self)

    @contextmanager
    def lent_name(self, image: str, reference: str) -> Iterator[None]:
        """Give an image the name of a registry of ours for the length of a push. Raises NotOurs where it is taken."""
        # Not `tag`, which names images below layerlab/ only.
        if self._holder(reference) not in (None, str(self.inspect(image)["Id"])):
            raise NotOurs(f"Another image is called {reference!r} already, so it can't be pushed by that name.")
        with translated(self._info.endpoint, image=image):
            self._client.api.tag(image, *parse_repository_tag(reference))
        try:
            yield
        finally:
            self.drop_name(reference)

    def drop_name(self, reference: str) -> None:
        """Take a name off that a pull brought, or that was lent; all is well where it is off already."""
        with translated(self._info.endpoint, image=reference):
            api, image = self._client.api, ownership.inspected(self._client.api, reference)
            if image and len(image.get("RepoTags") or ()) > 1:
                api.remove_image(reference, noprune=True)  # and with it the digest that a push gave in that repository
            else:
                ownership.take_off(api, reference)

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name, unless that name is the user's."""
        self._name(str(self.inspect(image)["Id"]), reference)

    def start(self, request: StartRequest) -> LiveContainer:
        """Start a container and return at once; see the protocol."""
        if request.missing == "refuse":
            require_sources(request.mounts)
        ports = request.ports
        wanted = ports if isinstance(ports, Mapping) else dict.fromkeys(ports)
        limits = of_container(request.limits, self._client.info()) if request.limits != Limits() else {}
        container = self._create(
            request.image,
            request.command,
            mounts=tuple(mounted(request.mounts)),
            environment=dict(request.env),
            user=request.user,
            read_only=request.read_only,
            ports={f"{inside}/tcp": ("127.0.0.1", outside) for inside, outside in wanted.items()},
            cap_drop=list(request.cap_drop),
            network=request.network,
            **limits,
        )
        try:
            with translated(self._info.endpoint, image=request.image):
                container._container.start()
        except BaseException:
            # A taken port shows only at the start, when the container exists already.
            container.remove()
            raise
        return container

    def run(self, image: str, command: Sequence[str] | None = None, *, user: str | None = None) -> ExecResult:
        """Run a container to its end, remove it, and return what it printed."""
        with (
            self._create(image, command, user=user) as container,
            translated(self._info.endpoint, image=image),
        ):
            try:
                container._container.start()
            except docker.errors.APIError as error:
                return missing_program(error)
            code = int(container._container.wait()["StatusCode"])
            return ExecResult(code, container.logs())

    def remove(self, image: str) -> None:
        """Remove a tag or image that the journal owns; raise NotOurs for any other.

        An image of ours that is asked for by its id and has a name stays, whoever gave the name.
        """
        found = self.inspect(image)
        image_id, tags = str(found["Id"]), list(found.get("RepoTags") or ())
        owned = self.journal.owned()
        reference = next((tag for tag in tags if self._dialect.is_same(tag, image)), None)
        if reference is None and image_id not in owned.images:
            raise NotOurs(f"{image!r} was not made by this course, so it stays. Remove it yourself if you want to.")
        if reference is not None:
            self._remove_tag(image, image_id, tags)
        elif not ownership.names_of(found):
            self._delete(image_id)

    def close(self) -> None:
        """Close the connection; images and containers stay."""
        self._client.close()

    def _remove_tag(self, reference: str, image_id: str, tags: list[str]) -> None:
        owned, name = self.journal.owned(), normal_reference(reference)
        if not owned.gave(name, image_id):
            raise NotOurs(f"The tag {reference!r} was not given by this course, so it stays.")
        if len(tags) == 1 and image_id not in owned.images:
            # Taking the last name off deletes the image, and this image was there before we named it.
            raise NotOurs(
                f"{reference!r} is the only name of an image that was here before the course, so it stays. "
                "Give it a name of your own (`docker tag`) and clean again."
            )
        with translated(self._info.endpoint, image=reference):
            # noprune: untagged parents may be the user's own build cache.
            self._client.api.remove_image(self._dialect.in_full(reference), noprune=True)
        self.journal.forget("tag", name)
        if not self._holds(image_id):  # it stays, without a name, where another image stands on it
            self.journal.forget("image", image_id)

    def _delete(self, image_id: str) -> None:
        with translated(self._info.endpoint, image=image_id):
            self._client.api.remove_image(image_id, noprune=True)
        self.journal.forget("image", image_id)

    def _name(self, image_id: str, reference: str) -> None:
        if self._info.kind == "private" or self._holder(reference) != image_id:
            self._may_hold(reference)
            self._give(image_id, reference)

    def _give(self, image_id: str, reference: str) -> None:
        """Give an image a name, unless the name is somebody else's; one that it has already stays whose it was."""
        # Another checkout may give the same name at this moment. Between looking, naming and noting nobody
        # else may, or it would take our name for the user's. So builds don't let the engine name the image.
        name = normal_reference(reference)
        with self.journal.locked(), translated(self._info.endpoint, image=image_id):
            if self._info.kind != "private" and self._holder(reference) == image_id:
                return
            self._refuse_others(reference)
            is_noted = self.journal.owned().tags.get(name) == image_id
            # Noted twice, for a process may be killed at any moment: until the name has moved, it is ours on the image
            # that it leaves as well.
            if not is_noted:
                self.journal.note("tag", name, image=image_id, is_about=True)
            self._client.api.tag(image_id, *parse_repository_tag(reference))
            if not is_noted:
                self.journal.note("tag", name, image=image_id)

    def _may_hold(self, reference: str) -> None:
        if not docker.utils.match_tag(reference):
            raise EngineRefused(f"{reference!r} is no name for an image. Use small letters, as in `layerlab/mine:1`.")
        namespace = self._info.namespace
        if self._info.kind != "private" and not reference.startswith(namespace):
            raise NotOurs(f"The course names images only under {namespace!r}, and {reference!r} is not.")
        self._refuse_others(reference)

    def _refuse_others(self, reference: str) -> None:
        """Raise NotOurs where an image that is not ours has this name. On the private engine all names are ours."""
        if self._info.kind == "private":
            return
        with self.journal.locked():
            holder = self._holder(reference)
            is_free = holder is None or self.journal.owns_tag(normal_reference(reference), holder)
        if not is_free:
            raise NotOurs(
                f"An image that this course did not make is called {reference!r}. "
                f"Give it another name (`docker tag {reference} my-{reference.split('/')[-1]}`, then "
                f"`docker rmi {reference}`), and run this cell again."
            )

    def _holder(self, reference: str) -> str | None:
        try:
            return str(self.inspect(reference)["Id"])
        except ImageNotFound:
            return None

    def _holds(self, reference: str) -> bool:
        return self._holder(reference) is not None

    def _create(
        self, image: str, command: Sequence[str] | None, *, mounts: Sequence[Mount] = (), **options: Any
    ) -> LiveContainer:
        words = None if command is None else list(command)
        # Written down before it is made: an answer may never come, and the container be there all the same.
        name = f"layerlab-{secrets.token_hex(8)}"
        with translated(self._info.endpoint, image=image), ExitStack() as undone:
            volumes = self._bound(mounts, image, undone)
            self.journal.note("container", name)
            try:
                made = self._client.containers.create(image, words, name=name, volumes=volumes, **options)
            except docker.errors.ImageNotFound as error:
                self.journal.forget("container", name)
                raise image_not_found(image) from error
            self.journal.note("container", made.id)
            self.journal.forget("container", name)
            return LiveContainer(made, endpoint=self._info.endpoint, journal=self.journal, after=undone.pop_all())

    def _bound(self, mounts: Sequence[Mount], image: str, undone: ExitStack) -> list[str]:
        """Return mounts in Docker's notation; volumes that were made for them are given back by ``undone``."""
        found = []
        for mount in mounts:
            written, volume = self.folders.bound(mount, image)
            found.append(written)
            if volume:
                undone.callback(self.folders.release, volume)
        return found

    def _transfer(self, reference: str, begin: Any) -> Iterator[RawEvent]:
        began = time.perf_counter()
        try:
            for event in begin():
                if "error" in event:
                    raise pull_failed(reference, str(event["error"]))
                yield RawEvent(time.perf_counter() - began, event)
        except docker.errors.ImageNotFound as error:
            raise image_not_found(reference) from error
        except docker.errors.APIError as error:
            raise pull_failed(reference, str(error.explanation or error)) from error
        except TRANSPORT_ERRORS as error:
            raise unreachable(self._info.endpoint, error) from error


def _describe(
    endpoint: str, kind: EngineKind, why: str, version: Mapping[str, Any], info: Mapping[str, Any], dialect: Dialect
) -> EngineInfo:
    return EngineInfo(
        kind=kind,
        name=dialect.name,
        version=str(version["Version"]),
        api_version=str(version["ApiVersion"]),
        platform=f"{version.get('Os', 'linux')}/{version.get('Arch', 'amd64')}",
        storage=str(info.get("Driver", "unknown")),
        builder=dialect.builder,
        endpoint=endpoint,
        why=why,
    )


def environment_tls() -> Any:
    """Return the TLS settings that DOCKER_CERT_PATH names, as `docker.from_env` reads them."""
    return docker.utils.kwargs_from_env().get("tls")
