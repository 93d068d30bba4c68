"""Which engine `connect` takes, told with pretended engines, and what it says of real sockets that are dead."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from layerlab.context import BuildContext
from layerlab.engine import choice, connect, private
from layerlab.engine.live import LiveEngine
from layerlab.engine.protocol import BuildRequest
from layerlab.engine.recorded.engine import RecordedEngine
from layerlab.errors import EngineError, EnginePermission, EngineUnreachable, NoEngine, NotOurs, NotRecorded

VARIABLES = (
    "LAYERLAB_ENGINE",
    "LAYERLAB_RECORD",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_TLS_VERIFY",
    "CONTAINER_HOST",
)
STAND_IN = {"Labels": {"layerlab.standin": "true"}}


@dataclass
class Machine:
    """What there is on a pretended machine; ``asked`` collects the endpoints that were opened, in order."""

    folder: Path
    asked: list[str]
    dead: set[str]
    images: list[dict[str, object]]
    namespaces: set[str] = field(default_factory=set)

    @property
    def docker(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def podman(self) -> Path:
        return self.folder / "podman/podman.sock"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which nothing is set or running."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker-config"))
    monkeypatch.setenv("LAYERLAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(choice, "_DOCKER_SOCKET", str(tmp_path / "docker.sock"))
    monkeypatch.setattr(choice, "_podman_sockets", lambda: (tmp_path / "podman/podman.sock",))
    monkeypatch.setattr(private, "is_running", lambda: False, raising=False)
    monkeypatch.setattr(RecordedEngine, "open", lambda *, why, **_: _pretended("recorded", "recordings", why))
    return tmp_path


@pytest.fixture
def machine(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose engines are pretended: each answers unless it is among ``dead``."""
    found = Machine(bare, asked=[], dead=set(), images=[STAND_IN])

    def opened(endpoint: str, *, kind: str, why: str, namespace: str, **_: object) -> SimpleNamespace:
        found.asked.append(endpoint)
        found.namespaces.add(namespace)
        if endpoint in found.dead:
            raise EngineUnreachable(f"No engine answers at {endpoint}. Start it.")
        return _pretended(kind, endpoint, why, images=found.images)

    monkeypatch.setattr(LiveEngine, "open", opened)
    return found


def _pretended(kind: str, endpoint: str, why: str, *, images: object = ()) -> SimpleNamespace:
    info = SimpleNamespace(kind=kind, endpoint=endpoint, why=why, is_live=kind != "recorded")
    return SimpleNamespace(info=info, images=lambda: images, close=lambda: None)


def _there_is(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _choose_context(config: Path, name: str, host: str | None) -> None:
    """Do what `docker context create` and `docker context use` write."""
    meta = config / "contexts/meta" / "0123abcd"
    meta.mkdir(parents=True)
    (config / "config.json").write_text(json.dumps({"currentContext": name}))
    if host is not None:
        (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))


# --- the order ---------------------------------------------------------------------------------


def test_each_engine_gives_way_to_the_one_before_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [connect().info.why]
    monkeypatch.setattr(private, "is_running", lambda: True)
    chosen.append(connect().info.why)
    _there_is(machine.podman)
    chosen.append(connect().info.why)
    _there_is(machine.docker)
    chosen.append(connect().info.why)
    monkeypatch.setenv("CONTAINER_HOST", "unix:///podman/of/mine.sock")
    chosen.append(connect().info.why)
    _choose_context(machine.folder / "docker-config", "lab", "tcp://lab.example:2376")
    chosen.append(connect().info.why)
    monkeypatch.setenv("DOCKER_HOST", "tcp://far.example:2376")
    chosen.append(connect().info.why)
    assert chosen == [
        "no engine was found",
        "the private engine runs",
        "Podman's socket answers",
        f"Docker answers at {machine.docker}",
        "CONTAINER_HOST=unix:///podman/of/mine.sock",
        "the Docker context 'lab'",
        "DOCKER_HOST=tcp://far.example:2376",
    ]


@pytest.mark.parametrize("kind", ["docker", "podman", "private", "recorded"])
def test_a_kind_asked_for_is_taken_whatever_else_is_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    _there_is(machine.docker)
    _there_is(machine.podman)
    monkeypatch.setattr(private, "is_running", lambda: True)
    monkeypatch.setenv("LAYERLAB_ENGINE", kind)
    by_environment = connect().info
    assert (by_environment.kind, by_environment.why) == (kind, f"LAYERLAB_ENGINE={kind}")
    monkeypatch.setenv("LAYERLAB_ENGINE", "recorded" if kind != "recorded" else "docker")
    by_argument = connect(kind).info
    assert (by_argument.kind, by_argument.why) == (kind, f"{kind!r} was asked for")


