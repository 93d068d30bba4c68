"""Which engine answers: the one that was named, else the first that is there, else the recordings.

An engine that was named and is dead is an error and never a reason to take another one: whoever set
DOCKER_HOST wants that engine, and a build on a different one would measure something else.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layerlab.engine import private
from layerlab.engine.protocol import USUAL_NAMESPACE, Engine, EngineKind
from layerlab.errors import EngineError, EngineUnreachable, NoEngine

KINDS = ("docker", "podman", "private", "recorded")
_DOCKER_SOCKET = "/var/run/docker.sock"
# Where `podman --remote` looks first: the same form as DOCKER_HOST.
_CONTAINER_HOST = "CONTAINER_HOST"


@dataclass(frozen=True)
class _Session:
    """What is asked of an engine besides its kind; see `connect`."""

    notebook: str
    recordings: Path | None
    namespace: str


def connect(
    prefer: str | None = None,
    *,
    notebook: str = "",
    recordings: Path | None = None,
    namespace: str = USUAL_NAMESPACE,
) -> Engine:
    """Connect to an engine; its ``info.why`` says in a sentence why this one.

    Parameters
    ----------
    prefer
        ``docker``, ``podman``, ``private`` or ``recorded``. Defaults to the environment's LAYERLAB_ENGINE,
        and without that to the first that is there: DOCKER_HOST or the Docker context, Podman's
        CONTAINER_HOST, Docker's default socket, Podman's socket, a running private engine with bases,
        recordings.
    notebook
        Whose recordings are wanted, where it comes to that: a notebook that was recorded by itself has its own.
    recordings
        Their folder; by default the environment's LAYERLAB_RECORDINGS, and without that the checkout's.
    namespace
        What all names begin with that this session gives to images, up to and with a slash.

    Raises
    ------
    ValueError
        The namespace ends without a slash: it would hold others' names that begin alike.
    NoEngine
        An engine was asked for by name and there is none of that kind.
    EngineUnreachable, EnginePermission
        DOCKER_HOST, the Docker context or CONTAINER_HOST names an engine that does not answer, or may not
        be opened.
    """
    if not namespace.endswith("/"):
        raise ValueError(f"{namespace!r} is no namespace. Let it end with a slash, as in {USUAL_NAMESPACE!r}.")
    session = _Session(notebook, recordings, namespace)
    wanted = prefer or os.environ.get("LAYERLAB_ENGINE")
    if not wanted:
        return _recording(_first_found(session))
    because = f"{wanted!r} was asked for" if prefer else f"LAYERLAB_ENGINE={wanted}"
    if wanted not in KINDS:
        raise NoEngine(f"{because}, and that is no engine. Use one of {', '.join(KINDS)}.")
    return _recording(_named(wanted, because, session))


def _named(kind: str, because: str, session: _Session) -> Engine:
    if kind == "recorded":
        return _recorded(because, session)
    if kind == "private":
        return _private(because, session)
    if kind == "podman":
        return _podman(because, session)
    return _explicit(session) or _docker(_DOCKER_SOCKET, because, session)


def _first_found(session: _Session) -> Engine:
    because = f"{_CONTAINER_HOST}={os.environ.get(_CONTAINER_HOST)}"
    if engine := _explicit(session) or _explicit_podman(because, session):
        return engine
    reasons: list[str] = []
    usual = (_default_docker, _default_podman, _running_private)
    for attempt in (_running_private,) if _private_is_told() and private.is_running() else usual:
        found = attempt(reasons, session)
        if found:
            return found
    return _recorded("; ".join(reasons) or "no engine was found", session)


def _explicit(session: _Session) -> Engine | None:
    """Return the engine that DOCKER_HOST or a chosen Docker context names; raise if it does not answer."""
    if _private_is_told():
        return None
    if host := os.environ.get("DOCKER_HOST"):
        with _named_by("DOCKER_HOST", "unset DOCKER_HOST"):
            return _live(host, "docker", f"DOCKER_HOST={host}", session, tls=_environment_tls())
    name, endpoint = _docker_context()
    if endpoint:
        with _named_by(f"The Docker context {name!r}", "choose another one (`docker context use default`)"):
            return _live(endpoint, "docker", f"the Docker context {name!r}", session)
    return None


def _private_is_told() -> bool:
    """Say whether DOCKER_HOST names the private engine, as in the course's own kernels and terminals.

    There it is told by us and before the engine runs, so it is no choice of the user's.
    """
    host = os.environ.get("DOCKER_HOST")
    return host is not None and host == private.paths().url


@contextlib.contextmanager
def _named_by(what: str, otherwise: str) -> Iterator[None]:
    """Say who named a dead engine: starting another one does not help while that name stands."""
    try:
        yield
    except EngineUnreachable as error:
        said = str(error).partition(". ")[0]
        raise EngineUnreachable(f"{said}. {what} names that engine: start it there, or {otherwise}.") from error


def _explicit_podman(because: str, session: _Session) -> Engine | None:
    """Return the engine that Podman's own variable names; raise if it does not answer."""
    host = os.environ.get(_CONTAINER_HOST)
    return _live(host, "podman", because, session) if host else None


