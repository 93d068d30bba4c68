"""Starts such an engine and ends it: programs, processes, mounts, network, control groups and data."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from layerlab.engine.private import command, ping, preflight
from layerlab.engine.private.packages import OnLine, search_path, unpack
from layerlab.engine.private.places import LONGEST_SOCKET_PATH
from layerlab.engine.temporary.kinds import KINDS, Kind, configure
from layerlab.engine.temporary.uplink import uplink
from layerlab.errors import PrivateEngineError

_CGROUPS = Path("/sys/fs/cgroup")
_NEEDED = {
    "ip": "iproute2",
    "iptables": "iptables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
_HIDDEN = ("/run", "/var/lib")  # where Podman and its network write outside its own folders
_LOG_LINES = 15
_LONGEST = LONGEST_SOCKET_PATH - len("/e12345678/exec/libnetwork/123456789012.sock")


@dataclass(frozen=True)
class Running:
    """An engine that runs: its address, the process that holds its namespaces, and where everything of it lies."""

    kind: Kind
    folder: Path
    pid: int

    @property
    def endpoint(self) -> str:
        """Its address, in Docker's form; it can be reached from anywhere on this machine."""
        return f"unix://{self.folder}/engine.sock"

    def inside(self, *program: str) -> list[str]:
        """Give the command that runs a program in the engine's network, where the ports that it publishes are."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *program]

    @property
    def environment(self) -> Mapping[str, str]:
        """What a program needs to use this engine and no other: address, command line, plug-ins, a data folder."""
        given = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "CONTAINER_"))}
        given.pop("LAYERLAB_ENGINE", None)
        return {
            **given,
            self.kind.variable: self.endpoint,
            "DOCKER_CONFIG": str(self.folder / "config"),
            "LAYERLAB_DATA": str(self.folder / "data"),
            "PATH": os.pathsep.join((str(self.folder / "bin"), search_path())),
        }


@contextmanager
def running(name: str, where: Path, *, on_line: OnLine | None = None, wait_seconds: float = 90) -> Iterator[Running]:
    """Fetch an engine of `KINDS`, start it apart from everything, and remove all of it at the end.

    Parameters
    ----------
    where
        The folder in which its own is made, on a local disk.

    Raises
    ------
    PrivateEngineError
        Not on Linux, not as root, without a program that is needed, for packages that can't be had or verified, or
        where the engine does not start: with the last lines of its log.
    """
    say = on_line or (lambda line: None)
    check(where)
    where.mkdir(parents=True, exist_ok=True)
    kind, folder = KINDS[name], Path(tempfile.mkdtemp(prefix="e", dir=where))  # short: a socket's path has 107 bytes
    groups = f"/layerlab-{folder.name}"
    there = _groups(groups)
    try:
        found = unpack(kind.packages, folder / "root", on_line=say, with_dependencies=True)
        say(f"Starting {name} ({found.versions[kind.names[0]]}).")
        serve = configure(kind, folder, name_servers=_name_servers(kind), limits=_limits(), groups=groups)
        _offer_programs(folder)
        with _served(_script(kind, folder, serve), folder, wait_seconds) as pid:
            yield Running(kind, folder, pid)
    finally:
        _clear(folder)
        for group in _groups(groups) - there:
            _remove_groups(group)


def check(where: Path) -> None:
    """Refuse where no such engine can be started.

    Raises
    ------
    PrivateEngineError
        Saying what is missing.
    """
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise PrivateEngineError(
            "Engines of other versions are started by root on Linux only. Run it there, or name an engine that runs "
            "in DOCKER_HOST and use `layerlab test` without --on."
        )
    missing = sorted({package for program, package in _NEEDED.items() if not shutil.which(program, path=search_path())})
    if missing:
        raise PrivateEngineError(
            f"A network apart needs {' and '.join(missing)}. "
            f"Run `apt-get install --no-install-recommends {' '.join(missing)}`."
        )
    if len(str(where)) > _LONGEST:
        raise PrivateEngineError(f"{where} is too long for the sockets in it. Name a shorter folder in LAYERLAB_DATA.")
    if any(where.resolve().is_relative_to(hidden) for hidden in _HIDDEN):
        raise PrivateEngineError(
            f"{where} is below a folder that such an engine can't see. Name another in LAYERLAB_DATA."
        )


def _script(kind: Kind, folder: Path, serve: str) -> str:
    """Write what the first process in the new namespaces does.

    Notes
    -----
    This machine's programs and libraries are covered by those unpacked; its /etc, its home and its temporary folders
    stay in sight under the names that they have for everybody.
    """
    hide = [f"mount -t tmpfs tmpfs {place}" for place in ("/dev/shm", *_HIDDEN)] if kind.kind == "podman" else []
    return "\n".join(
        (
            "set -e",
            *hide,
            f"mount --bind {folder}/root/usr /usr",
            f"export PATH={folder}/links:/usr/sbin:/usr/bin",
            f"cd {folder}",
            serve,
        )
    )


@contextmanager
def _served(script: str, folder: Path, wait_seconds: float) -> Iterator[int]:
    # Ends with us, even if we are killed; and with the first process in a namespace end all the others in it.
    apart = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--mount-proc"]
    apart += ["--fork", "--kill-child", "sh", "-c", script]
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(
            apart, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=command.inherited(), start_new_session=True
        )
    try:
        own = os.readlink("/proc/self/ns/net")  # noqa: PTH115
        _until(lambda: _namespace(service.pid) not in (own, None), service, folder, wait_seconds)
        with uplink(service.pid):
            _until(lambda: ping.answers(folder / "engine.sock"), service, folder, wait_seconds)
            yield service.pid
    finally:
        service.kill()
        service.wait()


def _until(holds: Callable[[], bool], service: subprocess.Popen[bytes], folder: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if service.poll() is not None or time.monotonic() > deadline:
            log = (folder / "log").read_text(errors="replace").splitlines()
            raise PrivateEngineError("\n".join(("The engine did not start. Its log ends so:", *log[-_LOG_LINES:])))
        time.sleep(0.05)


def _namespace(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115
    except OSError:
        return None


def _offer_programs(folder: Path) -> None:
    """Put the engine's own command line and its plug-ins where `Running.environment` leads to."""
    for name, programs in (("bin", "usr/bin/docker"), ("config/cli-plugins", "usr/libexec/docker/cli-plugins/*")):
        (folder / name).mkdir(parents=True)
        for program in (folder / "root").glob(programs):
            (folder / name / program.name).symlink_to(program)


