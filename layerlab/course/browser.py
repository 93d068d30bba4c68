"""The browser in which the course's pages are tested: finds Chromium, and installs Debian's where there is none.

Knows apt and names of programs; starts no browser.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerlab.engine.private.packages import search_path
from layerlab.errors import SetupError
from layerlab.setup import steps

PACKAGE = "chromium"
POLICY = Path("/usr/sbin/policy-rc.d")
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}
_APT = ("apt-get", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120")

_DENY = """#!/bin/sh
# Written by layerlab while it installs a browser, so that no service starts; removed afterwards.
exit 101
"""


def installed() -> Path | None:
    """Find Chromium, or Chrome, on PATH; None if there is neither."""
    found = (shutil.which(name, path=search_path()) for name in PROGRAMS)
    return next((Path(one) for one in found if one), None)


def prepare() -> Path:
    """Return the browser's program; where it is missing, install Debian's package as root, after saying so.

    Raises
    ------
    SetupError
        Without root, on another system, or when apt fails.

    Notes
    -----
    Only Debian itself: Ubuntu's package of that name is a snap, which does not run in a container.
    """
    if (program := installed()) is not None:
        return program
    _require_debian_and_root()
    steps.say(f"There is no browser to test the pages in, so Debian's package {PACKAGE} is installed now.")
    # The package brings D-Bus along, which has a service that nobody here needs.
    with services_denied():
        steps.run("Reading Debian's package lists", [*_APT, "update"], env=_QUIET)
        steps.run(f"Installing {PACKAGE}", [*_APT, "install", "-y", "--no-install-recommends", PACKAGE], env=_QUIET)
    if (program := installed()) is None:
        raise SetupError(
            f"apt reported success, but there is no {PACKAGE} on {search_path()}. Look at `dpkg -L {PACKAGE}`."
        )
    return program


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
        asked = subprocess.run([policy, "dbus", "start"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 101


def _require_debian_and_root() -> None:
    if not _is_debian() or shutil.which("apt-get", path=search_path()) is None:
        raise SetupError(
            "There is no Chromium here, and only Debian gets it from layerlab. "
            "Install Chromium or Chrome, so that `chromium` or `google-chrome` is on PATH."
        )
    if os.geteuid() != 0:
        raise SetupError(
            f"There is no Chromium here, and user {os.geteuid()} may not install it. "
            f"Run `sudo apt-get install --no-install-recommends {PACKAGE}`."
        )


def _is_debian() -> bool:
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False
