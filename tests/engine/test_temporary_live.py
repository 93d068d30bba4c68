"""An engine of another version, fetched, started and removed: nothing of it stays on this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from layerlab.engine.private import data_folder, ping
from layerlab.engine.temporary import KINDS, check, running
from layerlab.errors import PrivateEngineError

pytestmark = pytest.mark.nightly  # each fetches a hundred megabytes


def machine(folder: Path) -> tuple[object, ...]:
    """What of such an engine could stay."""
    rules = [
        line
        for table in ("nat", "filter")
        for line in subprocess.check_output(["iptables", "-w", "10", "-t", table, "-S"], text=True).splitlines()
        if "layerlab-" in line
    ]
    links = [name for _, name in socket.if_nameindex() if name.startswith("ll")]
    programs = [
        one.pid for one in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(one.info["cmdline"] or ())
    ]
    return rules, links, programs, Path("/proc/self/mounts").read_text().count(str(folder)), list(folder.glob("*"))


@pytest.mark.parametrize("name", KINDS)
def test_it_answers_as_what_it_is_and_leaves_nothing(name: str) -> None:
    folder = data_folder() / "on-trial"
    try:
        check(folder)
    except PrivateEngineError as error:
        pytest.skip(str(error))
    folder.mkdir(parents=True, exist_ok=True)
    before = machine(folder)
    with running(name, folder) as engine:
        facts = ping.info(Path(engine.endpoint.removeprefix("unix://")))
        assert facts["ServerVersion"].startswith(name.split("-")[1])
        assert (facts["Driver"] == "overlayfs") == (KINDS[name].store == "containerd")
        out = "import socket; socket.create_connection(('deb.debian.org', 80), 20)"
        subprocess.run(engine.inside(sys.executable, "-c", out), check=True, timeout=60)
        assert machine(folder) != before
    assert machine(folder) == before
    folder.rmdir()