def _docker(socket: str, because: str, session: _Session) -> Engine:
    return _live(f"unix://{socket}", "docker", because, session)


def _podman(because: str, session: _Session) -> Engine:
    if engine := _explicit_podman(because, session):
        return engine
    for socket in _podman_sockets():
        if socket.exists():
            return _live(f"unix://{socket}", "podman", because, session)
    raise NoEngine(
        "No Podman socket was found. Start one with `systemctl --user start podman.socket` and leave "
        f"{_CONTAINER_HOST} unset, or name it there (`unix:///path/of/podman.sock`)."
    )


def _private(because: str, session: _Session) -> Engine:
    if not private.is_running():
        raise NoEngine("The private engine does not run. Start it with `layerlab engine start`.")
    where = private.paths()
    return _live(where.url, "private", because, session, content_root=where.containerd_root, buildx=where.buildx)


def _live(
    endpoint: str,
    kind: EngineKind,
    because: str,
    session: _Session,
    *,
    tls: object = None,
    content_root: Path | None = None,
    buildx: Path | None = None,
) -> Engine:
    from layerlab.engine.live import LiveEngine

    return LiveEngine.open(
        endpoint,
        kind=kind,
        why=because,
        tls=tls,
        namespace=session.namespace,
        content_root=content_root,
        buildx=buildx,
    )


def _recorded(because: str, session: _Session) -> Engine:
    from layerlab.engine.recorded.engine import RecordedEngine

    return RecordedEngine.open(
        why=because, notebook=session.notebook, recordings=session.recordings, namespace=session.namespace
    )


def _default_docker(reasons: list[str], session: _Session) -> Engine | None:
    if not Path(_DOCKER_SOCKET).exists():
        return None
    try:
        return _docker(_DOCKER_SOCKET, f"Docker answers at {_DOCKER_SOCKET}", session)
    except EngineError as error:
        reasons.append(str(error).split(". ")[0])
        return None


def _default_podman(reasons: list[str], session: _Session) -> Engine | None:
    try:
        return _podman("Podman's socket answers", session)
    except NoEngine:
        return None
    except EngineError as error:
        reasons.append(str(error).split(". ")[0])
        return None


def _running_private(reasons: list[str], session: _Session) -> Engine | None:
    if not private.is_running():
        return None
    engine = _private("the private engine runs", session)
    if not any("layerlab.standin" in (image.get("Labels") or {}) for image in engine.images()):
        engine.close()
        reasons.append("the private engine runs, and its base images are still being prepared")
        return None
    return engine


def _podman_sockets() -> tuple[Path, ...]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    user = (Path(runtime) / "podman/podman.sock",) if runtime else ()
    return (*user, Path("/run/podman/podman.sock"))


def _docker_context() -> tuple[str, str | None]:
    """Return the name and endpoint of a Docker context that somebody chose; none for the default one."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = os.environ.get("DOCKER_CONTEXT") or _current_context(folder / "config.json")
    if not name or name == "default":
        return "default", None
    for meta in (folder / "contexts/meta").glob("*/meta.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            context = json.loads(meta.read_text())
            if context["Name"] == name:
                return name, str(context["Endpoints"]["docker"]["Host"])
    raise NoEngine(
        f"The Docker context {name!r} is chosen, and no such context can be read in {folder / 'contexts'}. "
        "Choose another (`docker context use default`, or unset DOCKER_CONTEXT)."
    )


def _current_context(config: Path) -> str | None:
    try:
        name = json.loads(config.read_text()).get("currentContext")
    except (OSError, ValueError, AttributeError):
        return None
    return str(name) if name else None


def _environment_tls() -> object:
    if not os.environ.get("DOCKER_TLS_VERIFY"):
        return None
    from layerlab.engine.live import environment_tls

    return environment_tls()


def _recording(engine: Engine) -> Engine:
    """Wrap a live engine in the recorder while `layerlab record` runs the course."""
    if not os.environ.get("LAYERLAB_RECORD") or not engine.info.is_live:
        return engine
    from layerlab.engine.recorder.engine import RecordingEngine

    recording: Engine = RecordingEngine.open(engine)
    return recording
