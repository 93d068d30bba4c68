"""Which engines can be had, of which packages they are made, and how each is configured. Starts nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerlab.engine.private.packages import Package
from layerlab.engine.protocol import EngineKind

# coreutils and dash are for the lines that start them, when this machine's programs are out of sight.
_DOCKER = ("docker.io", "docker-cli", "docker-buildx", "containerd", "runc", "iptables", "coreutils", "dash")
_PODMAN = ("podman", "conmon", "netavark", "aardvark-dns", "nftables", "runc", "catatonit", "dash")


@dataclass(frozen=True)
class Kind:
    """An engine to be had: the release of Debian that carries it, and what of it is unpacked.

    ``store`` is where Docker keeps images: ``overlay2`` or ``containerd``.
    """

    kind: EngineKind
    suite: str
    names: tuple[str, ...]
    store: str = ""

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages, without what they depend on."""
        return tuple(Package(name, self.suite) for name in self.names)

    @property
    def variable(self) -> str:
        """The environment's name for the engine's address."""
        return "CONTAINER_HOST" if self.kind == "podman" else "DOCKER_HOST"


# Debian 13 carries Docker 26.1.5, the release after it (seen on 30 Nov 2026) Docker 28.5.2 and Podman 5.8.6.
KINDS = {
    "docker-26.1": Kind("docker", "trixie", _DOCKER, "overlay2"),
    "docker-28.5-overlay2": Kind("docker", "forky", _DOCKER, "overlay2"),
    "docker-28.5-containerd": Kind("docker", "forky", _DOCKER, "containerd"),
    "podman-5.8": Kind("podman", "forky", _PODMAN),
}


def configure(kind: Kind, folder: Path, *, name_servers: Sequence[str], limits: Sequence[str], groups: str) -> str:
    """Write the engine's configuration below ``folder``; give the shell's lines that run it and return when it ends.

    Parameters
    ----------
    name_servers
        What containers ask for names; without any the engine reads this machine's ``/etc/resolv.conf``.
    limits
        Podman's ``default_ulimits``, as ``nofile=20000:20000``.
    groups
        The control group that holds Docker's containers.
    """
    if kind.kind == "podman":
        return _podman(folder, name_servers, limits)
    return _docker(kind, folder, name_servers, groups)


def _docker(kind: Kind, folder: Path, name_servers: Sequence[str], groups: str) -> str:
    settings = {
        "hosts": [f"unix://{folder}/engine.sock"],
        "data-root": f"{folder}/docker",
        "exec-root": f"{folder}/exec",
        "pidfile": f"{folder}/docker.pid",
        "containerd": f"{folder}/containerd.sock",
        "cgroup-parent": groups,
        "dns": list(name_servers),
        "features": {"containerd-snapshotter": kind.store == "containerd"},
    }
    if kind.store != "containerd":
        settings["storage-driver"] = kind.store
    (folder / "daemon.json").write_text(json.dumps(settings, indent=1) + "\n")
    # containerd 1.7 and 2.x both read version 2; the plug-in is Kubernetes', and wants a network of its own.
    (folder / "containerd.toml").write_text(
        f'version = 2\nroot = "{folder}/containerd"\nstate = "{folder}/containerd-state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{folder}/containerd.sock"\n'
    )
    # Not --config-file's `iptables`: what is called so is an alternative, which only an installed package has.
    programs = folder / "links"
    programs.mkdir(exist_ok=True)
    for name in ("iptables", "ip6tables"):
        (programs / name).symlink_to(f"/usr/sbin/{name}-nft")
    return (
        f"containerd --config {folder}/containerd.toml &\n"
        f"while [ ! -S {folder}/containerd.sock ]; do sleep 0.1; done\n"
        f"dockerd --config-file {folder}/daemon.json &\nwait"
    )


def _podman(folder: Path, name_servers: Sequence[str], limits: Sequence[str]) -> str:
    # Locks in files, or they would lie in the host's /dev/shm. crun refuses a hybrid of control groups 1 and 2.
    servers, ulimits = json.dumps(list(name_servers)), json.dumps(list(limits))
    (folder / "containers.conf").write_text(
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nlock_type = "file"\n'
        f'[containers]\nlog_driver = "k8s-file"\ndns_servers = {servers}\ndefault_ulimits = {ulimits}\n'
        f'[network]\nnetwork_config_dir = "{folder}/networks"\nfirewall_driver = "nftables"\n'
    )
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n'
    )
    (folder / "registries.conf").write_text('unqualified-search-registries = ["docker.io"]\n')
    policy = folder / "home" / ".config" / "containers" / "policy.json"
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}\n')
    (folder / "tmp").mkdir(exist_ok=True)
    names = {
        "CONTAINERS_CONF": "containers",
        "CONTAINERS_STORAGE_CONF": "storage",
        "CONTAINERS_REGISTRIES_CONF": "registries",
    }
    exports = "".join(f"export {name}={folder}/{file}.conf\n" for name, file in names.items())
    return (
        f"{exports}export HOME={folder}/home TMPDIR={folder}/tmp PODMAN_IGNORE_CGROUPSV1_WARNING=1\n"
        f"podman system service --time=0 unix://{folder}/engine.sock &\nwait"
    )
