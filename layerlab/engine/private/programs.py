"""Installs an engine's program on Debian and Ubuntu, without starting its service.

Knows apt and dpkg; refuses every other system with a sentence that says what to do there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerlab.engine.private.locking import locked
from layerlab.engine.private.packages import OnLine, search_path
from layerlab.engine.private.places import paths
from layerlab.errors import PrivateEngineError

PACKAGES = ("docker.io", "iptables")
POLICY = Path("/usr/sbin/policy-rc.d")
APT_LISTS = Path("/var/lib/apt/lists")
OS_RELEASE = Path("/etc/os-release")

_DENY = """#!/bin/sh
# Written by layerlab while it installs docker.io, so that no service starts; removed afterwards.
exit 101
"""


def installed() -> Path | None:
    """Find ``dockerd`` on PATH or in the system's sbin folders; None if there is none."""
    found = shutil.which("dockerd", path=search_path())
    return Path(found) if found else None


def install(on_line: OnLine | None = None) -> Path:
    """Install Debian's ``docker.io`` and ``iptables``, and leave their service off.

    Parameters
    ----------
    on_line
        Receives what is about to happen, then every line apt prints.

    Returns
    -------
    Path
        Of ``dockerd``. If it and iptables are there already, nothing is done.

    Raises
    ------
    PrivateEngineError
        Without root, on another system, or when apt fails.
    """
    say = on_line or (lambda line: None)
    if missing := missing_packages():
        _require_debian_and_root(missing)
        with locked(paths(), seconds=600):
            _install(missing_packages(), say)
    dockerd = installed()
    if dockerd is None:
        raise PrivateEngineError(
            f"apt reported success, but there is no dockerd on {search_path()}. "
            "Look at `dpkg -L docker.io`, or install Docker as https://docs.docker.com/engine/install/ says."
        )
    return dockerd


def _install(missing: tuple[str, ...], say: OnLine) -> None:
    if not missing:  # another checkout was quicker
        return
    say(f"Installing {' and '.join(missing)} from this system's packages; the service is not started.")
    command = ("install", "-y", "--no-install-recommends", *missing)
    with services_denied():
        fresh = not _lists_are_there()
        if fresh:
            _apt(("update",), say)
        try:
            _apt(command, say)
        except PrivateEngineError:
            if fresh:
                raise
            # The lists of an old image name versions that the mirror has dropped since.
            _apt(("update",), say)
            _apt(command, say)
    if "docker.io" in missing:
        _keep_off_at_boot(say)


def missing_packages() -> tuple[str, ...]:
    """Name the packages whose program is not there; Docker from another source counts as there."""
    programs = {"docker.io": "dockerd", "iptables": "iptables"}
    return tuple(package for package in PACKAGES if shutil.which(programs[package], path=search_path()) is None)


@contextmanager
def services_denied() -> Iterator[None]:
    """Answer "no service may start" to package scripts meanwhile, and put back what was there.

    Notes
    -----
    invoke-rc.d(8) and deb-systemd-invoke(1p) ask /usr/sbin/policy-rc.d; exit status 101 forbids. A policy
    of the user's that forbids already is left untouched; any other is moved aside and comes back.
    """
    kept = POLICY.with_name(POLICY.name + ".layerlab-kept")
    if kept.exists():  # an installation before this one was killed half-way
        kept.replace(POLICY)
    if _forbids(POLICY):
        yield
        return
    if POLICY.exists() and not _is_ours(POLICY):
        POLICY.replace(kept)
    POLICY.write_text(_DENY)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
        if kept.exists():
            kept.replace(POLICY)


def _is_ours(policy: Path) -> bool:
    return policy.is_file() and policy.read_text(errors="replace") == _DENY


def _forbids(policy: Path) -> bool:
    import subprocess

    if not os.access(policy, os.X_OK) or _is_ours(policy):  # ours, left by a kill, has to be removed again
        return False
    try:
        asked = subprocess.run([policy, "docker", "start"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 101


def _lists_are_there() -> bool:
    return any(APT_LISTS.glob("*_Packages*"))


def _apt(arguments: tuple[str, ...], say: OnLine) -> None:
    import subprocess
    from collections import deque

    command = ["apt-get", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120", *arguments]
    last: deque[str] = deque(maxlen=8)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": search_path()}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            say(line.rstrip())
    if process.returncode:
        raise PrivateEngineError(
            f"`apt-get {' '.join(arguments)}` ended with status {process.returncode}. "
            "Mend what it says, or go on with recordings (LAYERLAB_ENGINE=recorded):\n" + "\n".join(last)
        )


def _keep_off_at_boot(say: OnLine) -> None:
    """Disable the service just installed: at the next boot it would take bridge and chains from ours."""
    import subprocess

    units = ("docker.service", "docker.socket", "containerd.service")
    for command in (
        # systemctl only edits links here, so it need not be running (in a chroot or a container it is not).
        ("systemctl", "disable", *units),
        ("update-rc.d", "docker", "disable"),
    ):
        program = shutil.which(command[0], path=search_path())
        if program is None:
            continue
        done = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": search_path()},
        )
        if done.returncode:
            say(f"`{' '.join(command)}` failed, so Docker's service may start at boot: {done.stderr.strip()}")


def _require_debian_and_root(missing: tuple[str, ...]) -> None:
    wanted = " ".join(missing)
    if shutil.which("apt-get", path=search_path()) is None or not _is_debian_like():
        raise PrivateEngineError(
            f"There is no {' and no '.join(missing)} here, and only Debian and Ubuntu get it from layerlab. "
            "Install Docker as https://docs.docker.com/engine/install/ says, or go on with recordings."
        )
    if os.geteuid() != 0:
        raise PrivateEngineError(
            f"User {os.geteuid()} may not install {wanted}; that needs root. Run "
            f"`sudo apt-get install --no-install-recommends {wanted}` and start the engine as root, "
            "or go on with recordings."
        )


def _is_debian_like() -> bool:
    try:
        lines = OS_RELEASE.read_text().splitlines()
    except OSError:
        return False
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    return "debian" in names or "ubuntu" in names
