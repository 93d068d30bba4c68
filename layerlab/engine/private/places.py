"""Where the private engine keeps its files. Knows paths and how long a socket's may be, nothing that runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# sockaddr_un.sun_path holds 108 bytes, the last of them NUL (unix(7)).
LONGEST_SOCKET_PATH = 107

# Another name than the earlier engine's, so that neither reads the other's data.
ENGINE_FOLDER = "engine-28"
# Of the course's engine before this one, Docker 20.10 with overlay2. It is only named, ended and removed.
EARLIER_FOLDER = "engine"


@dataclass(frozen=True)
class Paths:
    """Every file and folder of the private engine.

    ``note`` is empty, or says why the socket is not beside the other files.
    """

    root: Path
    data_root: Path
    exec_root: Path
    socket: Path
    pid_file: Path
    log: Path
    lock: Path
    note: str = ""

    @property
    def config(self) -> Path:
        """Configuration of our own, so that the user's /etc/docker/daemon.json is not read."""
        return self.root / "daemon.json"

    @property
    def record(self) -> Path:
        """What the last start wrote down about its process: pid, start time, version."""
        return self.root / "process.json"

    @property
    def marker(self) -> Path:
        """In which boot and network namespace our engine ran; tells our leftovers from another's."""
        return self.root / "network.json"

    @property
    def programs(self) -> Path:
        """Debian's packages, unpacked: dockerd, containerd, runc, docker, its plugins."""
        return self.root / "programs"

    @property
    def program_folders(self) -> tuple[Path, Path]:
        """The folders of our programs, for ``PATH``."""
        return self.programs / "usr/bin", self.programs / "usr/sbin"

    @property
    def plugins(self) -> Path:
        """The docker command's plugins, as Debian has them: buildx and compose."""
        return self.programs / "usr/libexec/docker/cli-plugins"

    @property
    def buildx(self) -> Path:
        """The program that builds."""
        return self.plugins / "docker-buildx"

    @property
    def client(self) -> Path:
        """The folder that ``DOCKER_CONFIG`` names in the course's terminals."""
        return self.root / "client"

    @property
    def containerd_config(self) -> Path:
        """Configuration of our containerd; on its command line, so it is known by it."""
        return self.exec_root / "containerd" / "containerd.toml"

    @property
    def containerd_socket(self) -> Path:
        """Where our containerd listens; shims bear this path on their command lines."""
        return self.exec_root / "containerd" / "containerd.sock"

    @property
    def containerd_state(self) -> Path:
        """What containerd keeps while it runs."""
        return self.exec_root / "containerd" / "daemon"

    @property
    def containerd_root(self) -> Path:
        """The image store: ``io.containerd.content.v1.content/blobs`` and snapshots, inside the data root."""
        return self.data_root / "containerd" / "daemon"

    @property
    def url(self) -> str:
        """The address in the form that ``DOCKER_HOST`` takes."""
        return f"unix://{self.socket}"


def data_folder() -> Path:
    """Name the folder for this user's data: ``LAYERLAB_DATA``, or where this system keeps such."""
    if named := os.environ.get("LAYERLAB_DATA"):
        # Resolved, since the engine's process is recognised by this path: one folder needs one spelling.
        return Path(named).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_data_dir("layerlab")).resolve()


def paths() -> Paths:
    """Name the private engine's files, one set for all checkouts of this user. Creates nothing."""
    return _paths(data_folder() / ENGINE_FOLDER)


def earlier_paths() -> Paths:
    """Name the files of the course's earlier engine, which may be there or not."""
    return _paths(data_folder() / EARLIER_FOLDER)


def _paths(root: Path) -> Paths:
    exec_root, note = _exec_root(root)
    socket = root / "docker.sock"
    if len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
        socket = _runtime_folder(root) / "docker.sock"
    return Paths(
        root=root,
        data_root=root / "data",
        exec_root=exec_root,
        socket=socket,
        pid_file=root / "docker.pid",
        log=root / "dockerd.log",
        lock=root / "lock",
        note=note,
    )


def _exec_root(root: Path) -> tuple[Path, str]:
    """Put run-time state beside the data, unless the sockets inside would have too long a path.

    Notes
    -----
    The longest socket below the exec root is our containerd's ``containerd/containerd.sock.ttrpc``. dockerd 28.5
    puts ``metrics.sock`` and ``libnetwork/ID.sock`` there; the shims' are hashed into /run/containerd/s.
    """
    exec_root = root / "exec"
    deepest = exec_root / "containerd" / "containerd.sock.ttrpc"
    if len(os.fsencode(deepest)) <= LONGEST_SOCKET_PATH:
        return exec_root, ""
    runtime = _runtime_folder(root) / "exec"
    note = f"{root} is too long for sockets ({LONGEST_SOCKET_PATH} bytes), so they live in {runtime.parent}."
    return runtime, note


def _runtime_folder(root: Path) -> Path:
    # Named by a hash of the data folder: every checkout and every start arrives at the same one.
    # /tmp itself and not TMPDIR, which differs from session to session and may be long as well.
    import tempfile

    temporary = Path("/tmp") if os.name == "posix" else Path(tempfile.gettempdir())
    return temporary / f"layerlab-{_fingerprint(root)}"


def _fingerprint(root: Path) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
