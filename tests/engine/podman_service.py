"""A Podman of the tests' own: store, network, mounts and commands go with the one process that is ended. Holds no test.

As a program it is that process's beginning: what runs in the new namespaces.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of sched.h
_SET_FLAGS = 0x8914  # SIOCSIFFLAGS
_CGROUPS = Path("/sys/fs/cgroup")
_PARENT = "libpod_parent"  # the control group of every container, named so by Podman
# Debian's podman keeps its runtimes and iptables where a user's PATH may not lead.
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def why_not() -> str | None:
    """Say why no Podman can be started here, or None where one can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "a Podman with a network and a store of its own is started by root on Linux only"
    missing = [
        name for name in ("podman", "unshare", "setpriv", "mount", "iptables") if not shutil.which(name, path=_PATH)
    ]
    if missing:
        return (
            f"{' and '.join(missing)} is not installed, and our set-up does not bring it: "
            "`apt-get install --no-install-recommends podman runc iptables`"
        )
    return None if _runtime() else "Podman's runtime is not installed: `apt-get install --no-install-recommends runc`"


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start Podman's service with everything it writes in ``folder``, and give its address.

    Until the end this thread is in Podman's network, or the ports that it publishes would not be reachable.
    """
    there = set(_CGROUPS.glob(f"*/{_PARENT}"))
    (folder / "containers.conf").write_text(_configuration(folder))
    # Ends with us, even if we are killed; and with the first process in a namespace end all the others in it.
    apart = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--mount-proc"]
    apart += ["--fork", "--kill-child"]
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen([*apart, sys.executable, __file__, str(folder)], stdout=log, stderr=log)
    try:
        _until_it_answers(folder, service)
        with _network_of(service.pid):
            yield f"unix://{_socket(folder)}"
    finally:
        service.kill()
        service.wait()
        _clear(folder)
        for groups in set(_CGROUPS.glob(f"*/{_PARENT}")) - there:
            _remove_groups(groups)


def _configuration(folder: Path) -> str:
    # Locks in files, or they would lie in the host's /dev/shm; no networks but the one that Podman has built in.
    return (
        f'[engine]\nruntime = "{_runtime()}"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nlock_type = "file"\n'
        f'[containers]\nlog_driver = "k8s-file"\n[network]\nnetwork_config_dir = "{folder}/networks"\n'
    )


def _runtime() -> str | None:
    # Before crun, which refuses a hybrid of control groups 1 and 2.
    return next((name for name in ("runc", "crun") if shutil.which(name, path=_PATH)), None)


def _socket(folder: Path) -> Path:
    return folder / "podman.sock"


def _until_it_answers(folder: Path, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and service.poll() is None:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as asked:
            asked.connect(str(_socket(folder)))
            return
        time.sleep(0.05)
    raise RuntimeError(f"Podman's service did not start: {(folder / 'log').read_text()}")


@contextmanager
def _network_of(pid: int) -> Iterator[None]:
    """Put this thread into the network of a process. Threads that it starts are there too."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        with open(f"/proc/{pid}/ns/net") as theirs:  # noqa: PTH123
            _enter(theirs.fileno())
        try:
            yield
        finally:
            _enter(own)
    finally:
        os.close(own)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "setns")


def _clear(folder: Path) -> None:
    # The kernel may still be ending what ran there, and until then the mounts are in use.
    deadline = time.monotonic() + 15
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=time.monotonic() < deadline)


def _remove_groups(top: Path) -> None:
    # Only empty groups can be removed, so nobody's processes lose theirs.
    for folder, _, _ in os.walk(top, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()


def _serve(folder: Path) -> None:
    """Run the service as the first process of its namespaces, and bury what its containers leave."""
    request = struct.pack("16sh14x", b"lo", 1)  # IFF_UP: a new network's loopback is down
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, request)
    # What Podman and its network plugins write outside their own folders ends with these mounts.
    for place in ("/dev/shm", "/run", "/var/lib"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    (folder / "tmp").mkdir()
    where = [f"--{option}={folder / name}" for option, name in (("root", "root"), ("runroot", "run"), ("tmpdir", "t"))]
    subprocess.Popen(
        ["podman", *where, "system", "service", "--time=0", f"unix://{_socket(folder)}"],
        env={"PATH": _PATH, "CONTAINERS_CONF": str(folder / "containers.conf"), "TMPDIR": str(folder / "tmp")},
    )
    with suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
