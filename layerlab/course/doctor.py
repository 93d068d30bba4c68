"""`layerlab doctor`: says in sentences what is there, what is missing, and the one command that fixes it.

Looks and changes nothing. Each examination is a function that yields findings; none knows the others.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from layerlab.errors import LayerLabError
from layerlab.setup.bootstrap import CHECKOUT, unmet
from layerlab.units import size

Verdict = Literal["PASS", "FAIL", "SKIP"]

WANTED_FREE_BYTES = 6_000_000_000  # both bases, what building them leaves behind, and a learner's images
PORTS = ((8888, "JupyterLab", "JupyterLab takes the next free one by itself"),)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
# The oldest release of each engine that the course supports, and what an older one lacks. docs/engines.md has the rest.
OLDEST = {
    # https://docs.docker.com/engine/release-notes/23.0/: "Set Buildx and BuildKit as the default builder on Linux".
    "Docker": (23, "only from 23.0 on is BuildKit what `docker build` uses, and the course is about that builder"),
    "Podman": (5, "the course was tried on Podman 5.8, and what older ones do differently is not known to it"),
}
NEWEST_TRIED = {"Docker": 28, "Podman": 5}
UNTRIED_SYSTEMS = {"darwin": "macOS", "win32": "Windows"}
# What must lie in the environment for widgets and figures to be drawn; both come with their Python packages.
EXTENSIONS = (("@jupyter-widgets/jupyterlab-manager", "widgets"), ("jupyterlab-plotly", "figures"))


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and, unless all is well, the one command that fixes it.

    SKIP means that the course works, but not all of it.
    """

    verdict: Verdict
    sentence: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.verdict} {self.sentence}" + (f"\n     To mend it: {self.fix}" if self.fix else "")


def doctor(*, console: Console | None = None) -> int:
    """Examine everything and print one finding after the other, then the tally.

    Returns
    -------
    int
        1 where something keeps the course from working, else 0.
    """
    say = console or Console()
    findings: list[Finding] = []
    for examination in EXAMINATIONS:
        for finding in _examined(examination):
            if finding in findings:  # a dead engine that was named stops more than one examination
                continue
            say.print(str(finding), markup=False, highlight=False, soft_wrap=True)
            findings.append(finding)
    say.print(_tally(findings), markup=False, highlight=False, soft_wrap=True)
    return 1 if any(finding.verdict == "FAIL" for finding in findings) else 0


