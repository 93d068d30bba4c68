"""The stand-ins on the private engine: what they claim, what they carry, and that they carry a course."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from asking import asked

from layerlab import bases, build
from layerlab.bases import background
from layerlab.bases.inventory import SITE_LAYER
from layerlab.bases.resolution import Base
from layerlab.bases.standin import build as build_standins
from layerlab.bases.standin import site
from layerlab.engine import Engine
from layerlab.engine.protocol import StartRequest
from layerlab.errors import BuildCancelled
from layerlab.image import HistoryEntry

PINS = ("fastapi==0.115.0", "uvicorn==0.30.0", "pydantic==2.6.0")


@pytest.fixture(scope="module", params=[key for key in bases.BASES if key != "distroless"])
def key(request: pytest.FixtureRequest) -> str:
    """Every stand-in with a shell in turn; for the other one see test_distroless.py."""
    return str(request.param)


@pytest.fixture(scope="module")
def base(engine: Engine, key: str) -> Base:
    """A stand-in; skipped where official bases are in use."""
    found = bases.resolve(engine, key)
    if not found.is_standin:
        pytest.skip(f"{found.reference} is no stand-in here, so there is nothing to hold against its recipe")
    return found


@pytest.fixture(scope="module")
def own(base: Base) -> tuple[HistoryEntry, ...]:
    """The history without the site layer, which belongs to this machine."""
    return tuple(entry for entry in base.image.history if entry.comment != SITE_LAYER)


def printed(engine: Engine, base: Base, command: str) -> str:
    result = engine.run(base.reference, ["sh", "-c", command])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_it_says_what_it_is(engine: Engine, base: Base, key: str) -> None:
    minor = bases.py_minor(engine)
    label = base.image.config.label
    assert (label("layerlab.standin"), label("layerlab.base"), label("layerlab.py_minor")) == ("true", key, minor)
    assert "Layer Lab stand-in" in printed(engine, base, ". /etc/os-release; echo $PRETTY_NAME")
    assert bases.provenance(engine).text.startswith("stand-in bases, ")
    assert base.digest is None


def test_it_starts_as_the_official_one_does(engine: Engine, base: Base) -> None:
    config = base.image.config
    env = dict(one.split("=", 1) for one in config.env)
    assert env["PATH"] == "/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert env["LANG"] == "C.UTF-8"
    assert config.cmd == ("python3",) and config.entrypoint == () and config.user == ""
    version = printed(engine, base, "python --version")
    assert version == f"Python {env['PYTHON_VERSION']}"
    assert version.startswith(f"Python {bases.py_minor(engine)}.")


def test_its_python_is_whole(engine: Engine, base: Base, key: str) -> None:
    if key == "musl":
        pytest.skip("its Python lacks some modules; see test_the_musl_base_runs_on_musl")
    modules = "bz2, ctypes, curses, dbm.gnu, hashlib, lzma, readline, sqlite3, ssl, uuid, venv, zlib, pip"
    assert printed(engine, base, f"python -B -c 'import {modules}; print(ssl.OPENSSL_VERSION)'").startswith("OpenSSL")
    names = "python python3 pip pip3 idle pydoc python-config"
    assert printed(engine, base, f"for n in {names}; do command -v $n; done").split() == [
        f"/usr/local/bin/{name}" for name in names.split()
    ]


def test_it_ships_no_bytecode_no_tests_no_caches(engine: Engine, base: Base) -> None:
    assert printed(engine, base, "find / -xdev -name '*.pyc' -path '/usr/local/*' | wc -l") == "0"
    assert printed(engine, base, "find /usr/local/lib -type d -name test -o -name 'libpython*.a' | wc -l") == "0"
    caches = "/var/cache/apt /var/lib/apt/lists /root/.cache"
    assert printed(engine, base, f"find {caches} -type f -not -name lock 2>/dev/null | wc -l") == "0"


def test_its_history_reads_as_the_official_one_s(base: Base, own: tuple[HistoryEntry, ...], key: str) -> None:
    official = bases.official(bases.BASES[key].reference())
    layers = [entry for entry in own if entry.size_bytes]
    assert own[0].created_by.startswith("ADD ")
    # The official CPython is compiled in the RUN that installs its libraries; ours come one after the other.
    # The last of musl's own makes links, which hold no bytes.
    extra = {"slim": 1, "full": 0, "musl": -1}[key]
    assert len(layers) == len(official.layers) + extra
    assert not any(entry.created_by.startswith("|") or "ARG" in entry.created_by for entry in own)
    biggest = max(layers, key=lambda entry: entry.size_bytes)
    assert biggest is layers[{"slim": 0, "full": 3, "musl": 2}[key]]
    assert sum(layer.size_bytes for layer in base.image.layers) == base.image.size_bytes


def test_this_machine_s_own_is_one_named_layer_at_the_end(base: Base) -> None:
    named = [index for index, entry in enumerate(base.image.history) if entry.comment == SITE_LAYER]
    if site.here().is_empty:
        assert named == []
    else:
        assert named == [len(base.image.history) - 1]
        assert SITE_LAYER in base.image.history[-1].created_by


def test_what_tells_the_bases_apart(engine: Engine, base: Base, key: str) -> None:
    found = printed(engine, base, "for n in gcc git curl make apk; do command -v $n; done; true").split()
    assert len(found) == {"slim": 0, "full": 4, "musl": 0}[key]
    lower, upper = {"slim": (110e6, 160e6), "full": (700e6, 1200e6), "musl": (35e6, 60e6)}[key]
    assert lower < base.image.size_bytes < upper


@pytest.fixture(scope="module")
def musl(engine: Engine) -> Base:
    """The musl stand-in; skipped where the official Alpine base is in use."""
    found = bases.resolve(engine, "musl")
    if not found.is_standin:
        pytest.skip(f"{found.reference} is no stand-in here, so there is nothing to hold against its recipe")
    return found


def test_the_musl_base_runs_on_musl(engine: Engine, musl: Base) -> None:
    loader = printed(engine, musl, "ls /lib/ld-musl-*.so.1")
    assert "/usr/local/lib" in printed(engine, musl, "cat /etc/ld-musl-*.path").split()
    for program in ("/usr/local/bin/python3", "/bin/busybox"):
        assert f"libc.so => {loader}" in printed(engine, musl, f"ldd {program}")
    modules = "asyncio, ctypes, hashlib, multiprocessing, socket, ssl, venv, zlib"
    code = f"import {modules}, sysconfig; multiprocessing.Lock(); print(sysconfig.get_config_var('SOABI'))"
    assert printed(engine, musl, f'python -B -c "{code}"').endswith("-linux-musl")
    assert "not Alpine" in printed(engine, musl, ". /etc/os-release; echo $VARIANT")


def test_the_musl_base_lacks_what_the_course_says_it_lacks(engine: Engine, musl: Base) -> None:
    assert bases.BASES["musl"].lacks == ("apk", "sqlite3")
    assert engine.run(musl.reference, ["sh", "-c", "command -v apk"]).exit_code == 127
    missing = engine.run(musl.reference, ["python", "-B", "-c", "import sqlite3"])
    assert missing.exit_code == 1 and "No module named '_sqlite3'" in missing.output


def test_a_thread_on_musl_reaches_python_s_own_limit_of_recursion(engine: Engine, musl: Base) -> None:
    code = "import threading; f = lambda n: n and f(n - 1); t = threading.Thread(target=lambda: print(f(900)));"
    assert printed(engine, musl, f'python -B -c "{code} t.start(); t.join()"') == "0"


def test_the_musl_base_has_accounts_and_makes_more(engine: Engine, musl: Base) -> None:
    assert printed(engine, musl, "id -u root; id -u nobody; stat -c %a /tmp").split() == ["0", "65534", "1777"]
    assert printed(engine, musl, "addgroup -S app && adduser -S -G app app && su -s /bin/sh app -c 'id -un'") == "app"


def test_pip_takes_musllinux_wheels_on_musl(engine: Engine, musl: Base) -> None:
    command = "pip download -q --no-deps -d /tmp/wheels pydantic-core uv 2>/dev/null; ls /tmp/wheels"
    found = printed(engine, musl, command)
    assert len(found.split()) == 2 and all("musllinux" in wheel for wheel in found.split())


def test_the_course_s_service_installs_and_answers(engine: Engine, base: Base, key: str, tmp_path: Path) -> None:
    """Without any flag: certificates and index are the base's business."""
    (tmp_path / "main.py").write_text(
        "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/')\ndef root(): return 1\n"
    )
    (tmp_path / "Dockerfile").write_text(
        f"FROM {base.reference}\nRUN pip install {' '.join(PINS)}\nCOPY main.py /\n"
        'CMD ["uvicorn", "main:app", "--host", "0.0.0.0"]\n'
    )
    tag = f"layerlab/base-test:{key}"
    built = build.build(engine, asked(tmp_path, tag=tag))
    assert built.image.added_bytes(base.image) > 10_000_000
    with engine.start(StartRequest(image=tag, ports=[8000])) as container:
        assert container.request("/").status == 200
    engine.remove(tag)


