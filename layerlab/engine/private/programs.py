"""Which programs the private engine consists of, which Debian package has each, and how they find one another.

Knows names and folders; `packages` fetches, verifies and unpacks.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from layerlab.engine.private import network, packages, ping, preflight
from layerlab.engine.private.locking import locked
from layerlab.engine.private.packages import OnLine, Package, search_path
from layerlab.engine.private.places import paths
from layerlab.errors import PrivateEngineError

# The newest release of Debian with Docker 28.5.2. Its programs want glibc 2.34, which Debian 12 exceeds.
SUITE = "forky"

# runc comes from this machine's own release, for a newer one may want a newer glibc (1.1.15 and later: 2.38).
# docker-proxy is in docker.io, docker-init is a link of it to tini-static, the shim is in containerd.
DOCKER = (
    *(Package(name, SUITE) for name in ("docker.io", "docker-cli", "docker-buildx", "docker-compose")),
    *(Package(name, SUITE) for name in ("containerd", "tini-static")),
    Package("runc"),
)

# Only where the machine has no iptables: dockerd calls it, and it needs its libraries and extensions.
IPTABLES = (
    Package("iptables"),
    *(Package(f"lib{name}") for name in ("ip4tc2", "ip6tc2", "xtables12", "mnl0", "nftnl11")),
    *(Package(f"lib{name}") for name in ("netfilter-conntrack3", "nfnetlink0")),
)

# What is called once after unpacking, so that a program that can't start on this machine is found then.
_CHECKED = ("dockerd", "containerd", "runc", "docker")

_IPTABLES = """#!/bin/sh
# Debian's {name} out of this folder, with its own libraries and extensions.
usr=${{0%/sbin/*}}
export XTABLES_LIBDIR="$usr/lib/{triplet}/xtables"
export LD_LIBRARY_PATH="$usr/lib/{triplet}:${{usr%/usr}}/lib/{triplet}"
exec "$usr/sbin/xtables-nft-multi" {name} "$@"
"""


def wanted() -> tuple[Package, ...]:
    """Name the packages of an engine on this machine."""
    return DOCKER if shutil.which("iptables", path=search_path()) else (*DOCKER, *IPTABLES)


def installed() -> Path | None:
    """Find our ``dockerd``; None unless all packages are unpacked, each file of them whole."""
    folder = paths().programs
    return folder / "usr/sbin/dockerd" if packages.unpacked(wanted(), folder) else None


def past_date() -> Mapping[str, str]:
    """Say of which releases the index was past its date when our programs were fetched, and its ``Valid-Until``."""
    found = packages.unpacked(wanted(), paths().programs)
    return found.past_date if found else {}


def install(on_line: OnLine | None = None) -> Path:
    """Fetch and unpack the engine's programs into the data folder; if they are there already, do nothing.

    Parameters
    ----------
    on_line
        Receives what is about to happen, and every line apt prints.

    Returns
    -------
    Path
        Of ``dockerd``.

    Raises
    ------
    PrivateEngineError
        Where no engine could start anyway (without root, not on Linux, beside another one); where packages can't be
        verified or fetched; or where they don't run on this machine.
    DiskFull
        With less than `preflight.WANTED_FREE_BYTES` free.
    """
    if found := installed():
        return found
    preflight.check_system()
    where = paths()
    preflight.check_disk(where.data_root)
    network.check_neighbours(where)
    with locked(where, seconds=600):
        if found := installed():  # another checkout was quicker
            return found
        if ping.answers(where.socket):
            raise PrivateEngineError(
                "The private engine runs, and a file of its programs is missing. Run `layerlab engine stop`, and "
                "start it again: they are unpacked anew then."
            )
        packages.unpack(wanted(), where.programs, on_line=on_line, finish=_finish)
    return where.programs / "usr/sbin/dockerd"


def _finish(draft: Path) -> None:
    for extensions in draft.glob("usr/lib/*/xtables"):
        for name in ("iptables", "ip6tables"):
            wrapper = draft / "usr/sbin" / name
            wrapper.write_text(_IPTABLES.format(name=name, triplet=extensions.parent.name))
            wrapper.chmod(0o755)
    for name in _CHECKED:
        _check_that_it_runs(name, draft)


def _check_that_it_runs(name: str, draft: Path) -> None:
    import subprocess

    folders = os.pathsep.join(str(draft / "usr" / folder) for folder in ("bin", "sbin"))
    program = shutil.which(name, path=folders)
    if program is None:
        raise PrivateEngineError(f"Debian's packages hold no {name} any more. Instead {packages.OTHERWISE}.")
    asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    if asked.returncode:
        raise PrivateEngineError(
            f"{name} of Debian {SUITE} does not run on this machine ({asked.stderr.strip()}). "
            f"Use Debian 12 or newer; or {packages.OTHERWISE}."
        )
