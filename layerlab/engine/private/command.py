"""The command line, configuration and environment our ``dockerd`` gets. Starts no engine."""

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


def arguments(
    dockerd: Path,
    paths: Paths,
    *,
    storage_driver: str,
    bridge_address: str,
    name_servers: tuple[str, ...] = (),
    mirrors: tuple[str, ...] = (),
) -> list[str]:
    """Put together the whole command line of our engine.

    Notes
    -----
    dockerd uses a system-wide containerd if one answers; there a namespace of our own keeps our containers
    apart from the user's. ``--group=0``: members of the group ``docker`` are not invited to this one.
    ``--ip``: what the course publishes is reachable from this machine only.
    """
    return [
        str(dockerd),
        data_root_flag(paths),
        f"--exec-root={paths.exec_root}",
        f"--pidfile={paths.pid_file}",
        f"--host=unix://{paths.socket}",
        f"--config-file={paths.config}",
        "--group=0",
        "--log-level=warn",
        f"--storage-driver={storage_driver}",
        f"--bip={bridge_address}",
        "--ip=127.0.0.1",
        f"--containerd-namespace={paths.containerd_namespace}",
        f"--containerd-plugins-namespace={paths.containerd_namespace}-plugins",
        "--max-concurrent-downloads=6",
        "--shutdown-timeout=10",
        *(f"--dns={server}" for server in name_servers),
        *(f"--registry-mirror={mirror}" for mirror in mirrors),
    ]


def write_configuration(dockerd: Path, paths: Paths) -> None:
    """Write the configuration file that our engine reads in place of the user's /etc/docker/daemon.json.

    Notes
    -----
    Engine 20.10 writes a key into /etc/docker unless this entry names another place; it has no flag for that.
    23.0 stopped writing keys, and later versions may refuse the entry.
    """
    import json

    key = {"deprecated-key-path": str(paths.root / "key.json")}
    paths.config.write_text(json.dumps(key if _major_version(dockerd) < 23 else {}) + "\n")


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the engine this process's environment: proxies and trust in, settings of other engines out.

    Notes
    -----
    dockerd reads HTTP_PROXY, HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE itself. LISTEN_* and NOTIFY_SOCKET would
    make it believe that systemd had started it.
    """
    unwanted = ("DOCKER_", "LISTEN_", "NOTIFY_SOCKET")
    kept = {name: value for name, value in given.items() if not name.startswith(unwanted)}
    return {**kept, "PATH": search_path()}


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


def _major_version(dockerd: Path) -> int:
    import re
    import subprocess

    asked = subprocess.run([dockerd, "--version"], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r"version (\d+)\.", asked.stdout)
    return int(found[1]) if found else 99