def test_apt_works_in_it_and_leaves_no_cache(engine: Engine, base: Base, key: str, tmp_path: Path) -> None:
    if key != "slim":
        pytest.skip("full has the same root file system as slim, and musl has no apt")
    (tmp_path / "Dockerfile").write_text(
        f"FROM {base.reference}\nRUN apt-get update && apt-get install -y --no-install-recommends less "
        "&& rm -rf /var/lib/apt/lists/*\n"
    )
    tag = "layerlab/base-test:apt"
    built = build.build(engine, asked(tmp_path, tag=tag, no_cache=True))
    found = engine.run(
        tag, ["sh", "-c", "command -v less; find /var/cache/apt /usr/share/man -size +0 -type f | wc -l"]
    )
    assert found.output.split() == ["/usr/bin/less", "0"]
    assert 100_000 < built.image.added_bytes(base.image) < 2_000_000
    engine.remove(tag)


def test_what_is_there_is_not_built_again(engine: Engine, base: Base, tmp_path: Path) -> None:
    began, seen = time.monotonic(), []
    build_standins(engine, on_progress=lambda key, progress: seen.append(progress.fraction), folder=tmp_path)
    assert time.monotonic() - began < 20
    assert bases.resolve(engine, base.reference).image.id == base.image.id
    assert list((tmp_path / "parts").iterdir()) == []


def test_a_build_that_is_cancelled_leaves_nothing(
    engine: Engine, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.info.kind != "private":
        pytest.skip("stand-ins are built in the private engine only")
    other = site.Site((("/etc/other", b"other"),))
    monkeypatch.setattr(site, "here", lambda: other)  # another recipe, so that there is something to do
    cancel = threading.Event()
    threading.Timer(3.0, cancel.set).start()
    with pytest.raises(BuildCancelled):
        build_standins(engine, folder=tmp_path, cancelled=cancel.is_set)
    assert bases.resolve(engine, base.reference).image.id == base.image.id
    assert [one.name for one in (tmp_path / "parts").glob("*.tar")] == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert list((tmp_path / "work").rglob("mmdebstrap*")) == []


def test_the_background_has_nothing_left_to_do(engine: Engine, base: Base) -> None:
    if engine.info.kind != "private":
        pytest.skip("stand-ins are built in the private engine only")
    found = background.start()
    deadline = time.monotonic() + 60
    while (found := background.status()).is_running and time.monotonic() < deadline:
        time.sleep(0.2)
    assert (found.state, found.message) == ("ready", "")
    assert {one.state for one in bases.status(engine)} == {"stand-in"}