def _examined(examination: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Run an examination; an error of ours in it is a finding, for its message says what to do."""
    try:
        yield from examination()
    except LayerLabError as error:
        yield Finding("FAIL", str(error))


def python() -> Iterator[Finding]:
    """Is this Python the right one, with everything the course needs?"""
    version = ".".join(map(str, sys.version_info[:3]))
    lacking = tuple(unmet()) if (CHECKOUT / "pyproject.toml").exists() else ()
    if lacking:
        yield Finding("FAIL", f"Python {version} in {sys.prefix} lacks {', '.join(lacking)}.", "make lab")
    else:
        yield Finding("PASS", f"Python {version} in {sys.prefix} has everything the course needs.")


def widgets() -> Iterator[Finding]:
    """Will JupyterLab draw the widgets and figures?"""
    folder = Path(sys.prefix, "share", "jupyter", "labextensions")
    for name, what in EXTENSIONS:
        if (folder / name).is_dir():
            yield Finding("PASS", f"JupyterLab has its extension for {what} ({name}).")
        else:
            yield Finding(
                "FAIL",
                f"JupyterLab's extension for {what} ({name}) is not in {folder}, so they show as text.",
                f"{sys.executable} -m pip install --force-reinstall ipywidgets jupyterlab_widgets plotly",
            )


def engine() -> Iterator[Finding]:
    """Which engine would the notebooks use, and why?"""
    from layerlab.engine import connect

    chosen = connect()
    info = chosen.info
    chosen.close()
    if info.is_live:
        where = f"{info.name} {info.version} at {info.endpoint} ({info.platform}, {info.storage})"
        yield Finding("PASS", f"Builds run on {where}; chosen because {info.why}.")
        yield from _of_its_version(info.name, info.version)
        return
    yield Finding("SKIP", f"Notebooks show recordings, because {info.why}. Nothing is built.", _way_to_an_engine())


def builder() -> Iterator[Finding]:
    """Is there a buildx, without which no image can be built on Docker?"""
    from layerlab.engine import connect
    from layerlab.engine.live import LiveEngine
    from layerlab.errors import NoBuildKit

    chosen = connect()
    chosen.close()
    if isinstance(chosen, LiveEngine) and chosen.info.builder == "buildkit":
        try:
            yield Finding("PASS", f"Images are built by {chosen.buildx()}.")
        except NoBuildKit as error:
            yield Finding("FAIL", str(error), "docker buildx version, until it answers")


def untried() -> Iterator[Finding]:
    """Is this a system, a processor or an engine on which nobody has tried the course?"""
    from layerlab.engine import connect
    from layerlab.engine.live import LiveEngine

    chosen = connect()
    seen = (
        UNTRIED_SYSTEMS.get(sys.platform, ""),
        "" if chosen.info.platform.endswith("/amd64") else chosen.info.platform,
    )
    desktop = isinstance(chosen, LiveEngine) and chosen.client.info().get("OperatingSystem") == "Docker Desktop"
    named = [*filter(None, seen if chosen.info.is_live else seen[:1]), *(["Docker Desktop"] if desktop else [])]
    chosen.close()
    if named:
        yield Finding(
            "SKIP",
            f"The course has never been tried on {' or '.join(named)}: nobody who made it had one. It may well work.",
            "make check, and tell the authors what fails",
        )


def private_engine() -> Iterator[Finding]:
    """How is the private engine?"""
    from layerlab.engine import private

    status = private.status()
    if status.state == "running":
        yield Finding("PASS", f"The private engine {status.version} runs (pid {status.pid}) on {status.data_root}.")
    elif status.state == "stale":
        yield Finding("SKIP", f"The private engine was killed; its log is {status.log}.", "layerlab engine start")
    for release, until in private.past_date().items():
        yield Finding(
            "PASS",
            f"When the private engine was fetched, the mirror's index of Debian {release} was past its date ({until}). "
            "Its signature held, but newer packages may have been missing.",
        )
    earlier = private.earlier_paths().data_root
    if earlier.is_dir():
        yield Finding(
            "SKIP",
            f"The course's earlier engine, Docker 20.10, has left its images in {earlier}; nothing uses them now.",
            "layerlab engine purge --earlier",
        )


def permission() -> Iterator[Finding]:
    """May this user open the Docker socket that is there?"""
    path = Path("/var/run/docker.sock")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        yield Finding(
            "SKIP",
            f"Docker's socket {path} is there, and you may not open it.",
            "sudo usermod -aG docker $USER, then log in again",
        )


def bases() -> Iterator[Finding]:
    """Are the base images there, and of which origin?"""
    from layerlab import bases
    from layerlab.course.engines import live_engines

    for opened in live_engines():
        for base in bases.status(opened):
            name = f"{base.reference} on the {opened.info.kind} engine"
            if base.state == "building":
                done = f"{base.fraction:.0%}: {base.detail}"
                yield Finding("SKIP", f"{name} is being prepared ({done}).", "wait, or layerlab bases status")
            elif base.state == "absent":
                yield Finding("SKIP", f"{name} is not there yet.", f"layerlab bases build {base.key}")
            else:
                yield Finding("PASS", f"{name} is there ({base.state}).")
            if base.lacks:
                lacking = ", ".join(base.lacks)
                yield Finding(
                    "SKIP", f"{name} lacks {lacking} (needs an official base).", f"layerlab bases pull {base.key}"
                )
        opened.close()


def registry() -> Iterator[Finding]:
    """Does a registry answer, so that official bases can be pulled?"""
    from layerlab.bases import registry

    if registry.answers():
        yield Finding("PASS", "A registry answers, so official base images can be pulled.")
    else:
        yield Finding(
            "SKIP",
            "No registry answers, so official base images cannot be pulled; the private engine builds stand-ins.",
            "export LAYERLAB_REGISTRY_MIRROR=https://… (a mirror you can reach), then layerlab bases pull",
        )


def network() -> Iterator[Finding]:
    """Which proxy and certificates does the environment name? Names only: values may hold passwords."""
    given = {name.upper() for name, value in os.environ.items() if value}
    proxies = [name for name in PROXIES if name in given]
    trust = [name for name in TRUST if name in given]
    if proxies:
        yield Finding("PASS", f"A proxy is set ({', '.join(proxies)}); builds and downloads go through it.")
    missing = [name for name in trust if not Path(os.environ.get(name, "")).exists()]
    if missing:
        path = os.environ[missing[0]]
        yield Finding("FAIL", f"{missing[0]} names {path}, which does not exist.", f"unset {missing[0]}")
    elif trust:
        yield Finding("PASS", f"Certificates are set ({', '.join(trust)}), and their files are there.")


def disk() -> Iterator[Finding]:
    """Is there room for images where the private engine keeps them, and in the checkout?"""
    from layerlab.engine import private

    free = private.status().disk_bytes_free
    where = private.paths().data_root
    if free < WANTED_FREE_BYTES:
        wanted = f"the course wants {size(WANTED_FREE_BYTES)}"
        yield Finding("FAIL", f"Only {size(free)} are free at {where}, and {wanted}.", "layerlab clean")
    else:
        yield Finding("PASS", f"{size(free)} are free at {where}.")
    if not os.access(CHECKOUT, os.W_OK):
        yield Finding("SKIP", f"{CHECKOUT} can't be written to.", "set LAYERLAB_WORK to a folder for your answers")


def ports() -> Iterator[Finding]:
    """Are the ports free that the course likes to use?"""
    for number, who, otherwise in PORTS:
        with socket.socket() as probe:
            probe.settimeout(1)
            taken = probe.connect_ex(("127.0.0.1", number)) == 0
        if taken:
            yield Finding("PASS", f"Port {number} is in use, perhaps by the course itself; {otherwise}.")
        else:
            yield Finding("PASS", f"Port {number} is free for {who}.")


EXAMINATIONS: tuple[Callable[[], Iterator[Finding]], ...] = (
    python,
    widgets,
    engine,
    builder,
    untried,
    private_engine,
    permission,
    bases,
    registry,
    network,
    disk,
    ports,
)


def _of_its_version(name: str, version: str) -> Iterator[Finding]:
    """Say whether an engine is too old, or newer than any that the course was tried on."""
    major = version.partition(".")[0]
    oldest, why = OLDEST.get(name, (0, ""))
    if not major.isdigit() or not oldest:
        return
    if int(major) < oldest:
        yield Finding(
            "FAIL",
            f"{name} {version} is too old: {why}.",
            f"upgrade to {name} {oldest} or newer, or use another engine (layerlab engine start)",
        )
    elif int(major) > NEWEST_TRIED[name]:
        yield Finding("SKIP", f"{name} {version} is newer than the newest that was tried, {NEWEST_TRIED[name]}.")


def _way_to_an_engine() -> str:
    if sys.platform in {"win32", "darwin"}:
        return "start Docker Desktop"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return "make lab"
    return "start Docker or Podman (https://docs.docker.com/engine/install/)"


def _tally(findings: list[Finding]) -> str:
    count = {verdict: sum(one.verdict == verdict for one in findings) for verdict in ("PASS", "FAIL", "SKIP")}
    if count["FAIL"]:
        end = "Mend what failed first."
    elif count["SKIP"]:
        end = "The course works; what is skipped is not there yet, or was never tried."
    else:
        end = "All is well."
    return f"{count['PASS']} passed, {count['FAIL']} failed, {count['SKIP']} skipped. {end}"