def test_docker_asked_for_by_name_is_the_one_docker_host_names(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERLAB_ENGINE", "docker")
    monkeypatch.setenv("DOCKER_HOST", "tcp://far.example:2376")
    assert connect().info.endpoint == "tcp://far.example:2376"


def test_docker_host_wins_over_a_context_named_in_the_environment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _choose_context(machine.folder / "docker-config", "lab", "tcp://lab.example:2376")
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert connect().info.kind == "recorded"  # the default context is no choice
    monkeypatch.setenv("DOCKER_CONTEXT", "lab")
    assert connect().info.endpoint == "tcp://lab.example:2376"
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")
    assert connect().info.endpoint == "unix:///elsewhere.sock"


# --- engines that are there and of no use ---------------------------------------------------------


def test_dead_sockets_nobody_named_are_passed_by_and_told(machine: Machine) -> None:
    _there_is(machine.docker)
    _there_is(machine.podman)
    machine.dead |= {f"unix://{machine.docker}", f"unix://{machine.podman}"}
    info = connect().info
    assert info.kind == "recorded"
    assert info.why == f"No engine answers at unix://{machine.docker}; No engine answers at unix://{machine.podman}"
    assert machine.asked == [f"unix://{machine.docker}", f"unix://{machine.podman}"]


def test_a_private_engine_without_bases_waits_for_them(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "is_running", lambda: True)
    machine.images = [{"Labels": None}]
    info = connect().info
    assert info.kind == "recorded"
    assert "base images are still being prepared" in info.why
    assert connect("private").info.kind == "private"  # whoever names it gets it as it is


@pytest.mark.parametrize(
    ("runs", "images", "kind", "why"),
    [
        (True, [STAND_IN], "private", "the private engine runs"),
        (True, [{"Labels": None}], "recorded", "base images are still being prepared"),
        (False, [], "docker", "Docker answers at"),
    ],
)
def test_the_private_engine_told_to_a_terminal_is_no_choice_of_the_users(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, runs: bool, images: list[object], kind: str, why: str
) -> None:
    """`layerlab lab` sets DOCKER_HOST before the engine is there; a Docker that is started later is still found."""
    _there_is(machine.docker)
    _choose_context(machine.folder / "docker-config", "lab", "tcp://lab.example:2376")
    monkeypatch.setenv("DOCKER_HOST", private.paths().url)
    monkeypatch.setattr(private, "is_running", lambda: runs)
    machine.images = images
    info = connect().info
    assert info.kind == kind and why in info.why


def test_podman_is_where_its_own_variable_says(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    _there_is(machine.podman)
    monkeypatch.setenv("CONTAINER_HOST", "unix:///podman/of/mine.sock")
    assert connect("podman").info.kind == "podman"
    assert machine.asked == ["unix:///podman/of/mine.sock"]


@pytest.mark.parametrize("prefer", [None, "podman"])
def test_a_dead_podman_that_was_named_is_an_error(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, prefer: str | None
) -> None:
    _there_is(machine.docker)
    _there_is(machine.podman)
    monkeypatch.setenv("CONTAINER_HOST", "unix:///podman/of/mine.sock")
    machine.dead.add("unix:///podman/of/mine.sock")
    with pytest.raises(EngineUnreachable, match=r"mine\.sock"):
        connect(prefer)


@pytest.mark.parametrize(
    ("kind", "told"), [("private", "`layerlab engine start`"), ("podman", "No Podman socket was found")]
)
def test_a_kind_asked_for_that_is_not_there_is_an_error(bare: Path, kind: str, told: str) -> None:
    with pytest.raises(NoEngine, match=told):
        connect(kind)


def test_a_kind_that_does_not_exist_is_named_with_those_that_do(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERLAB_ENGINE", "nonsense")
    with pytest.raises(NoEngine, match=r"LAYERLAB_ENGINE=nonsense.*Use one of docker, podman, private, recorded"):
        connect()


def test_a_dead_engine_asked_for_is_an_error_and_no_reason_for_another(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _there_is(machine.docker)
    _choose_context(machine.folder / "docker-config", "lab", "tcp://lab.example:2376")
    machine.dead.add("tcp://lab.example:2376")
    for wanted in (None, "docker"):
        with pytest.raises(EngineUnreachable, match=r"lab\.example"):
            connect(wanted)
    assert set(machine.asked) == {"tcp://lab.example:2376"}


@pytest.mark.parametrize("meta", [None, "", "{}", '{"Name": "lab"}', '{"Name": "lab", "Endpoints": {"docker": 7}}'])
def test_a_context_that_is_not_there_or_damaged_is_an_error(machine: Machine, meta: str | None) -> None:
    _there_is(machine.docker)
    config = machine.folder / "docker-config"
    _choose_context(config, "lab", None)
    if meta is not None:
        (config / "contexts/meta/0123abcd/meta.json").write_text(meta)
    with pytest.raises(NoEngine, match=r"The Docker context 'lab' is chosen.*docker context use default"):
        connect()
    assert not machine.asked


def test_a_damaged_configuration_chooses_no_context(machine: Machine) -> None:
    config = machine.folder / "docker-config"
    config.mkdir()
    for text in ("", "[]", "{", '{"currentContext": ""}'):
        (config / "config.json").write_text(text)
        assert connect().info.kind == "recorded"


# --- real sockets ---------------------------------------------------------------------------------


@pytest.fixture(params=["no such socket", "a stale socket", "a closed port", "a name that is no address"])
def dead_endpoint(request: pytest.FixtureRequest, short_folder: Path) -> str:
    match request.param:
        case "no such socket":
            return f"unix://{short_folder}/nowhere.sock"
        case "a stale socket":
            left_behind = socket.socket(socket.AF_UNIX)
            left_behind.bind(f"{short_folder}/stale.sock")
            left_behind.close()  # the file stays, as after a SIGKILL
            return f"unix://{short_folder}/stale.sock"
        case "a closed port":
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                return f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    return "nonsense://nowhere"


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder that every user may enter, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="ll-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_dead_docker_host_is_unreachable(bare: Path, monkeypatch: pytest.MonkeyPatch, dead_endpoint: str) -> None:
    _there_is(bare / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", dead_endpoint)
    for wanted in (None, "docker"):
        with pytest.raises(EngineUnreachable) as caught:
            connect(wanted)
        assert f"No engine answers at {dead_endpoint}" in str(caught.value)
        assert "DOCKER_HOST names that engine: start it there, or unset DOCKER_HOST" in str(caught.value)
        # Another engine would not be asked while the variable stands, so starting one is no advice.
        assert "layerlab engine start" not in str(caught.value)


def test_a_dead_context_is_unreachable(bare: Path, dead_endpoint: str) -> None:
    _choose_context(bare / "docker-config", "lab", dead_endpoint)
    with pytest.raises(EngineUnreachable, match=r"No engine answers at .* context 'lab' names that engine"):
        connect()


def test_what_listens_and_is_no_engine_is_an_error_too(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that takes the call and hangs up: a tunnel whose far end is gone."""
    import threading

    listening = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        while True:
            try:
                listening.accept()[0].close()
            except OSError:
                return

    threading.Thread(target=hang_up, daemon=True).start()
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{listening.getsockname()[1]}")
    try:
        with pytest.raises(EngineError, match="answer"):
            connect()
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


AS_NOBODY = """
import os
from layerlab.engine import choice, live
from layerlab.engine.recorded import engine as recorded
from layerlab.errors import LayerLabError
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(choice.connect().info.why)
except LayerLabError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becoming another user needs root")
def test_a_socket_that_may_not_be_opened_says_who_may(
    bare: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked as uid 65534, since permission bits do not bind root."""
    path = short_folder / "engine.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        path.chmod(0o600)
        told = subprocess.check_output(
            [sys.executable, "-c", AS_NOBODY], text=True, env={**os.environ, "DOCKER_HOST": f"unix://{path}"}
        )
    assert told.startswith(f"{EnginePermission.__name__} The engine's socket at unix://{path} may not be opened")
    assert "docker` group" in told


def test_recordings_are_those_of_the_notebook(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def pretended(*, why: str, notebook: str, **_: object) -> object:
        asked.append(notebook)
        return _pretended("recorded", "recordings", why)

    monkeypatch.setattr(RecordedEngine, "open", pretended)
    connect(notebook="08_measuring")
    connect("recorded", notebook="09_buildkit")
    connect()
    assert asked == ["08_measuring", "09_buildkit", ""]


# --- what belongs to the session ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["docker", "podman", "private"])
def test_the_namespace_reaches_every_engine(machine: Machine, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(private, "is_running", lambda: True)
    _there_is(machine.podman)
    connect(kind, namespace="course/of-ada/")
    assert machine.namespaces == {"course/of-ada/"}
    with pytest.raises(ValueError, match="slash"):
        connect(kind, namespace="course")


def test_two_recorded_sessions_have_namespaces_of_their_own(tmp_path: Path) -> None:
    ours, others = connect("recorded"), connect("recorded", namespace="course/of-ada/")
    assert (ours.info.namespace, others.info.namespace) == ("layerlab/", "course/of-ada/")
    context = BuildContext.open(tmp_path, "Dockerfile", dockerfile_text="FROM scratch\n")
    with pytest.raises(NotOurs, match=r"only under 'course/of-ada/'.*Call it course/of-ada/x:1"):
        others.build(BuildRequest(context=context, tag="layerlab/x:1"))
    with pytest.raises(NotOurs, match="only under 'layerlab/'"):
        ours.build(BuildRequest(context=context, tag="course/of-ada/x:1"))


def test_recordings_that_are_given_are_taken_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAYERLAB_RECORDINGS", str(tmp_path / "nowhere"))
    given = Path(__file__).parents[3] / "recordings"
    assert connect("recorded", recordings=given).info.kind == "recorded"
    with pytest.raises(NotRecorded, match="No folder 'elsewhere' of recordings is there"):
        connect("recorded", recordings=tmp_path / "elsewhere")
