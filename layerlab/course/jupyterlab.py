"""`layerlab lab`: an engine, the first bases in the background, and the course in JupyterLab.

No want of an engine keeps the course from opening; it says so and goes on with recordings.
"""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from layerlab.course.engines import Prepared, find_engine, private_is_possible, start_private, variables
from layerlab.errors import LayerLabError, SetupError
from layerlab.setup import steps
from layerlab.setup.bootstrap import CHECKOUT

FIRST_NOTEBOOK = "notebooks/00_setup.ipynb"
PORTS_TRIED = 100
ANSWER_SECONDS = 90.0


def lab(*, port: int = 8888, browser: bool = True, checkout: Path = CHECKOUT) -> int:
    """Open the course and stay until JupyterLab ends; Ctrl-C ends JupyterLab and nothing else.

    Parameters
    ----------
    port
        The first port tried; the next free one above it is taken.
    browser
        False keeps a browser from being opened; without a display none is opened anyway.

    Returns
    -------
    int
        JupyterLab's exit status; 0 after Ctrl-C.

    Raises
    ------
    SetupError
        JupyterLab ended, or did not answer, while it was starting; or no port is free.
    """
    signal.signal(signal.SIGTERM, _interrupt)  # or JupyterLab would outlive us
    number, token, found = free_port(port), secrets.token_hex(24), find_engine()
    server = subprocess.Popen(
        command(number, checkout), cwd=checkout, env=environment(token, found), stdin=subprocess.DEVNULL
    )
    try:
        # An engine of ours is set up while JupyterLab starts; the page opens when both are ready.
        engine = start_private(found) if found.may_start else found
        _prepare_bases(engine)
        _wait_until_it_answers(server, number, token)
        _announce(engine, f"http://127.0.0.1:{number}/lab/tree/{FIRST_NOTEBOOK}?token={token}", browser=browser)
        return server.wait()
    except KeyboardInterrupt:
        steps.say("Stopping JupyterLab. Engine, images and your answers stay.")
        return 0
    finally:
        _end(server)


def free_port(first: int) -> int:
    """Give the first free port of 127.0.0.1 from ``first`` on."""
    for number in range(first, min(first + PORTS_TRIED, 65536)):
        with socket.socket() as probe:
            # As the server does; or a port that was let go a moment ago would look taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
            return number
    raise SetupError(
        f"No port from {first} to {first + PORTS_TRIED} is free. Name another: `layerlab lab --port 9000`."
    )


def command(port: int, checkout: Path) -> list[str]:
    """Give JupyterLab's command line. The token isn't in it, for every user of the machine could read it there."""
    options = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={checkout}",
        f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}",
        "--ServerApp.open_browser=False",
        "--Application.log_level=ERROR",
        *_shell(),
    ]
    # Jupyter refuses to run as root unless told; in a container or on a bare machine root is who there is.
    as_root = ["--ServerApp.allow_root=True"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [sys.executable, "-m", "jupyterlab", *options, *as_root]


def _shell(given: Mapping[str, str] = os.environ) -> list[str]:
    """Keep terminals from being login shells: Debian's /etc/profile would set PATH anew, without our engine's programs.

    jupyter_server_terminals makes them login shells where it isn't started from a terminal itself, unless one is named.
    """
    if os.name == "nt":
        return []
    return [f"--ServerApp.terminado_settings=shell_command={shlex.quote(given.get('SHELL') or 'sh')}"]


def environment(token: str, found: Prepared, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give JupyterLab's environment, its kernels' and terminals': the token, the engine, our settings first.

    An engine that was named and is dead would stop every notebook, so there the recordings are named instead. The
    private one is named before it runs, for it is started meanwhile; `connect` passes it over until then.
    """
    ours = str(files("layerlab.course") / "jupyter")
    config = os.pathsep.join(filter(None, (ours, given.get("JUPYTER_CONFIG_PATH"))))
    engine = {} if found.is_live or found.may_start else {"LAYERLAB_ENGINE": "recorded"}
    is_private = found.kind == "private" or (found.may_start and private_is_possible())
    used = variables("private" if is_private else found.kind)
    return {**given, **used, **engine, "JUPYTER_TOKEN": token, "JUPYTER_CONFIG_PATH": config}


def _prepare_bases(engine: Prepared) -> None:
    """Have the private engine's bases built by a process of their own, which outlives this one."""
    if engine.kind == "private":
        from layerlab import bases

        try:
            bases.start_background()
        except LayerLabError as error:
            steps.say(f"The base images are not being prepared. {error}")


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int, token: str) -> None:
    # Only loopback: a proxy from the environment would answer in JupyterLab's place.
    opener = build_opener(ProxyHandler({}))
    request = Request(f"http://127.0.0.1:{port}/api/status", headers={"Authorization": f"token {token}"})
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SetupError(
                f"JupyterLab ended with status {server.returncode} while starting. Its reason stands above; "
                "`layerlab doctor` may know more."
            )
        try:
            with opener.open(request, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise SetupError(f"JupyterLab did not answer within {ANSWER_SECONDS:.0f} s. Look at `layerlab doctor`.")


def _announce(engine: Prepared, address: str, *, browser: bool) -> None:
    if engine.why_not:
        steps.say(f"{engine.why_not}\n       The course opens on recordings: all lessons and figures, no builds.")
    steps.say(f"Layer Lab is open (Ctrl-C stops it):\n\n    {address}\n")
    if browser and _has_display():
        webbrowser.open(address)


def _has_display() -> bool:
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _end(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.terminate()  # after Ctrl-C it is on its way already; kernels are shut down by the server
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