def _name_servers(kind: Kind) -> tuple[str, ...]:
    behind = preflight.container_name_servers()
    # Podman would read the host's list, which may be a link into /run, and that is out of its sight.
    return behind or (preflight.name_servers(Path("/etc/resolv.conf")) if kind.kind == "podman" else ())


def _limits() -> tuple[str, ...]:
    # Podman asks for more open files than a root without CAP_SYS_RESOURCE may give: take what this process has.
    hard = {
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "nproc": resource.getrlimit(resource.RLIMIT_NPROC)[1],
    }
    return tuple(f"{name}={most}:{most}" for name, most in hard.items())


def _groups(docker: str) -> set[Path]:
    """Find the control groups in which the containers are: ours by name, and the one that Podman always takes."""
    names = (docker.strip("/"), "libpod_parent")
    return {path for name in names for pattern in (name, f"*/{name}") for path in _CGROUPS.glob(pattern)}


def _clear(folder: Path) -> None:
    # The kernel may still be ending what ran there, and until then the mounts are in use.
    deadline = time.monotonic() + 30
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=time.monotonic() < deadline)
        time.sleep(0.05)


def _remove_groups(top: Path) -> None:
    # Only empty groups can be removed, so nobody's processes lose theirs.
    for folder, _, _ in os.walk(top, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()
