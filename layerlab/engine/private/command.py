"""The command lines, configuration and environment our ``dockerd`` and ``containerd`` get. Starts no engine."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from layerlab.engine.private.packages import search_path
from layerlab.engine.private.places import Paths
from layerlab.engine.private.process import data_root_flag
from layerlab.errors import PrivateEngineError

MIRRORS = "LAYERLAB_REGISTRY_MIRROR"

# Nothing here is for Kubernetes. `opt` would make /opt/containerd, and `nri` listen on a socket of the system's.
_UNWANTED_PLUGINS = (
    "io.containerd.grpc.v1.cri",
    "io.containerd.cri.v1.images",
    "io.containerd.cri.v1.runtime",
    "io.containerd.podsandbox.controller.v1.podsandbox",
    "io.containerd.grpc.v1.sandbox-controllers",
    "io.containerd.nri.v1.nri",
    "io.containerd.internal.v1.opt",
)


def arguments(
    dockerd: Path,
    paths: Paths,
    *,
    bridge_address: str,
    name_servers: tuple[str, ...] = (),
    mirrors: tuple[str, ...] = (),
) -> list[str]:
    """Put together the whole command line of our engine.

    Notes
    -----
    ``--containerd``: without it dockerd takes a system-wide containerd if one answers, and images would land there.
    ``--group=0``: members of the group ``docker`` are not invited to this one.
    ``--ip``: what the course publishes is reachable from this machine only.
    """
    return [
        str(dockerd),
        data_root_flag(paths),
        f"--exec-root={paths.exec_root}",
        f"--pidfile={paths.pid_file}",
        f"--host=unix://{paths.socket}",
        f"--config-file={paths.config}",
        f"--containerd={paths.containerd_socket}",
        "--group=0",
        "--log-level=warn",
        f"--bip={bridge_address}",
        "--ip=127.0.0.1",
        "--max-concurrent-downloads=6",
        "--shutdown-timeout=10",
        *(f"--dns={server}" for server in name_servers),
        *(f"--registry-mirror={mirror}" for mirror in mirrors),
    ]


def containerd_arguments(containerd: Path, paths: Paths) -> list[str]:
    """Put together the command line of our containerd."""
    return [str(containerd), f"--config={paths.containerd_config}", "--log-level=warn"]


def write_configuration(paths: Paths) -> None:
    """Write both daemons' configuration, so that the user's in /etc/docker and /etc/containerd is not read.

    Notes
    -----
    ``containerd-snapshotter``: images live in containerd, as they do on a fresh install of Docker 29; 28 still asks.
    ``version = 3`` is of containerd 2. A TOML string is written as JSON writes one.
    """
    import json

    paths.config.write_text(json.dumps({"features": {"containerd-snapshotter": True}}) + "\n")
    quoted = {name: json.dumps(str(value)) for name, value in _containerd_places(paths).items()}
    paths.containerd_config.parent.mkdir(parents=True, exist_ok=True)
    paths.containerd_config.write_text(
        f"version = 3\nroot = {quoted['root']}\nstate = {quoted['state']}\n"
        f"disabled_plugins = {json.dumps(_UNWANTED_PLUGINS)}\n"
        f"[grpc]\naddress = {quoted['socket']}\n"
    )


def _containerd_places(paths: Paths) -> dict[str, Path]:
    return {"root": paths.containerd_root, "state": paths.containerd_state, "socket": paths.containerd_socket}


def engine_path(paths: Paths) -> str:
    """Give the ``PATH`` of our engine: its own programs, then what a user has, then the system folders."""
    return os.pathsep.join([*map(str, paths.program_folders), search_path()])


def environment(paths: Paths, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give both daemons what `inherited` leaves, and our programs first on PATH."""
    return {**inherited(given), "PATH": engine_path(paths)}


def inherited(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give this process's environment to an engine: proxies and trust in, settings of other engines out.

    Notes
    -----
    dockerd reads HTTP_PROXY, HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE itself. LISTEN_* and NOTIFY_SOCKET would
    make it believe that systemd had started it.
    """
    unwanted = ("DOCKER_", "CONTAINER", "LISTEN_", "NOTIFY_SOCKET")
    return {name: value for name, value in given.items() if not name.startswith(unwanted)}


def registry_mirrors(given: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Read ``LAYERLAB_REGISTRY_MIRROR``: addresses parted by commas, as URLs.

    Raises
    ------
    PrivateEngineError
        For a mirror without TLS that is not on this machine: anyone on the way could send other images.
    """
    names = [name.strip() for name in given.get(MIRRORS, "").split(",")]
    return tuple(_mirror(name) for name in names if name)


def _mirror(name: str) -> str:
    host = urlsplit(name if "://" in name else f"//{name}").hostname or ""
    scheme = "http" if _is_loopback(host) else "https"
    url = name if "://" in name else f"{scheme}://{name}"
    if not url.startswith(("https://", "http://")) or not host:
        raise PrivateEngineError(
            f"{MIRRORS} holds {name!r}, which is no address of a registry. Write https://host[:port]."
        )
    if url.startswith("http://") and not _is_loopback(host):
        raise PrivateEngineError(
            f"{MIRRORS} holds {name!r}, and a mirror without TLS is used on this machine only. "
            "Write https://, or forward it to a port of 127.0.0.1."
        )
    return url


def _is_loopback(host: str) -> bool:
    # dockerd counts 127.0.0.0/8 as insecure registries by default; `localhost` resolves into it.
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
