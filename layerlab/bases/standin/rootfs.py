"""Makes a minimal root file system of this machine's distribution. Knows mmdebstrap, no engine."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from pathlib import Path

from layerlab.bases.registry import Cancelled, never
from layerlab.bases.standin import recipes, shell
from layerlab.bases.standin.debian import BUNDLE, Archive
from layerlab.engine.private.packages import search_path
from layerlab.errors import BaseUnavailable

_MMDEBSTRAP_HOOKS = Path("/usr/share/mmdebstrap/hooks/merged-usr")

# What slim images leave out; /usr/share/doc keeps its copyright files, as licences ask for.
_UNWANTED = ("man", "info", "locale", "groff", "lintian", "linda", "doc")


def is_ready() -> bool:
    """Say whether the program that makes root file systems is installed."""
    return shutil.which("mmdebstrap", path=search_path()) is not None


def install_mmdebstrap(*, log: Path, cancelled: Cancelled = never) -> None:
    """Install the program that makes root file systems; it brings no service along.

    Raises
    ------
    BaseUnavailable
        Where apt fails; without root it does.
    """
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "install", "-y", "--no-install-recommends", "mmdebstrap"]
    try:
        shell.run(command, log=log, cancelled=cancelled)
    except BaseUnavailable:
        # The lists of an old image name versions that the mirror has dropped since.
        shell.run(["apt-get", "update"], log=log, cancelled=cancelled)
        shell.run(command, log=log, cancelled=cancelled)


def make(
    archive: Archive,
    target: Path,
    work: Path,
    *,
    certificates: bytes | None = None,
    log: Path,
    cancelled: Cancelled = never,
) -> None:
    """Make a minimal root file system of the distribution as a tar archive at ``target``.

    Parameters
    ----------
    work
        A folder for what is needed meanwhile, on a file system that allows programs and device files.
    certificates
        What this machine trusts beyond the distribution's; goes in only where the archive itself is behind TLS,
        because apt could not read it from a container otherwise. Elsewhere that is the site layer's business.

    Raises
    ------
    BaseUnavailable, BuildCancelled
    """
    scratch = Path(tempfile.mkdtemp(prefix="rootfs-", dir=work))
    try:
        sources, partial = scratch / "sources.list", scratch / "rootfs.tar"
        sources.write_text(archive.sources())
        environment = {**archive.environment, "TMPDIR": str(scratch)}
        command = _mmdebstrap(archive, partial, sources, _trust(archive, certificates, scratch))
        shell.run(command, log=log, cancelled=cancelled, environment=environment)
        partial.replace(target)
    finally:
        _remove(scratch)


def _trust(archive: Archive, certificates: bytes | None, scratch: Path) -> list[str]:
    if not archive.is_encrypted:
        return []
    options = ["--include=ca-certificates"]
    if certificates:
        bundle = scratch / "certificates"
        bundle.write_bytes(certificates)
        options.append(f'--customize-hook=cp {shlex.quote(str(bundle))} "$1{BUNDLE}"')
    return options


def _mmdebstrap(archive: Archive, target: Path, sources: Path, trust: list[str]) -> list[str | Path]:
    unwanted = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _UNWANTED]
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        "--format=tar",
        *unwanted,
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        *_merged_usr(),
        *trust,
        f"--customize-hook={recipes.folder() / 'rootfs' / 'finish.sh'}",
        archive.codename,
        target,
        sources,
    ]


def _remove(scratch: Path) -> None:
    """Remove a folder in which mmdebstrap was perhaps ended half-way."""
    # Below it may have been this machine's /dev: never delete through a mount that was left.
    if f" {scratch}/" not in Path("/proc/self/mounts").read_text():
        shutil.rmtree(scratch, ignore_errors=True)


def _merged_usr() -> list[str]:
    # With the hook alone `usrmerge` would be pulled in, and all of perl with it: 126 MB instead of 74.
    return ["--include=usr-is-merged", f"--hook-dir={_MMDEBSTRAP_HOOKS}"] if _MMDEBSTRAP_HOOKS.is_dir() else []
